//! What Redis holds, seen from outside: small, all of it lapses, and values that no script wrote are errors.

use std::time::Duration;

use futures_util::future::join_all;

use super::stores::{BOUNDS, LONG, RedisServer, connection, event, identity, terms};
use crate::link::{Address, Link};
use crate::store::keyvalue::{Bucket, Key, KeyValue, Lifetime};
use crate::store::{Redis, Store, StoreError, Waiting};

const KEY: &str = "app:identity:{ann}";
const MAILBOX: &str = "app:identity:{ann}:mailbox";
const ASIDE: &str = "app:identity:{ann}:aside";

async fn store(server: &RedisServer) -> Redis {
    Redis::new(Link::new(Address::parse(&server.url()).expect("a URL")), "app", BOUNDS)
}

#[tokio::test]
async fn an_idle_identity_is_one_small_hash() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let (ann, holder) = (identity("ann"), connection());
    store.register(&ann, holder, terms(LONG, 1)).await.expect("an answer");
    let notified = store.notify(&ann, &event("x")).await.expect("an answer").expect("a known identity");
    store.handled(&ann, holder, notified.id).await.expect("an answer");
    assert_eq!(server.cli(&["KEYS", "app:identity:*"]), KEY);
    assert_eq!(server.cli(&["OBJECT", "ENCODING", KEY]), "listpack");
    assert_eq!(server.cli(&["HGET", KEY, "handled"]), notified.id.to_string());
}

#[tokio::test]
async fn all_keys_lapse_at_one_moment() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let (ann, holder) = (identity("ann"), connection());
    store.register(&ann, holder, terms(LONG, 1)).await.expect("an answer");
    let mut last = None;
    for _ in 0..3 {
        let notified = store.notify(&ann, &event("x")).await.expect("an answer").expect("a known identity");
        for _ in 0..BOUNDS.attempts {
            store.failed(&ann, notified.id).await.expect("an answer");
        }
        last = store.notify(&ann, &event("y")).await.expect("an answer");
        let moments = [KEY, MAILBOX, ASIDE].map(|key| server.cli(&["PEXPIRETIME", key]));
        assert!(moments[0].len() == 13 && moments.iter().all(|moment| *moment == moments[0]), "{moments:?}");
    }
    store.notify(&ann, &event("z")).await.expect("an answer");
    store.handled(&ann, holder, last.expect("a notification").id).await.expect("an answer");
    let moments = [KEY, MAILBOX, ASIDE].map(|key| server.cli(&["PEXPIRETIME", key]));
    assert!(moments.iter().all(|moment| *moment == moments[0]), "{moments:?}");
    for key in ["app:mailboxes:{mine}", "app:mailboxes:{mine}:lapsing", "app:mailboxes:{mine}:sum"] {
        assert_eq!(server.cli(&["PEXPIRETIME", key]).len(), 13, "the account lapses as well");
    }
    assert_eq!(server.cli(&["LLEN", ASIDE]), "3");
    assert_eq!(server.cli(&["HGET", KEY, "bytes"]), event("z").cost().to_string());
}

