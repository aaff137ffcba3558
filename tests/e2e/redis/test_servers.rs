//! The Redis servers of the tests, and the networks before them, fail as they are told to, and come back. What a host
//! does then is for others to show.

use crate::harness::redis::RedisServer;
use crate::harness::redis::cli::Talk;
use crate::harness::redis::cluster::Cluster;
use crate::harness::redis::proxy::Proxy;
use crate::harness::redis::sentinels::Sentinels;
use crate::harness::wait::{held_up, within};
use std::pin::pin;

/// A server, a proxy before it, and an open connection through that.
async fn behind_a_proxy() -> (RedisServer, Proxy, Talk) {
    let server = RedisServer::start().await;
    let proxy = Proxy::before(server.address).await;
    let mut talk = Talk::dial(proxy.address).await.expect("the proxy accepts");
    assert_eq!(talk.ask("PING").await.expect("nothing is wrong yet"), "+PONG");
    (server, proxy, talk)
}

/// The connection has ended, by a close or a reset.
async fn has_ended(talk: &mut Talk) -> bool {
    within("the end of the connection", talk.hear()).await.is_err()
}

#[tokio::test]
async fn a_server_does_what_it_is_told() {
    let server = RedisServer::start().await;
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}", server.address.port()));
    assert_eq!(server.url_of_database(3), format!("{}/3", server.url()));
    assert_eq!(server.cli(&["SET", "greeting", "hi"]).await, "OK");
    assert_eq!(server.cli(&["GET", "greeting"]).await, "hi");
    assert_eq!(server.cli(&["-u", &server.url_of_database(3), "GET", "greeting"]).await, "");
}

#[tokio::test]
async fn servers_do_not_share_anything() {
    let (one, other) = tokio::join!(RedisServer::start(), RedisServer::start());
    one.cli(&["SET", "greeting", "hi"]).await;
    assert_eq!(other.cli(&["GET", "greeting"]).await, "");
}

#[tokio::test]
async fn a_password_is_asked_for() {
    let server = RedisServer::with(&["--requirepass", "secret"]).await;
    assert_eq!(server.cli(&["PING"]).await, "PONG");
    assert!(server.url().starts_with("redis://:secret@"));
    let mut stranger = Talk::dial(server.address).await.expect("it runs");
    assert!(stranger.ask("PING").await.expect("an answer").starts_with("-NOAUTH"));
}

#[tokio::test]
async fn a_killed_server_comes_back_without_what_it_did_not_keep() {
    let mut server = RedisServer::start().await;
    server.cli(&["SET", "greeting", "hi"]).await;
    server.kill();
    assert!(server.try_cli(&["PING"]).await.is_err());
    assert!(!server.is_running());
    server.restart().await;
    assert_eq!(server.cli(&["GET", "greeting"]).await, "");
}

#[tokio::test]
async fn a_killed_server_comes_back_with_what_it_kept() {
    let mut server = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    server.cli(&["SET", "greeting", "hi"]).await;
    server.kill();
    server.restart().await;
    assert_eq!(server.cli(&["GET", "greeting"]).await, "hi");
}

#[tokio::test]
async fn a_paused_server_lets_commands_wait() {
    let server = RedisServer::start().await;
    server.pause();
    {
        let mut answer = pin!(server.cli(&["PING"]));
        assert!(held_up(&mut answer).await);
        server.resume();
        assert_eq!(answer.await, "PONG");
    }
    // A paused one is killed like another at the end.
    server.pause();
}

#[tokio::test]
async fn a_server_speaks_tls() {
    let mut server = RedisServer::tls().await;
    assert!(server.url().starts_with("rediss://"));
    assert!(server.authority().is_file());
    assert_eq!(server.cli(&["PING"]).await, "PONG");
    let mut plain = Talk::dial(server.address).await.expect("it runs");
    assert!(plain.ask("PING").await.is_err());
    server.restart().await;
    assert_eq!(server.cli(&["PING"]).await, "PONG");
}

#[tokio::test]
async fn a_cut_drops_connections_and_lets_new_ones_in() {
    let (_server, proxy, mut talk) = behind_a_proxy().await;
    proxy.cut();
    assert!(has_ended(&mut talk).await);
    assert_eq!(proxy.cli().run(&["-u", &proxy.url(), "PING"]).await, "PONG");
}

