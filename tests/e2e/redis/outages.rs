//! Redis fails in every way while 10,000 numbered events are under way: what a sender was told to be on its way arrives, once
//! and in order.

use crate::harness::fleet::{known, member};
use crate::harness::host::TestHost;
use crate::harness::redis::RedisServer;
use crate::harness::redis::proxy::Proxy;
use crate::harness::wait::{eventually, within_bound};
use crate::harness::ws::WsClient;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

const EVENTS: u32 = 10_000;

/// So many at a time, and so often: about two seconds for all.
const BURST: u32 = 50;
const BEAT: Duration = Duration::from_millis(10);

/// Two hosts and a client of each, and how far they have come.
struct Course {
    a: TestHost,
    b: TestHost,
    sent: AtomicU32,
    over: AtomicBool,
}

impl Course {
    async fn new(to_a: &str, to_b: &str) -> Self {
        let (a, b) = (member(to_a).start().await, member(to_b).start().await);
        Course { a, b, sent: AtomicU32::new(0), over: AtomicBool::new(false) }
    }

    /// Runs through it while `trouble` happens, and for as long.
    async fn run(&self, trouble: impl Future<Output = ()>) {
        let ((mut sender, _), (mut receiver, id)) = (known(&self.a).await, known(&self.b).await);
        let trouble = async {
            trouble.await;
            self.over.store(true, Ordering::Release);
        };
        let ((), accepted) = tokio::join!(trouble, self.send(&mut sender, &id));
        self.a.is_connected().await;
        self.b.is_connected().await;
        sender.exchange("broadcast the end", "ok").await;
        let mut heard = Vec::with_capacity(accepted.len());
        within_bound(Duration::from_secs(20), "the end", async {
            loop {
                match receiver.hear_text().await.strip_prefix("told ").expect("an event") {
                    "the end" => break,
                    number => heard.push(number.parse::<u32>().expect("a number")),
                }
            }
        })
        .await;
        let differs = accepted.iter().zip(&heard).position(|(accepted, heard)| accepted != heard);
        assert_eq!(
            (accepted.len(), None),
            (heard.len(), differs),
            "accepted and heard differ at {:?} and {:?}; a: {:?}; b: {:?}",
            differs.map(|at| &accepted[at..(at + 3).min(accepted.len())]),
            differs.map(|at| &heard[at..(at + 3).min(heard.len())]),
            self.a.counted(),
            self.b.counted()
        );
        assert_eq!((self.a.counted().events_lost, self.b.counted().events_lost), (0, 0));
    }

    /// Sends to all and to one in turn; gives the numbers that were accepted.
    async fn send(&self, sender: &mut WsClient, id: &str) -> Vec<u32> {
        let mut accepted = Vec::new();
        let mut pulse = tokio::time::interval(BEAT);
        let mut next = 0;
        while next < EVENTS || !self.over.load(Ordering::Acquire) {
            pulse.tick().await;
            let numbers = next..next + BURST;
            next += BURST;
            let call = |number| match number % 2 {
                0 => format!("broadcast {number}"),
                _ => format!("unicast {id} {number}"),
            };
            sender.say_all(numbers.clone().map(call)).await;
            for number in numbers {
                match sender.hear_text().await.as_str() {
                    "ok" => accepted.push(number),
                    refused => assert!(refused.starts_with("unavailable: "), "{refused}"),
                }
            }
            self.sent.store(next, Ordering::Release);
        }
        accepted
    }

    /// Waits until so many are under way.
    async fn sent(&self, count: u32) {
        eventually("events are under way", || self.sent.load(Ordering::Acquire) >= count).await;
    }

    /// Waits until both hosts have noticed.
    async fn noticed(&self) {
        self.a.is_degraded().await;
        self.b.is_degraded().await;
    }
}

#[tokio::test]
async fn nothing_is_lost_when_redis_is_killed_and_has_kept_nothing() {
    let mut redis = RedisServer::start().await;
    let course = Course::new(&redis.url(), &redis.url()).await;
    course
        .run(async {
            for count in [1_000, 3_000, 6_000] {
                course.sent(count).await;
                redis.kill();
                course.noticed().await;
                redis.restart().await;
                back_soon(&course, Instant::now()).await;
            }
        })
        .await;
}

