//! The connection to the agent of the user: the socket in `SSH_AUTH_SOCK`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::{Agent, AgentError, Awaited, MAXIMUM_ANSWER_SIZE};
use crate::foundation::environment::{Environment, exchange};

/// The maximum time for an agent to list its keys. Some agents read a card first.
const PATIENCE: Duration = Duration::from_secs(30);

/// The maximum time for a person to confirm, to touch a key, or to type its PIN.
const PATIENCE_FOR_PEOPLE: Duration = Duration::from_mins(5);

/// An agent behind a socket, with a new connection for each request.
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
            io::ErrorKind::InvalidData => AgentError::Malformed("its answer is empty or too long"),
            io::ErrorKind::UnexpectedEof => AgentError::Unreachable(
                "it closed the connection before the end of its answer".to_owned(),
            ),
            _ => AgentError::Unreachable(format!("{}: {error}", self.socket.display())),
        })
    }
}
