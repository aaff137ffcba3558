//! Why Redis did not do what it was asked, on one line; and the only place that knows the words of Redis for it.

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
        let text = error.to_string().replace('\n', " ");
        let said = Said::of(error);
        if matches!(said, Said::NoLogin | Said::NoPermission) {
            return LinkError::refused(format!("{node} refuses the user or the password: {text}"));
        }
        if error.is_timeout() {
            return LinkError::away(format!("{node} does not answer in time"));
        }
        LinkError { wrong_type: said == Said::WrongType, ..LinkError::away(format!("{node}: {text}")) }
    }
}

/// What Redis says behind NOAUTH to who chooses a database.
const NO_DATABASE_FOR_STRANGERS: &str = "Authentication required.";

/// What Redis says of a stream that takes nothing more, for which it has no word of its own.
const END_OF_STREAM: &str = "exhausted the last possible ID";

/// What Redis says of a command, as far as it makes a difference to anybody: told by the word that its errors begin with. The
/// tests of the store have a server say each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// Who asks has not said who that is, or not with the right password.
    NoLogin,
    /// The user may not do this.
    NoPermission,
    /// The key holds something else.
    WrongType,
    /// The group of a stream is there already.
    GroupExists,
    /// The stream takes nothing more, because an entry of it has the largest id there is.
    EndOfStream,
    /// This command can not be done, now or later.
    Never,
    /// It may work later, or is nothing that Redis has said.
    Other,
}

impl Said {
    pub(crate) fn of(error: &RedisError) -> Self {
        // While a connection is made, the library makes errors of its own of what Redis says, without the word.
        if error.kind() == ErrorKind::AuthenticationFailed || error.detail() == Some(NO_DATABASE_FOR_STRANGERS) {
            return Said::NoLogin;
        }
        // The first of a pipeline counts.
        let errors = error.clone().into_server_errors();
        match errors.as_ref().and_then(|errors| errors.first()).map(|(_, error)| error.code()) {
            Some("NOAUTH" | "WRONGPASS") => Said::NoLogin,
            Some("NOPERM") => Said::NoPermission,
            Some("WRONGTYPE") => Said::WrongType,
            Some("BUSYGROUP") => Said::GroupExists,
            Some("ERR") if error.detail().is_some_and(|text| text.contains(END_OF_STREAM)) => Said::EndOfStream,
            Some("ERR") => Said::Never,
            _ => Said::Other,
        }
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
