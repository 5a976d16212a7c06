//! The protocol of agents that keep private keys (draft-ietf-sshm-ssh-agent).
//!
//! Signing needs two requests only. An [`Agent`] transports them, so that nothing here uses a
//! socket. No library is used: the available one rejects a whole list of keys for one comment that
//! is not UTF-8, and the other keys in an agent must not matter.

use ssh_encoding::Decode;
use ssh_key::Signature;

use super::key::SignatureCheckError;
use super::{AgentError, PublicKey, wire};

/// The longest answer that is read, in bytes: the same limit as in OpenSSH's client.
pub const MAXIMUM_ANSWER_SIZE: usize = 256 * 1024;

/// The most keys of an agent that are compared.
const MAXIMUM_IDENTITIES: u32 = 2048;

/// The longest comment of an agent's key that is kept.
const MAXIMUM_COMMENT_LENGTH: usize = 255;

// Section 6.1, the numbers of messages.
const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
const EXTENSION_FAILURE: u8 = 28;

/// The awaited answer: a person may have to act before a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// The list of keys, which an agent has ready.
    Keys,
    /// A signature, which a person may have to confirm by a dialog or a touch.
    Signature,
}

/// A connection to an agent.
pub trait Agent: Send + Sync {
    /// Sends a message and returns the answer, both without the length in front of them. An answer
    /// longer than [`MAXIMUM_ANSWER_SIZE`] is not read.
    ///
    /// # Errors
    /// [`AgentError::Unreachable`] and [`AgentError::Silent`], with the reason of the connection.
    fn ask(&self, message: &[u8], awaited: Awaited) -> Result<Vec<u8>, AgentError>;
}

/// The agent's comment of this key; an error if the agent does not have the key.
pub(super) fn find(agent: &dyn Agent, key: &PublicKey) -> Result<String, AgentError> {
    let answer = agent.ask(&[REQUEST_IDENTITIES], Awaited::Keys)?;
    let blob = key.blob();
    let mut reader = match answer.split_first() {
        Some((&IDENTITIES_ANSWER, rest)) => rest,
        Some((&FAILURE, _)) => return Err(AgentError::Refused),
        _ => return Err(AgentError::Malformed("it is not a list of keys")),
    };
    let cut = || AgentError::Malformed("its list of keys ends early");
    let count = u32::decode(&mut reader).map_err(|_| cut())?;
    if count > MAXIMUM_IDENTITIES {
        return Err(AgentError::Malformed("its list of keys is too long"));
    }
    for _ in 0..count {
        let found = wire::string(&mut reader).ok_or_else(cut)?;
        let comment = wire::string(&mut reader).ok_or_else(cut)?;
        if found == blob {
            let comment = &comment[..comment.len().min(MAXIMUM_COMMENT_LENGTH)];
            return Ok(String::from_utf8_lossy(comment).replace(char::is_control, " "));
        }
    }
    Err(AgentError::Lacks {
        fingerprint: key.fingerprint(),
        keys: usize::try_from(count).unwrap_or(usize::MAX),
    })
}

/// The agent's signature of a message, verified.
pub(super) fn sign(
    agent: &dyn Agent,
    key: &PublicKey,
    message: &[u8],
) -> Result<Signature, AgentError> {
    // Flags exist for RSA keys only.
    let flags = 0_u32;
    let parts = [
        vec![SIGN_REQUEST],
        wire::encoded(&key.blob()),
        wire::encoded(&message.to_vec()),
        wire::encoded(&flags),
    ];
    let answer = agent.ask(&parts.concat(), Awaited::Signature)?;
    let mut reader = match answer.split_first() {
        Some((&SIGN_RESPONSE, rest)) => rest,
        Some((&(FAILURE | EXTENSION_FAILURE), _)) => return Err(AgentError::Refused),
        _ => return Err(AgentError::Malformed("it is not a signature")),
    };
    let signature = wire::string(&mut reader)
        .filter(|_| reader.is_empty())
        .ok_or(AgentError::Malformed("its signature has a wrong length"))?;
    key.check(message, &signature).map_err(|error| match error {
        SignatureCheckError::Malformed => AgentError::Malformed("its signature is of another kind"),
        SignatureCheckError::Mismatch => AgentError::WrongSignature,
        SignatureCheckError::Untouched => AgentError::Untouched,
    })
}
