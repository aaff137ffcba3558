//! A Redis that can not be worked with: the server does not start, and one line says why, without the password.

use crate::harness::binary::Call;
use crate::harness::redis::RedisServer;
use std::io::{Read, Write};
use std::net::TcpListener;

/// What `serve` says with this URL; it must be one line, must name all `words`, and must not name the password.
async fn says(url: &str, words: &[&str]) {
    let lines = Call::serve().guests(&["echo"]).anywhere().args(&["--redis", url]).fails().await;
    let [line] = lines.as_slice() else { panic!("not one line: {lines:?}") };
    assert!(words.iter().all(|word| line.contains(word)), "{words:?}: {line}");
    assert!(!line.contains("secret"), "{line}");
}

#[tokio::test]
async fn what_is_no_address() {
    says("localhost:6379", &["--redis", "URL"]).await;
    says("http://:secret@localhost", &["--redis", "http", "redis://"]).await;
    says("redis+sentinel://:secret@localhost:26379", &["--redis", "master"]).await;
    says("redis+cluster://:secret@localhost/3", &["--redis", "database"]).await;
}

#[tokio::test]
async fn a_password_that_is_wrong_or_missing() {
    let redis = RedisServer::with(&["--requirepass", "open sesame"]).await;
    says(&format!("redis://:secret@{}", redis.address), &["redis: ", "password"]).await;
    says(&format!("redis://{}", redis.address), &["redis: ", "password"]).await;
    says(&format!("redis://{}/3", redis.address), &["redis: ", "password"]).await;
}

#[tokio::test]
async fn a_replica() {
    let master = RedisServer::start().await;
    let replica = RedisServer::start().await;
    replica.cli(&["REPLICAOF", "127.0.0.1", &master.address.port().to_string()]).await;
    says(&replica.url(), &["redis: ", "replica"]).await;
}

#[tokio::test]
async fn a_version_that_is_too_old() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    // As much of Redis 6.0 as is asked for before it is known to be too old.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || old_redis(stream));
        }
    });
    says(&format!("redis://{address}"), &["redis: ", "6.0.16", "7.0"]).await;
}

fn old_redis(mut stream: std::net::TcpStream) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        let text = String::from_utf8_lossy(&bytes[..count]).to_uppercase();
        let mut answer = String::new();
        for command in text.split('*').filter(|command| !command.is_empty()) {
            if command.contains("INFO\r\n") && !command.contains("SETINFO") {
                let info = "# Server\r\nredis_version:6.0.16\r\nrole:master\r\nloading:0\r\n";
                answer += &format!("${}\r\n{info}\r\n", info.len());
            } else {
                answer += "+OK\r\n";
            }
        }
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_master_that_no_sentinel_knows() {
    let sentinels = crate::harness::redis::sentinels::Sentinels::start().await;
    let url = sentinels.url().replace("/mymaster", "/another");
    says(&url, &["redis: ", "another"]).await;
}
