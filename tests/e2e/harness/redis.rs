//! A real redis-server on a port and in a folder of its own, which can be killed, brought back and paused. Keeps nothing
//! on disk unless it is told to.

pub(crate) mod cli;
pub(crate) mod cluster;
mod process;
pub(crate) mod proxy;
pub(crate) mod sentinels;
pub(super) mod tls;
pub(crate) mod trouble;

use self::cli::RedisCli;
use self::process::Process;
use self::tls::Certificates;
use super::folder::Folder;
use super::ports::free_address;
use super::wait::{BOUND, within};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpStream;

/// A running server. Dropping it kills it.
pub(crate) struct RedisServer {
    pub(crate) address: SocketAddr,
    arguments: Vec<String>,
    door: RedisCli,
    process: Process,
    folder: Folder,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        RedisServer::with(&[]).await
    }

    /// With more arguments: `--requirepass secret`, `--appendonly yes --appendfsync always`.
    pub(crate) async fn with(arguments: &[&str]) -> Self {
        let arguments = ["--save", "", "--appendonly", "no"].iter().chain(arguments).map(|word| (*word).to_owned());
        RedisServer::up(Folder::new(), arguments.collect(), None).await
    }

    /// One that speaks TLS only, with a certificate of [`authority`](Self::authority)'s.
    pub(crate) async fn tls() -> Self {
        let folder = Folder::new();
        let Certificates { authority, certificate, key } = Certificates::new(&folder);
        let words = [
            ("--save", Path::new("")),
            ("--tls-auth-clients", Path::new("no")),
            ("--tls-ca-cert-file", &authority),
            ("--tls-cert-file", &certificate),
            ("--tls-key-file", &key),
        ];
        let words = words.iter().flat_map(|(name, value)| [(*name).to_owned(), value.display().to_string()]);
        RedisServer::up(folder, words.collect(), Some(&authority)).await
    }

    /// A sentinel, which keeps what it learns in the file of its settings.
    async fn sentinel(settings: &str) -> Self {
        let folder = Folder::new();
        let file = folder.write("sentinel.conf", settings).display().to_string();
        RedisServer::up(folder, vec![file, "--sentinel".to_owned()], None).await
    }

    /// The certificate to be trusted; the variable `SSL_CERT_FILE` of a host names it.
    pub(crate) fn authority(&self) -> &Path {
        self.door.authority.as_deref().expect("a server that was started by `tls`")
    }

    /// The setting `redis` of a host.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.door.authority.is_some() { "rediss" } else { "redis" };
        let password = self.door.password.as_ref().map(|password| format!(":{password}@")).unwrap_or_default();
        format!("{scheme}://{password}{}", self.address)
    }

    pub(crate) fn url_of_database(&self, number: u8) -> String {
        format!("{}/{number}", self.url())
    }

    /// What the real redis-cli prints for a command.
    pub(crate) async fn cli(&self, arguments: &[&str]) -> String {
        self.door.run(arguments).await
    }

    /// What the real redis-cli prints, or why it could not.
    pub(crate) async fn try_cli(&self, arguments: &[&str]) -> Result<String, String> {
        within("an answer or a failure", self.door.try_run(arguments)).await
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Brings it back, on the same port, in the same folder and with the same arguments. One that runs is killed first.
    pub(crate) async fn restart(&mut self) {
        let back = async {
            loop {
                self.process.kill();
                self.process = launch(self.address, &self.arguments, &self.folder);
                if self.comes_up().await {
                    return;
                }
            }
        };
        within("the server comes back on its port", back).await;
    }

    /// Stops it where it is: connections stay open, and nothing is answered.
    pub(crate) fn pause(&self) {
        self.process.pause();
    }

    /// Lets a paused one go on.
    pub(crate) fn resume(&self) {
        self.process.resume();
    }

    /// Whether the process is there, be it paused.
    pub(crate) fn is_running(&mut self) -> bool {
        !self.process.has_ended()
    }

    /// Starts one on a free port. `authority` is there if the arguments are those of TLS.
    async fn up(folder: Folder, arguments: Vec<String>, authority: Option<&Path>) -> Self {
        let argument = |name: &str| arguments.iter().skip_while(|word| *word != name).nth(1).cloned();
        let password = argument("--requirepass");
        let port = if authority.is_some() { ["--port", "0", "--tls-port"].as_slice() } else { &["--port"] };
        let arguments: Vec<_> = arguments.into_iter().chain(port.iter().map(|word| (*word).to_owned())).collect();
        let address = free_address();
        let door = RedisCli { address, password, authority: authority.map(Path::to_owned) };
        let process = launch(address, &arguments, &folder);
        let mut server = RedisServer { address, arguments, door, process, folder };
        // Another process may have taken the port meanwhile.
        for _ in 0..5 {
            if server.comes_up().await {
                return server;
            }
            server.address = free_address();
            server.door.address = server.address;
            server.process = launch(server.address, &server.arguments, &server.folder);
        }
        panic!("redis-server does not start; its log:\n{}", server.process.log());
    }

    /// Waits until it answers, or has ended.
    async fn comes_up(&mut self) -> bool {
        let mut pulse = tokio::time::interval(Duration::from_millis(5));
        let up = async {
            while !self.process.has_ended() {
                if TcpStream::connect(self.address).await.is_ok() && self.answers().await {
                    return true;
                }
                pulse.tick().await;
            }
            false
        };
        match tokio::time::timeout(BOUND, up).await {
            Ok(up) => up,
            Err(_) => panic!("redis-server does not answer; its log:\n{}", self.process.log()),
        }
    }

    /// Whether it is this server that answers on the port, and it has read its data.
    async fn answers(&self) -> bool {
        let told = self.door.try_run(&["INFO"]).await.unwrap_or_default();
        let mut lines = told.lines().map(str::trim_end);
        let ours = format!("process_id:{}", self.process.id());
        told.lines().any(|line| line.trim_end() == ours) && !lines.any(|line| line == "loading:1")
    }
}

/// The last of `arguments` is the name of the port.
fn launch(address: SocketAddr, arguments: &[String], folder: &Folder) -> Process {
    let port = address.port().to_string();
    let place = [port, "--bind".to_owned(), address.ip().to_string()];
    Process::start(&[arguments, &place].concat(), folder.path())
}

/// How far replication has come, from an answer to `INFO`.
fn offset(info: &str, name: &str) -> u64 {
    let value = info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {info}"));
    value.trim().parse().expect("a number")
}
