//! The way to the agent that keeps the user's keys: a socket that `SSH_AUTH_SOCK` names.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::{Agent, AgentError, Awaited, MAXIMUM_ANSWER_SIZE};
use crate::foundation::environment::{Environment, exchange};

/// How long an agent may look its keys up; some ask a card first.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long somebody has to confirm, to touch a key, or to type its PIN.
const PATIENCE_FOR_PEOPLE: Duration = Duration::from_mins(5);

/// An agent that is spoken to over a socket, a connection for each question.
#[derive(Debug)]
pub struct SocketAgent {
    socket: PathBuf,
}

impl SocketAgent {
    /// The agent of this environment.
    ///
    /// # Errors
    /// When the environment names none.
    pub fn of(environment: &Environment) -> Result<Self, AgentError> {
        match environment.agent_socket() {
            Some(socket) => Ok(Self { socket }),
            None => Err(AgentError::Unreachable(
                "SSH_AUTH_SOCK is not set".to_owned(),
            )),
        }
    }
}

impl Agent for SocketAgent {
    fn ask(&self, message: &[u8], awaited: Awaited) -> Result<Vec<u8>, AgentError> {
        let patience = match awaited {
            Awaited::Keys => PATIENCE,
            Awaited::Signature => PATIENCE_FOR_PEOPLE,
        };
        exchange(&self.socket, message, MAXIMUM_ANSWER_SIZE, patience).map_err(|error| match error
            .kind()
        {
            io::ErrorKind::TimedOut => AgentError::Silent(patience.as_secs()),
            io::ErrorKind::InvalidData => {
                AgentError::Malformed("it is empty, or longer than an answer can be")
            }
            io::ErrorKind::UnexpectedEof => {
                AgentError::Unreachable("it hung up without a whole answer".to_owned())
            }
            _ => AgentError::Unreachable(format!("{}: {error}", self.socket.display())),
        })
    }
}
