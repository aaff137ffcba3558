//! The real `redis-cli`, as a user types it; and a plain connection for what a command line cannot show, which is how a
//! connection fares.

use crate::harness::wait::within;
use std::io::{Error, ErrorKind, Result as IoResult};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// How to reach a server, so that commands can be run there.
#[derive(Clone)]
pub(crate) struct RedisCli {
    pub(super) address: SocketAddr,
    pub(super) password: Option<String>,
    /// Who vouches for the server, where it speaks TLS.
    pub(super) authority: Option<PathBuf>,
}

impl RedisCli {
    pub(crate) fn at(address: SocketAddr) -> Self {
        RedisCli { address, password: None, authority: None }
    }

    /// What redis-cli prints for a command; an error that Redis answers with is printed, too.
    pub(crate) async fn run(&self, arguments: &[&str]) -> String {
        let what = format!("redis-cli -p {} {}", self.address.port(), arguments.join(" "));
        within(&what, self.try_run(arguments)).await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// As [`run`](Self::run), with no bound; or why there was no answer.
    pub(crate) async fn try_run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("redis-cli");
        command.args(["-h", &self.address.ip().to_string(), "-p", &self.address.port().to_string()]);
        if let Some(password) = &self.password {
            command.env("REDISCLI_AUTH", password);
        }
        if let Some(authority) = &self.authority {
            command.arg("--tls").arg("--cacert").arg(authority);
        }
        command.args(arguments);
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it does not panic");
        let output = output.expect("redis-cli is on the PATH; `make redis-server` sees to that");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(format!("{} {}", text(&output.stdout), text(&output.stderr))),
        }
    }
}

/// One open connection to a server.
pub(crate) struct Talk {
    stream: BufReader<TcpStream>,
}

impl Talk {
    /// Connects, or fails as connecting does.
    pub(crate) async fn dial(address: SocketAddr) -> IoResult<Self> {
        let stream = within("a connection or a refusal", TcpStream::connect(address)).await?;
        Ok(Talk { stream: BufReader::new(stream) })
    }

    /// The answer to a command, of one line: `+OK`, `:1`. An end of the connection is an error.
    pub(crate) async fn ask(&mut self, command: &str) -> IoResult<String> {
        self.say(command).await?;
        self.hear().await
    }

    pub(crate) async fn say(&mut self, command: &str) -> IoResult<()> {
        self.stream.write_all(format!("{command}\r\n").as_bytes()).await
    }

    /// The next line.
    pub(crate) async fn hear(&mut self) -> IoResult<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await? {
            0 => Err(Error::from(ErrorKind::UnexpectedEof)),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}
