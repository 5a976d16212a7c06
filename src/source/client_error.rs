//! Errors of the HTTP client.

use std::path::PathBuf;

use thiserror::Error;

/// The innermost cause of an error, which is the most specific.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}

/// The reason why there is no client. Values of proxy variables are not shown, because they may
/// contain a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClientError {
    /// A variable names certificates that cannot be read.
    #[error(
        "the certificates that {variable} names cannot be read from {}: {reason}",
        path.display()
    )]
    Roots {
        /// The variable.
        variable: &'static str,
        /// The file or folder that it names.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The value of a variable is not the address of a proxy.
    #[error("{variable} is not the address of a proxy")]
    Proxy {
        /// The variable.
        variable: String,
    },
    /// The TLS library refused the platform's certificates.
    #[error("the platform's certificates cannot be used: {0}")]
    Build(String),
}
