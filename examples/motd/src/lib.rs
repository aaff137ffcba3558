//! A message of the day: from a file that the operator may edit while the host runs, with the name of the place from a
//! variable, both read with the standard library. The operator grants the folder and the variable, in `lakou.toml`; the
//! controller sees no others:
//!
//! ```toml
//! [controller.motd]
//! files = ["motd=examples/motd/messages"] # a folder that it may read and nothing else, as /motd
//! environment = ["PLACE=the market"]      # or "PLACE": as the host has it
//! ```
//!
//! Try it: connect a WebSocket client to `/motd`, or `curl ADDRESS/motd` (with the address that the server has printed); edit
//! `today.txt` in the folder, and come again. Without a grant it greets with less, and the log says what to write.

use std::path::Path;
use std::{env, fs};

use lakou_sdk::http::{self, HeaderValue, header};
use lakou_sdk::{Controller, Fault, Request, Result, Socket, controller, log};

/// The granted folder, by the name that the grant gives it.
const FOLDER: &str = "/motd";
/// The file in it.
const FILE: &str = "today.txt";
/// The granted variable.
const VARIABLE: &str = "PLACE";
/// What the file says where its value belongs.
const BLANK: &str = "{place}";

/// Somebody who is greeted.
pub struct Motd;

#[controller(path = "/motd")]
impl Controller for Motd {
    fn open(socket: Socket, _request: Request) -> Self {
        if let Err(fault) = socket.send(greeting()) {
            log::warn(format!("a client is not greeted: {fault}"));
        }
        Self
    }

    fn http(_request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let mut response = http::Response::new(greeting().into_bytes());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}

/// What there is to say. What the operator has left out is for the log, and no business of the clients.
fn greeting() -> String {
    // For each client anew: an edit needs no restart.
    let message = message(Path::new(FOLDER)).unwrap_or_else(|fault| {
        log::warn(format!("no message: {fault}"));
        format!("Welcome to {BLANK}.\n")
    });
    let place = env::var(VARIABLE).unwrap_or_else(|wrong| {
        log::warn(format!("{VARIABLE}: {wrong}: write environment = [\"{VARIABLE}=...\"] into [controller.motd]"));
        "this server".to_owned()
    });
    message.replace(BLANK, &place)
}

fn message(folder: &Path) -> Result<String> {
    // A folder that is not granted and a file that is not there look alike to the one who opens the file.
    if !folder.is_dir() {
        let grant = format!("write files = [\"motd=...\"] into [controller.motd], the folder of {FILE}");
        return Err(Fault::Denied(format!("there is no folder {}: {grant}", folder.display())));
    }
    fs::read_to_string(folder.join(FILE)).map_err(|wrong| Fault::Unavailable(format!("{FILE}: {wrong}")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use lakou_sdk::testing::Host;
    use lakou_sdk::{Fault, http};

    use super::{BLANK, Motd, message};

    /// The folders of the machine that runs the tests; the fake host has none of its own.
    fn here(folder: &str) -> lakou_sdk::Result<String> {
        message(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
    }

    #[test]
    fn the_message_has_a_blank_for_the_place() {
        assert!(here("messages").is_ok_and(|text| text.contains(BLANK)));
    }

    #[test]
    fn what_is_missing_is_said() {
        let Err(Fault::Denied(said)) = here("nowhere") else { panic!("a folder that is not there") };
        assert!(said.contains("files = ["), "{said}");
        let Err(Fault::Unavailable(said)) = here("src") else { panic!("a folder without a message") };
        assert!(said.starts_with("today.txt: "), "{said}");
    }

    #[test]
    fn without_grants_there_is_a_greeting_all_the_same() {
        let host = Host::new();
        let client = host.connect::<Motd>("/motd").expect("open to all");
        assert_eq!(client.texts(), ["Welcome to this server.\n"]);
        let request = http::Request::get("/motd").body(Vec::new()).expect("a request");
        assert_eq!(host.http::<Motd>(request).body(), b"Welcome to this server.\n");
        let log = host.log();
        assert!(log.len() == 4 && log[0].contains("files = [") && log[1].contains("environment = ["), "{log:?}");
    }
}
