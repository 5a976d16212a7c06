//! What is said to an agent that keeps private keys, and what it answers
//! (draft-ietf-sshm-ssh-agent).
//!
//! Two requests are all that signing needs. How they travel is for an [`Agent`] to know, so that
//! nothing here touches a socket. No library: the one at hand gives up on a whole list of keys for
//! one comment that is not UTF-8, and the keys that others have in an agent are none of our
//! business.

use ssh_encoding::Decode;
use ssh_key::Signature;

use super::key::Unfit;
use super::{AgentError, PublicKey, wire};

/// The longest answer that is read, in bytes: what OpenSSH's own client reads.
pub const MAXIMUM_ANSWER_SIZE: usize = 256 * 1024;

/// The most keys that are looked through.
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

/// What an answer is waited for: a person may have to do something before a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// The list of keys, which an agent has at hand.
    Keys,
    /// A signature, before which somebody may have to confirm or to touch a key.
    Signature,
}

/// A way to an agent.
pub trait Agent: Send + Sync {
    /// Sends a message and gives back the answer, both without the length that stands before them.
    /// An answer longer than [`MAXIMUM_ANSWER_SIZE`] is not read.
    ///
    /// # Errors
    /// [`AgentError::Unreachable`] and [`AgentError::Silent`], in the words of whoever tried.
    fn ask(&self, message: &[u8], awaited: Awaited) -> Result<Vec<u8>, AgentError>;
}

/// The comment that the agent has of this key; an error where it does not have the key.
pub(super) fn find(agent: &dyn Agent, key: &PublicKey) -> Result<String, AgentError> {
    let answer = agent.ask(&[REQUEST_IDENTITIES], Awaited::Keys)?;
    let blob = key.blob();
    let mut reader = match answer.split_first() {
        Some((&IDENTITIES_ANSWER, rest)) => rest,
        Some((&FAILURE, _)) => return Err(AgentError::Refused),
        _ => return Err(AgentError::Malformed("it is no list of keys")),
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
    // Flags: there are some for RSA keys only.
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
        _ => return Err(AgentError::Malformed("it is no signature")),
    };
    let signature = wire::string(&mut reader)
        .filter(|_| reader.is_empty())
        .ok_or(AgentError::Malformed(
            "its signature has another length than it says",
        ))?;
    key.check(message, &signature).map_err(|error| match error {
        Unfit::Malformed => AgentError::Malformed("its signature is of another kind"),
        Unfit::Mismatch => AgentError::WrongSignature,
        Unfit::Untouched => AgentError::Untouched,
    })
}
