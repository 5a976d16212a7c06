//! Errors of agents.

use thiserror::Error;

/// The reason why an agent gave no signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AgentError {
    /// There is no agent, or it closed the connection; the system's message.
    #[error("the agent cannot be reached: {0}")]
    Unreachable(String),
    /// It did not answer in time; the limit in seconds.
    #[error("the agent did not answer within {0} seconds")]
    Silent(u64),
    /// It does not have the key.
    #[error("the agent does not have the key {fingerprint} (keys that it has: {keys})")]
    Lacks {
        /// The key's fingerprint.
        fingerprint: String,
        /// The number of keys in the agent.
        keys: usize,
    },
    /// It refused to sign.
    #[error("the agent refused to sign")]
    Refused,
    /// Its answer does not fit the request; the reason.
    #[error("the agent's answer cannot be understood: {0}")]
    Malformed(&'static str),
    /// Its signature is not one by the key over the message.
    #[error("the agent gave a signature that does not match the key; it is not used")]
    WrongSignature,
    /// Its signature was made without a touch of the hardware key.
    #[error(
        "the agent gave a signature of the hardware key without a touch (with \
         `no-touch-required`); it is not used"
    )]
    Untouched,
}

impl AgentError {
    /// The help.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => {
                "start an agent and add the key: `eval \"$(ssh-agent)\"`, `ssh-add FILE`; \
                 SSH_AUTH_SOCK is the path of its socket"
            }
            Self::Silent(_) => {
                "run it again, and confirm the request or touch the key while it waits"
            }
            Self::Lacks { .. } => {
                "`ssh-add FILE` adds the key, `ssh-add -l` lists the keys, `ssh-add -X` unlocks the agent"
            }
            Self::Refused => {
                "confirm the request, touch the key, or add the key without the constraint that forbids this"
            }
            Self::Malformed(_) | Self::WrongSignature => {
                "use another agent, such as OpenSSH's `ssh-agent`"
            }
            Self::Untouched => "make a key that requires a touch: `ssh-keygen -t ed25519-sk`",
        }
    }
}
