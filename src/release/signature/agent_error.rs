//! Why an agent gave no signature.

use thiserror::Error;

/// Why an agent gave no signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AgentError {
    /// There is no agent, or it hung up; what the system says.
    #[error("the agent cannot be reached: {0}")]
    Unreachable(String),
    /// It did not answer in time; the seconds that it had.
    #[error("the agent did not answer within {0} seconds")]
    Silent(u64),
    /// It does not have the key.
    #[error("the agent does not have the key {fingerprint} (keys that it has: {keys})")]
    Lacks {
        /// The key's fingerprint.
        fingerprint: String,
        /// How many keys it has.
        keys: usize,
    },
    /// It said no.
    #[error("the agent refused to sign")]
    Refused,
    /// Its answer is none to what it was asked; why.
    #[error("the agent's answer cannot be understood: {0}")]
    Malformed(&'static str),
    /// The signature that it gave is not one of the key over the message.
    #[error("the agent gave a signature that does not fit the key, and it is not used")]
    WrongSignature,
    /// The signature that it gave was made without a touch of the hardware key.
    #[error(
        "the agent gave a signature of the hardware key that nobody touched (it was made with \
         `no-touch-required`), and it is not used"
    )]
    Untouched,
}

impl AgentError {
    /// The way out.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => {
                "start an agent and give it the key: `eval \"$(ssh-agent)\"`, `ssh-add FILE`; \
                 SSH_AUTH_SOCK says where it is"
            }
            Self::Silent(_) => {
                "confirm the request or touch the key while it waits, and run it again"
            }
            Self::Lacks { .. } => {
                "`ssh-add FILE` gives it the key, `ssh-add -l` shows what it has, `ssh-add -X` \
                 unlocks it"
            }
            Self::Refused => {
                "confirm the request, touch the key, or add it without the constraint that \
                 forbids this"
            }
            Self::Malformed(_) | Self::WrongSignature => {
                "use another agent: `ssh-agent` of OpenSSH does"
            }
            Self::Untouched => "make a key that wants to be touched: `ssh-keygen -t ed25519-sk`",
        }
    }
}
