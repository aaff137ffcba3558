//! Why Redis did not do what it was asked, on one line.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why Redis did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(crate) struct LinkError {
    text: String,
    refused: bool,
    wrong_type: bool,
}

impl LinkError {
    /// It may work later.
    pub(crate) fn away(text: impl Into<String>) -> Self {
        LinkError { text: text.into(), refused: false, wrong_type: false }
    }

    /// It will not work before somebody changes the configuration of one side.
    pub(crate) fn refused(text: impl Into<String>) -> Self {
        LinkError { text: text.into(), refused: true, wrong_type: false }
    }

    /// Whether waiting does not help.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused
    }

    /// Whether a key holds something else than it should.
    pub(crate) fn is_wrong_type(&self) -> bool {
        self.wrong_type
    }

    /// What an error of `node` means.
    pub(super) fn of(node: &super::Node, error: &RedisError) -> Self {
        let said = error.to_string().replace('\n', " ");
        let denied = matches!(error.kind(), ErrorKind::AuthenticationFailed)
            || matches!(error.code(), Some("WRONGPASS" | "NOAUTH" | "NOPERM"))
            || said.contains("WRONGPASS")
            || said.contains("NOAUTH");
        if denied {
            return LinkError::refused(format!("{node} refuses the user or the password: {said}"));
        }
        if error.is_timeout() {
            return LinkError::away(format!("{node} does not answer in time"));
        }
        LinkError { wrong_type: said.contains("WRONGTYPE"), ..LinkError::away(format!("{node}: {said}")) }
    }
}

/// Whether an error says that this connection, or this node, is not the one to go on with.
pub(super) fn breaks_the_line(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading
                // A command of a transaction was refused, mostly by the state that the node is in.
                | ServerErrorKind::ExecAbort
                | ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
        ),
        // Not understood by the library: an error of a command or a script.
        ErrorKind::Extension | ErrorKind::UnexpectedReturnType => false,
        _ => true,
    }
}
