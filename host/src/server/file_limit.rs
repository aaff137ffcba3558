//! Every connection is a file. How many the process may open is raised to what the system allows, and clients get what is left
//! beside what the server needs itself: Redis, controllers, static files, requests that controllers send.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit, and says what it is then; none: there is none.
pub(super) fn raise() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files stays as it is");
        }
    }
    getrlimit(Resource::Nofile).current
}

/// How many of so many files are kept from clients: an eighth, within reason.
fn reserve(files: u64) -> u64 {
    (files / 8).clamp(32, 1024)
}

/// For how many clients there are files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    /// Connections.
    pub(super) clients: usize,
    /// Those who are being turned away; they live on half of what is kept from clients.
    pub(super) farewells: usize,
}

/// How many clients there may be, by the setting and by the files; in the latter case the log says so.
pub(super) fn places(wanted: usize, files: Option<u64>) -> Places {
    let Some(files) = files else { return Places { clients: wanted, farewells: usize::MAX } };
    let count = |files: u64| usize::try_from(files).unwrap_or(usize::MAX);
    let room = count(files.saturating_sub(reserve(files))).max(1);
    if room < wanted {
        tracing::warn!(
            "max-connections is {wanted}, but this process may open {files} files, so that {room} clients are let in at a time: \
             raise the limit (`ulimit -n`, LimitNOFILE= of systemd), or lower max-connections"
        );
    }
    Places { clients: room.min(wanted), farewells: count(reserve(files) / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_what_is_left() {
        let clients = |wanted, files| places(wanted, files).clients;
        assert_eq!(clients(100_000, None), 100_000);
        assert_eq!(clients(100_000, Some(1 << 20)), 100_000);
        assert_eq!(clients(100_000, Some(20_000)), 18_976);
        assert_eq!(clients(100, Some(20_000)), 100);
        assert_eq!(clients(100, Some(128)), 96);
        assert_eq!(clients(100, Some(8)), 1);
        assert_eq!(places(8, Some(20_000)).farewells, 512, "a small setting leaves room to say no politely");
    }
}
