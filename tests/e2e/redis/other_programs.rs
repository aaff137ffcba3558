//! Other programs emit through Redis: the commands of docs/wire-format.md, word for word, by the real redis-cli; and what is wrong in
//! Redis, which is skipped, counted and told.

use crate::harness::fleet::{fleet, known, listened_to, member};
use crate::harness::host::TestHost;
use crate::harness::redis::RedisServer;

/// The arguments of the command on that page that contains `part`, with names that the probe knows.
fn command(part: &str) -> Vec<String> {
    let page = include_str!("../../../docs/wire-format.md");
    let line = page.lines().find(|line| line.starts_with("redis-cli ") && line.contains(part)).expect("a command");
    let line = line.split('#').next().expect("the command").trim();
    let words = shell_words(line.strip_prefix("redis-cli ").expect("it begins like this"));
    let other = |word: String| match word.as_str() {
        "lakou:controller:chat" => "lakou:controller:probe".to_owned(),
        "said" | "closing" | "mail" => "tell".to_owned(),
        r#"["lobby", "bob", "hi"]"# | "[5]" | r#"["hello"]"# => r#"["hello"]"#.to_owned(),
        _ => word,
    };
    words.into_iter().map(other).collect()
}

/// Words as a shell splits them, single quotes included.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

async fn run(redis: &RedisServer, part: &str) -> String {
    let words = command(part);
    redis.cli(&words.iter().map(String::as_str).collect::<Vec<_>>()).await
}

#[tokio::test]
async fn the_commands_of_the_readme_reach_all_servers() {
    let (redis, [a, b]) = fleet::<2>().await;
    let mut probes = [a.connect("/probe/x?topic=news").await, b.connect("/probe/x?topic=news").await];
    let mut spare = b.connect("/spare/x").await;
    assert!(run(&redis, "lakou:controller:chat").await.contains('-'), "an id");
    for client in &mut probes {
        client.expect("told hello").await;
    }
    run(&redis, "lakou:all").await;
    for client in probes.iter_mut().chain([&mut spare]) {
        client.expect("told hello").await;
    }
    listened_to(&redis, "news", 2).await;
    assert_eq!(run(&redis, "lakou:topic:news").await, "2");
    for client in &mut probes {
        client.expect("hello").await;
    }
}

#[tokio::test]
async fn a_program_may_speak_to_one_connection() {
    let (redis, [a, b]) = fleet::<2>().await;
    let ((mut one, id), (mut other, _)) = (known(&a).await, known(&b).await);
    let stream = crate::harness::fleet::stream_of(&id);
    redis.cli(&["XADD", &stream, "NOMKSTREAM", "*", "v", "1", "event", "tell", "args", "[\"you\"]", "to", &id]).await;
    one.expect("told you").await;
    other.exchange("echo silence", "silence").await;
    assert_eq!(redis.cli(&["XADD", "lakou:controller:nobody", "NOMKSTREAM", "*", "v", "1", "event", "x"]).await, "");
}

#[tokio::test]
async fn what_is_not_understood_is_skipped_and_counted() {
    let redis = RedisServer::start().await;
    let a = member(&redis.url()).config(|config| config.max_event = 4096).start().await;
    let mut client = a.connect("/probe/x?topic=news").await;
    client.exchange("echo in", "in").await;
    listened_to(&redis, "news", 1).await;
    let long = format!("[\"{}\"]", "x".repeat(5_000));
    let wrong: &[&[&str]] = &[
        &["event", "tell"],
        &["v", "one", "event", "tell"],
        &["v", "1"],
        &["v", "1", "event", "tell", "args", "no JSON"],
        &["v", "1", "event", "tell", "args", &long],
        &["v", "1", "event", "tell", "sender", "nobody", "seq", "1", "index", "1"],
        &["v", "1", "event", "tell", "from", "nobody"],
    ];
    for fields in wrong {
        redis.cli(&[&["XADD", "lakou:all", "*"], *fields].concat()).await;
    }
    redis.cli(&["XADD", "lakou:all", "*", "v", "2", "words", "of a later version"]).await;
    for payload in ["hello", "1 text", "1 image - x", "7 text - x"] {
        redis.cli(&["PUBLISH", "lakou:topic:news", payload]).await;
    }
    redis.cli(&["XADD", "lakou:all", "*", "v", "1", "event", "tell", "args", "[\"on\"]"]).await;
    client.expect("told on").await;
    a.counts("all are counted", |counted| counted.events_malformed + counted.events_newer == 12).await;
    redis.cli(&["PUBLISH", "lakou:topic:news", "1 text - on"]).await;
    client.expect("on").await;
    assert_eq!(a.counted().traps, 0);
}

#[tokio::test]
async fn a_key_of_another_type_holds_up_nothing_but_itself() {
    let (redis, [a, b]) = fleet::<2>().await;
    let ((mut sender, _), (mut receiver, id)) = (known(&a).await, known(&b).await);
    redis.cli(&["SET", "lakou:all", "something else"]).await;
    sender.exchange("multicast lost", "ok").await;
    a.counts("it is known to be lost", |counted| counted.events_lost == 1).await;
    sender.exchange(&format!("unicast {id} here"), "ok").await;
    receiver.expect("told here").await;
    sender.exchange("broadcast siblings", "ok").await;
    receiver.expect("told siblings").await;
    redis.cli(&["DEL", "lakou:all"]).await;
    // Somebody's next look finds the stream to be there again.
    crate::harness::wait::until(crate::harness::wait::BOUND, "multicasts arrive again", async || {
        sender.say("multicast again").await;
        sender.expect("ok").await;
        sender.say(&format!("unicast {id} mark")).await;
        sender.expect("ok").await;
        let mut again = false;
        loop {
            match receiver.hear_text().await.as_str() {
                "told again" => again = true,
                "told mark" => break again,
                other => panic!("{other}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn many_topics_leave_nothing_behind() {
    const CLIENTS: usize = 20;
    const TOPICS: usize = 100;
    let (redis, [a, b]) = fleet::<2>().await;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let host: &TestHost = if number % 2 == 0 { &a } else { &b };
        clients.push(host.connect("/probe/x").await);
    }
    for round in 0..5 {
        for (number, client) in clients.iter_mut().enumerate() {
            client.say_all((0..TOPICS).map(|topic| format!("subscribe t{round}-{number}-{topic}"))).await;
        }
        for client in &mut clients {
            for _ in 0..TOPICS {
                client.expect_after_others("ok").await;
            }
        }
        let count = async || redis.cli(&["PUBSUB", "CHANNELS", "*"]).await.lines().filter(|l| !l.is_empty()).count();
        let bound = crate::harness::wait::BOUND;
        crate::harness::wait::until(bound, "all are listened to", async || count().await == CLIENTS * TOPICS).await;
        if round % 2 == 0 {
            for (number, client) in clients.iter_mut().enumerate() {
                client.say_all((0..TOPICS).map(|topic| format!("unsubscribe t{round}-{number}-{topic}"))).await;
                for _ in 0..TOPICS {
                    client.expect_after_others("ok").await;
                }
            }
        } else {
            // Others leave without a word.
            clients.clear();
            for number in 0..CLIENTS {
                let host: &TestHost = if number % 2 == 0 { &a } else { &b };
                clients.push(host.connect("/probe/x").await);
            }
        }
        crate::harness::wait::until(bound, "none is listened to", async || count().await == 0).await;
    }
}
