//! Guests that produce without end: events, messages, log lines. The real binary, so that its memory can be watched.

use crate::harness::binary::{Binary, Call, connect, raw};
use crate::harness::frames::{Frame, TEXT};
use crate::harness::host::TestHost;
use std::net::SocketAddr;
use std::time::Duration;

const FIVE_SECONDS: Duration = Duration::from_secs(5);

/// What the host may have grown to, in MiB: far above what it needs, far below what the floods would take.
const SMALL: u64 = 512;

async fn host(arguments: &[&str]) -> (Binary, SocketAddr) {
    Call::serve().guests(&["misbehave", "echo"]).anywhere().args(arguments).listening().await
}

#[tokio::test]
async fn a_flood_of_events_is_refused_or_delivered_but_not_hoarded() {
    let (binary, address) = host(&["--cpu-time", "5s"]).await;
    let mut bystander = connect(address, "/echo").await;
    let mut siblings = Vec::new();
    for _ in 0..20 {
        let mut sibling = connect(address, "/misbehave/good").await;
        sibling.exchange("in", "in").await;
        siblings.push(sibling);
    }
    let mut culprit = connect(address, "/misbehave/flood-events-in-message").await;
    culprit.say("now").await;
    bystander.exchange("meanwhile", "meanwhile").await;
    let outcome = culprit.hear_text().await;
    assert!(outcome.starts_with("refused "), "{outcome}");
    for sibling in &mut siblings {
        sibling.exchange("after the flood", "after the flood").await;
    }
    assert!(binary.peak_memory() < SMALL, "{} MiB", binary.peak_memory());
}

#[tokio::test]
async fn a_flood_of_messages_ends_at_the_outbox() {
    let (binary, address) = host(&["--outbox", "1MiB", "--cpu-time", "5s", "--close-timeout", "300ms"]).await;
    let mut bystander = connect(address, "/echo").await;
    let mut sibling = connect(address, "/misbehave/good").await;
    let mut flooded = raw(address, "/misbehave/flood-messages-in-message").await;
    flooded.send(Frame::new(TEXT, "now")).await;
    // It never reads meanwhile; then it finds what was sent before, and the end.
    sibling.exchange("the flood has ended", "the flood has ended").await;
    bystander.exchange("not touched", "not touched").await;
    binary.logs(&["slow"]).await;
    flooded.expect_end().await;
    assert!(binary.peak_memory() < SMALL, "{} MiB", binary.peak_memory());
}

#[tokio::test]
async fn events_that_breed_hold_up_their_own_class_only() {
    let (binary, address) = host(&[]).await;
    let mut bystander = connect(address, "/echo").await;
    let mut breeders = Vec::new();
    for _ in 0..5 {
        let mut breeder = connect(address, "/misbehave/good").await;
        breeder.exchange("in", "in").await;
        breeders.push(breeder);
    }
    breeders[0].say("ripple").await;
    for round in 0..500 {
        bystander.exchange(&round.to_string(), &round.to_string()).await;
    }
    drop(breeders);
    // The class can be used again when they have gone: its mailbox was full, and its instance has ended.
    connect(address, "/misbehave/good").await.exchange("calm", "calm").await;
    assert!(binary.peak_memory() < SMALL, "{} MiB", binary.peak_memory());
}

#[tokio::test]
async fn what_a_guest_prints_cannot_forge_a_log() {
    let (binary, address) = host(&[]).await;
    let mut forger = connect(address, "/misbehave/forge-in-message").await;
    forger.say("now").await;
    forger.expect("forged").await;
    binary.logs(&["backspaces"]).await;
    for line in binary.stderr() {
        assert!(!line.chars().any(|c| c.is_control() && c != '\t'), "{line:?}");
    }
}

#[tokio::test]
async fn lines_that_are_cut_are_counted() {
    let host = TestHost::serving(&["misbehave"]).config(|config| config.guest.cpu_time = FIVE_SECONDS).start().await;
    let mut culprit = host.connect("/misbehave/flood-log-in-message").await;
    culprit.say("now").await;
    culprit.expect("logged").await;
    assert!(host.counted().log_lines_dropped > 30_000, "{:?}", host.counted());
}

#[tokio::test]
async fn a_flood_of_log_lines_is_cut() {
    let (binary, address) = host(&["--cpu-time", "5s"]).await;
    let mut culprit = connect(address, "/misbehave/flood-log-in-message").await;
    culprit.say("now").await;
    culprit.expect("logged").await;
    connect(address, "/echo").await.exchange("hi", "hi").await;
    let lines = binary.stderr();
    assert!(lines.len() < 5_000, "{} lines of 40,000", lines.len());
    assert!(lines.iter().any(|line| line.contains("line 0 of many")), "the first ones are there");
    let longest = lines.iter().map(String::len).max().unwrap_or_default();
    assert!(longest < 64 * 1024, "a line of {longest} bytes");
    assert!(binary.peak_memory() < SMALL, "{} MiB", binary.peak_memory());
}