#[tokio::test]
async fn foreign_values_are_errors() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let (ann, holder) = (identity("ann"), connection());
    let terms = terms(LONG, 1);
    let holder_field = format!("holder:{holder}");
    let foreign: &[&[&str]] = &[
        &["SET", KEY, "x"],
        &["HSET", KEY, "x", "y"],
        &["HSET", KEY, "lifetime", "0"],
        &["HSET", KEY, "lifetime", "600000", "last", "x"],
        &["HSET", KEY, "lifetime", "600000", "last", "-1"],
        &["HSET", KEY, "lifetime", "600000", "last", "9007199254740993999"],
        &["HSET", KEY, "lifetime", "600000", "last", "9007199254740992"],
        &["HSET", KEY, "lifetime", "600000", "handled", "9007199254740992"],
        &["HSET", KEY, "lifetime", "600000", &holder_field, "1"],
        &["HSET", KEY, "lifetime", "600000", &holder_field, "1 9007199254740992"],
    ];
    for command in foreign {
        server.cli(&["FLUSHALL"]);
        server.cli(command);
        let dump = server.cli(&["DUMP", KEY]);
        let wrong = [
            store.register(&ann, holder, terms.clone()).await.map(|_| ()),
            store.unregister(&ann, holder).await,
            store.notify(&ann, &event("x")).await.map(|_| ()),
            store.waiting(&ann, holder, 1).await.map(|_| ()),
            store.handled(&ann, holder, "1".parse().expect("an id")).await.map(|_| ()),
            store.failed(&ann, "1".parse().expect("an id")).await.map(|_| ()),
        ];
        for wrong in wrong {
            let error = wrong.expect_err("an error").to_string();
            assert!(!error.contains('\n'), "{error}");
        }
        assert_eq!(server.cli(&["DUMP", KEY]), dump, "nothing was written over {command:?}");
    }
    server.cli(&["FLUSHALL"]);
    store.register(&ann, holder, terms.clone()).await.expect("an answer");
    server.cli(&["HSET", KEY, "holder:x", "0 0"]);
    assert!(matches!(store.notify(&ann, &event("x")).await, Err(StoreError::Corrupt(_))));
    server.cli(&["HDEL", KEY, "holder:x"]);
    server.cli(&["ZADD", MAILBOX, "9007199254740991", "9007199254740991 1 x[]"]);
    assert!(matches!(store.waiting(&ann, holder, 9).await, Err(StoreError::Corrupt(_))), "it would come for ever");
    server.cli(&["DEL", MAILBOX]);
    server.cli(&["ZADD", MAILBOX, "5", "mine"]);
    assert!(matches!(store.waiting(&ann, holder, 9).await, Err(StoreError::Corrupt(_))));
    server.cli(&["DEL", MAILBOX]);
    server.cli(&["SET", MAILBOX, "x"]);
    assert!(matches!(store.notify(&ann, &event("x")).await, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_full_redis_takes_nothing_and_gives_away() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let (ann, holder) = (identity("ann"), connection());
    store.register(&ann, holder, terms(LONG, 1)).await.expect("an answer");
    let notified = store.notify(&ann, &event("x")).await.expect("an answer").expect("a known identity");
    store.registered(&ann).await.expect("an answer");
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(matches!(store.notify(&ann, &event("y")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.waiting(&ann, holder, 9).await, Ok(Waiting::Entries(entries)) if entries.len() == 1));
    assert_eq!(store.handled(&ann, holder, notified.id).await, Ok(true));
    assert_eq!(store.unregister(&ann, holder).await, Ok(()));
    assert_eq!(server.cli(&["KEYS", "app:identity:*"]), KEY);
}

#[tokio::test]
async fn all_keys_of_an_identity_are_in_one_slot() {
    let server = RedisServer::start_cluster();
    let store = store(&server).await;
    let holder = connection();
    let terms = terms(LONG, 1);
    for name in ["ann", "}", "{", "{}", "}{", "{a}b", "a{", "%7D", "caf\u{e9}", " "] {
        let name = identity(name);
        store.register(&name, holder, terms.clone()).await.expect("an answer");
        let one = store.notify(&name, &event("x")).await.expect("an answer").expect("a known identity").id;
        for _ in 0..BOUNDS.attempts {
            store.failed(&name, one).await.expect("an answer");
        }
        let two = store.notify(&name, &event("y")).await.expect("an answer").expect("a known identity").id;
        assert!(matches!(store.waiting(&name, holder, 9).await, Ok(Waiting::Entries(entries)) if entries[0].id == two));
        assert_eq!(store.handled(&name, holder, two).await, Ok(true));
        assert_eq!(store.unregister(&name, holder).await, Ok(()));
        assert_eq!(store.registered(&name).await, Ok(true));
    }
}

#[tokio::test]
async fn a_redis_that_is_gone_is_an_error() {
    let server = RedisServer::start();
    let store = store(&server).await;
    drop(server);
    let answer = tokio::time::timeout(Duration::from_secs(10), store.registered(&identity("ann"))).await;
    let error = answer.expect("in time").expect_err("nobody answers");
    assert!(matches!(error, StoreError::Unavailable(_)) && !error.to_string().contains('\n'), "{error}");
}

/// What an idle identity costs Redis: `cargo test --release -p lakou-host --lib -- --ignored --nocapture bytes_of_idle`.
#[tokio::test]
#[ignore = "a measurement"]
async fn bytes_of_idle_identities() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let used = || {
        let memory = server.cli(&["INFO", "memory"]);
        let used = memory.lines().find_map(|line| line.strip_prefix("used_memory:")).map(str::trim);
        used.and_then(|used| used.parse::<f64>().ok()).expect("a number")
    };
    let terms = terms(LONG * 100, 1);
    const COUNT: u32 = 100_000;
    let empty = used();
    for (what, connected, told) in [("absent", false, 0), ("connected", true, 0), ("one waits", false, 1)] {
        server.cli(&["FLUSHALL"]);
        for number in 0..COUNT {
            let (user, holder) = (identity(&format!("user-{number}")), connection());
            store.register(&user, holder, terms.clone()).await.expect("an answer");
            let first = store.notify(&user, &event("x")).await.expect("an answer").expect("a known identity");
            store.handled(&user, holder, first.id).await.expect("an answer");
            if !connected {
                store.unregister(&user, holder).await.expect("an answer");
            }
            for _ in 0..told {
                store
                    .notify(&user, &event(r#"["a message of some forty bytes, as is usual"]"#))
                    .await
                    .expect("an answer");
            }
        }
        println!("{what}: {:.0} bytes an identity", (used() - empty) / f64::from(COUNT));
    }
}

#[tokio::test]
async fn what_has_lapsed_is_listed_around_and_let_go_of() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let bucket = Bucket { name: "b".into(), limit: 1 << 30 };
    let key = |name: String| Key::new(name).expect("a key");
    let short = Lifetime::new(Some(3000));
    for some in (0..9000).collect::<Vec<u32>>().chunks(500) {
        let sets = some.iter().map(|number| {
            let (store, bucket, key) = (&store, &bucket, key(format!("k{number}")));
            async move { store.set(bucket, &key, Vec::new(), short).await }
        });
        for set in join_all(sets).await {
            set.expect("an answer");
        }
    }
    store.set(&bucket, &key("last".into()), Vec::new(), Lifetime::new(None)).await.expect("an answer");
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    while store.exists(&bucket, &key("k8999".into())).await.expect("an answer") {
        pace.tick().await;
    }
    assert!(
        server.cli(&["ZCARD", "app:kv:{b}:order"]).parse::<u32>().expect("a number") > 7000,
        "they are still there"
    );
    let (mut keys, mut after, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let listing = store.list(&bucket, "", after.as_deref(), 100).await.expect("an answer");
        keys.extend(listing.keys);
        pages += 1;
        after = listing.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((keys, pages), (vec!["last".to_owned()], 2), "no call looks at all of them");
    while !store.list(&bucket, "x", None, 100).await.expect("an answer").keys.is_empty()
        || server.cli(&["ZCARD", "app:kv:{b}:order"]) != "1"
    {
        pages += 1;
        assert!(pages < 10, "each call lets go of some");
    }
    assert_eq!(server.cli(&["GET", "app:kv:{b}:size"]), (64 + 4).to_string());
}

#[tokio::test]
async fn nothing_is_written_beside_a_foreign_key() {
    let foreign = [":order", ":lapsing", ":size"].map(|part| format!("app:kv:{{b}}{part}"));
    let bucket = Bucket { name: "b".into(), limit: 1 << 20 };
    let key = Key::new("a".into()).expect("a key");
    for (index, taken) in foreign.iter().enumerate() {
        let server = RedisServer::start();
        let store = store(&server).await;
        server.cli(&[if index < 2 { "SET" } else { "RPUSH" }, taken, "x"]);
        let ever = Lifetime::new(None);
        let refused = [
            store.set(&bucket, &key, b"1".to_vec(), ever).await,
            store.increment(&bucket, &key, 1, ever).await.map(drop),
            store.swap(&bucket, &key, None, Some(b"1".to_vec()), ever).await.map(drop),
            store.delete(&bucket, &key).await.map(drop),
            store.list(&bucket, "", None, 9).await.map(drop),
        ];
        assert!(refused.iter().all(|answer| matches!(answer, Err(StoreError::Corrupt(_)))), "{taken}: {refused:?}");
        assert_eq!(server.cli(&["KEYS", "*"]), *taken, "what is there stays alone");
    }
}

#[tokio::test]
async fn sums_that_can_not_be_are_counted_anew() {
    let server = RedisServer::start();
    let store = store(&server).await;
    let bucket = Bucket { name: "shop".into(), limit: 1000 };
    let key = |text: &str| Key::new(text.into()).expect("a key");
    store.set(&bucket, &key("a"), vec![b'x'; 300], Lifetime::EVER).await.expect("room");
    for sum in ["1e300", "nan", "inf", "-5", "no number", "99999999999"] {
        server.cli(&["SET", "app:kv:{shop}:size", sum]);
        store.set(&bucket, &key("b"), vec![b'x'; 100], Lifetime::EVER).await.expect(sum);
        let full = store.set(&bucket, &key("c"), vec![b'x'; 600], Lifetime::EVER).await;
        assert_eq!(full, Err(StoreError::Full(1000)), "{sum}");
        assert_eq!(server.cli(&["GET", "app:kv:{shop}:size"]), (300 + 100 + 2 * (64 + 1)).to_string(), "{sum}");
    }
    for sum in ["1e300", "nan", "inf", "-5"] {
        server.cli(&["HSET", "app:mailboxes:{mine}:sum", "bytes", sum]);
        let name = identity(&format!("user {sum}"));
        store.register(&name, connection(), terms(LONG, 1)).await.expect(sum);
    }
    assert_eq!(server.cli(&["HGET", "app:mailboxes:{mine}:sum", "bytes"]), (4 * 256).to_string());
    server.cli(&["HSET", "app:kv:{shop}", "large", &"x".repeat(100_000)]);
    for _ in 0..2 {
        server.cli(&[
            "EVAL",
            "return redis.call('HSET', KEYS[1], 'large', string.rep('x', 300000))",
            "1",
            "app:kv:{shop}",
        ]);
    }
    assert!(matches!(store.get(&bucket, &key("large")).await, Err(StoreError::Corrupt(_))));
}
