//! Another server, for guests that send requests: on loopback, with an answer for each path, and a count of who has come. One
//! with TLS is the `openssl` of the machine.

use super::folder::Folder;
use super::redis::tls::Certificates;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A server on 127.0.0.1.
pub(crate) struct Web {
    pub(crate) address: SocketAddr,
    visits: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Web {
    /// Starts it. `/say/WORD` answers with the word; `/echo` with the whole request; `/weather` with a temperature;
    /// `/to?URL` redirects to a URL; `/silence` never answers; `/half` breaks off in the middle; `/stall` stops there;
    /// `/head` has a head of 100 KiB; everything else is 404.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let visits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&visits);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut visitors = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                // A visitor who breaks off is not this server's matter.
                visitors.spawn(async move { drop(answer(stream).await) });
            }
        });
        Web { address, visits, _serving: serving }
    }

    /// Connections that were made to it.
    pub(crate) fn visits(&self) -> usize {
        self.visits.load(Ordering::Relaxed)
    }

    /// Its address under another spelling of 127.0.0.1.
    pub(crate) fn at(&self, host: &str) -> String {
        format!("http://{host}:{}", self.address.port())
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.at("127.0.0.1")
    }
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !is_whole(&request) {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).await?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&piece[..count]);
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let target = text.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let whole = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let answer = match path.split('/').nth(1).unwrap_or_default() {
        "say" => whole(path.rsplit('/').next().unwrap_or_default()),
        "echo" => whole(&text),
        "to" => format!("HTTP/1.1 302 Found\r\nlocation: {query}\r\ncontent-length: 0\r\n\r\n"),
        "weather" => whole(r#"{"current":{"temperature_2m":31.5}}"#),
        "half" => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned(),
        "stall" => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nstall".to_owned(),
        "head" => format!("HTTP/1.1 200 OK\r\nx-long: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(100 * 1024)),
        "silence" => String::new(),
        _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
    };
    stream.write_all(answer.as_bytes()).await?;
    if matches!(path, "/silence" | "/stall") {
        // Until the other side has enough of it.
        let _ = stream.read(&mut [0; 1]).await;
    }
    Ok(())
}

/// Head and body, if the head says how long that is.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// A server on 127.0.0.1 and localhost with TLS, which says what it knows about the connection.
pub(crate) struct SecureWeb {
    process: Child,
    pub(crate) port: u16,
    /// The certificate of the authority that has signed its own.
    pub(crate) authority: PathBuf,
    _folder: Folder,
}

impl SecureWeb {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let certificates = Certificates::new(&folder);
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"]).arg(&certificates.certificate);
        command.arg("-key").arg(&certificates.key).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("openssl is on the PATH");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let port = lines.find_map(|line| line.ok()?.strip_prefix("ACCEPT ")?.rsplit(':').next()?.parse().ok());
        let port = port.expect("openssl says where it listens");
        // What else it says is read to the end, so that it is never held up by it.
        std::thread::spawn(move || lines.for_each(drop));
        SecureWeb { process, port, authority: certificates.authority, _folder: folder }
    }
}

impl Drop for SecureWeb {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