#[tokio::test]
async fn a_proxy_refuses_until_it_is_told_to_accept() {
    let (_server, proxy, mut talk) = behind_a_proxy().await;
    proxy.refuse().await;
    assert!(has_ended(&mut talk).await);
    assert!(Talk::dial(proxy.address).await.is_err());
    proxy.accept();
    assert_eq!(proxy.cli().run(&["PING"]).await, "PONG");
}

#[tokio::test]
async fn a_stalled_proxy_moves_no_byte() {
    let (server, proxy, mut talk) = behind_a_proxy().await;
    proxy.stall();
    talk.say("INCR visits").await.expect("connections stay open");
    {
        let mut answer = pin!(talk.hear());
        assert!(held_up(&mut answer).await);
        assert_eq!(server.cli(&["GET", "visits"]).await, "");
        proxy.flow();
        assert_eq!(within("the answer", answer).await.expect("still open"), ":1");
    }
    // What is stalled can be cut, too.
    proxy.stall();
    talk.say("INCR visits").await.expect("connections stay open");
    proxy.cut();
    assert!(has_ended(&mut talk).await);
    assert_eq!(server.cli(&["GET", "visits"]).await, "1");
}

#[tokio::test]
async fn a_half_closed_connection_still_brings_commands() {
    let (server, proxy, mut talk) = behind_a_proxy().await;
    proxy.half_close();
    assert!(has_ended(&mut talk).await);
    talk.say("RPUSH words hello").await.expect("this way is open");
    assert_eq!(server.cli(&["BLPOP", "words", "5"]).await, "words\nhello");
    let mut other = Talk::dial(proxy.address).await.expect("the proxy accepts");
    assert_eq!(other.ask("PING").await.expect("a new connection is whole"), "+PONG");
}

#[tokio::test]
async fn a_proxy_outlives_its_server() {
    let (mut server, proxy, mut talk) = behind_a_proxy().await;
    server.kill();
    assert!(has_ended(&mut talk).await);
    let mut early = Talk::dial(proxy.address).await.expect("the proxy accepts");
    assert!(within("the end of the connection", early.ask("PING")).await.is_err());
    server.restart().await;
    assert_eq!(proxy.cli().run(&["PING"]).await, "PONG");
}

#[tokio::test]
async fn trouble_ends_and_leaves_a_whole_network() {
    let (server, proxy, _talk) = behind_a_proxy().await;
    for seed in 0..3 {
        let trouble = proxy.trouble(seed);
        // Five connections are lost, each after a while or at once.
        for _ in 0..5 {
            if let Ok(mut talk) = Talk::dial(proxy.address).await {
                while within("an answer or an end", talk.ask("INCR visits")).await.is_ok() {}
            }
        }
        assert!(trouble.stop().await > 0);
        assert_eq!(proxy.cli().run(&["PING"]).await, "PONG");
    }
    assert_ne!(server.cli(&["GET", "visits"]).await, "", "something has come through");
}

#[tokio::test]
async fn trouble_ends_by_itself() {
    let (_server, proxy, _talk) = behind_a_proxy().await;
    assert!(proxy.trouble(3).ended().await > 0);
    assert_eq!(proxy.cli().run(&["PING"]).await, "PONG");
}

#[tokio::test]
async fn sentinels_name_another_master() {
    let mut sentinels = Sentinels::start().await;
    assert!(sentinels.url().starts_with("redis+sentinel://127.0.0.1:"));
    assert!(sentinels.url().ends_with("/mymaster"));
    let first = sentinels.master();
    sentinels.cli(&["SET", "greeting", "hi"]).await;
    sentinels.replicated().await;
    sentinels.kill_master();
    let second = sentinels.failed_over().await;
    assert_ne!(second, first);
    assert_eq!(sentinels.cli(&["GET", "greeting"]).await, "hi");
    sentinels.restore().await;
    sentinels.kill_master();
    assert_eq!(sentinels.failed_over().await, first);
    assert_eq!(sentinels.cli(&["GET", "greeting"]).await, "hi");
}

#[tokio::test]
async fn a_cluster_survives_a_master() {
    let mut cluster = Cluster::start().await;
    assert!(cluster.url().starts_with("redis+cluster://127.0.0.1:"));
    for key in ["a", "b", "c", "d"] {
        assert_eq!(cluster.cli(&["SET", key, key]).await, "OK");
    }
    let lost = cluster.kill_master_of("a").await;
    cluster.healthy().await;
    for key in ["a", "b", "c", "d"] {
        assert_eq!(cluster.cli(&["SET", key, "again"]).await, "OK");
    }
    assert_ne!(cluster.kill_master_of("a").await, lost, "the replica has taken its place");
}