#[tokio::test]
async fn nothing_is_lost_when_redis_is_killed_and_has_kept_what_it_had() {
    let mut redis = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "everysec"]).await;
    let course = Course::new(&redis.url(), &redis.url()).await;
    course
        .run(async {
            for count in [1_000, 3_000, 6_000] {
                course.sent(count).await;
                // Back before anybody may have noticed.
                redis.restart().await;
                back_soon(&course, Instant::now()).await;
            }
        })
        .await;
}

#[tokio::test]
async fn nothing_is_lost_when_redis_sleeps() {
    let redis = RedisServer::start().await;
    let course = Course::new(&redis.url(), &redis.url()).await;
    course
        .run(async {
            course.sent(3_000).await;
            let began = Instant::now();
            redis.pause();
            course.noticed().await;
            // All leases have run out meanwhile, although all servers live.
            eventually("it has slept", || began.elapsed() >= Duration::from_secs(5)).await;
            redis.resume();
            back_soon(&course, Instant::now()).await;
        })
        .await;
    let dead = redis.cli(&["ZCARD", "lakou:servers"]).await;
    assert_eq!(dead, "2", "nobody was taken for dead");
    assert_eq!(course.a.counted().events_undelivered, 0);
}

/// Both hosts are back soon after Redis is.
async fn back_soon(course: &Course, since: Instant) {
    course.a.is_connected().await;
    course.b.is_connected().await;
    let took = since.elapsed();
    assert!(took < Duration::from_secs(3), "back after {took:?}");
}

#[tokio::test]
async fn nothing_is_lost_in_a_bad_network_before_the_sender() {
    in_bad_networks(&[0x51, 0x52], true, false).await;
}

#[tokio::test]
async fn nothing_is_lost_in_a_bad_network_before_the_receiver() {
    in_bad_networks(&[0x61, 0x62], false, true).await;
}

#[tokio::test]
async fn nothing_is_lost_in_bad_networks_before_both() {
    in_bad_networks(&[0x71, 0x72], true, true).await;
}

async fn in_bad_networks(seeds: &[u64], before_a: bool, before_b: bool) {
    for seed in seeds {
        let redis = RedisServer::start().await;
        let (to_a, to_b) = (Proxy::before(redis.address).await, Proxy::before(redis.address).await);
        let course = Course::new(&to_a.url(), &to_b.url()).await;
        course
            .run(async {
                course.sent(500).await;
                let troubles = [(before_a, &to_a, *seed), (before_b, &to_b, seed + 0x100)];
                let begun: Vec<_> = troubles
                    .into_iter()
                    .filter(|(wanted, ..)| *wanted)
                    .map(|(_, proxy, seed)| proxy.trouble(seed))
                    .collect();
                for trouble in begun {
                    trouble.ended().await;
                }
            })
            .await;
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_the_rest_arrives() {
    let mut redis = RedisServer::start().await;
    let host = || member(&redis.url()).config(|config| config.redis_backlog = 64 * 1024);
    let (a, b) = (host().start().await, host().start().await);
    let ((mut sender, _), (mut sibling, _), (mut receiver, _)) = (known(&a).await, known(&a).await, known(&b).await);
    redis.kill();
    a.is_degraded().await;
    assert!(a.bus_health().degraded_since.is_some());
    let mut accepted = 0;
    for number in 0..1_000 {
        sender.say(&format!("broadcast {number}")).await;
        match sender.hear_text().await.as_str() {
            "ok" => {
                assert_eq!(accepted, number, "what comes after a refusal is refused");
                accepted += 1;
            }
            refused => assert!(refused.starts_with("unavailable: the other servers are out of reach"), "{refused}"),
        }
        // Whatever becomes of it elsewhere.
        sibling.expect(&format!("told {number}")).await;
    }
    assert!((200..500).contains(&accepted), "{accepted}");
    let health = a.bus_health();
    assert_eq!(health.backlog_events, accepted);
    assert!((64 * 1024..65 * 1024).contains(&health.backlog_bytes), "{health:?}");
    assert_eq!(a.counted().events_refused, 1_000 - accepted as u64);
    assert!(sender_is_told(&mut sender).await, "a publication can not be kept");

    redis.restart().await;
    a.is_connected().await;
    assert_eq!(a.bus_health().degraded_since, None);
    sender.exchange("broadcast end", "ok").await;
    for number in 0..accepted {
        receiver.expect(&format!("told {number}")).await;
    }
    receiver.expect("told end").await;
}

async fn sender_is_told(sender: &mut WsClient) -> bool {
    sender.say("publish news x").await;
    sender.hear_text().await.starts_with("unavailable: ")
}
