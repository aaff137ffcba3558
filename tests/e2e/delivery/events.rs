//! Who gets a multicast, broadcast or unicast, and in which order. Each scenario runs on every bus, and with every
//! connection in an instance of its own, with few in one, and with all in one: who shares an instance must not matter.

use crate::harness::buses::Bus;
use crate::harness::guests;
use crate::harness::host::{Furnished, TestHost};
use crate::harness::ws::WsClient;

const SHARING: [usize; 3] = [1, 3, 256];

/// Hosts with two controllers, `probe` and `spare`, that do the same: one for each bus and each of these numbers of
/// connections in an instance.
async fn hosts(sharing: &[usize]) -> Vec<Furnished> {
    let host = |bus: &Bus, sharing| {
        let host = TestHost::serving(&["probe"])
            .file("spare.wasm", guests::renamed("probe", "spare"))
            .config(|config| config.guest.connections_per_instance = sharing);
        bus.furnish(host)
    };
    let buses = Bus::all().await;
    buses.iter().flat_map(|bus| sharing.iter().map(|sharing| host(bus, *sharing))).collect()
}

/// Four connections of the probe and one of the spare. Give each a name where you take them: what is bound to `_` leaves.
async fn five(host: &TestHost) -> ([WsClient; 4], WsClient) {
    let mut probes = Vec::new();
    for _ in 0..4 {
        probes.push(host.connect("/probe/x").await);
    }
    let Ok(probes) = probes.try_into() else { unreachable!("four were pushed") };
    (probes, host.connect("/spare/x").await)
}

async fn id(client: &mut WsClient) -> String {
    client.say("id").await;
    client.hear_text().await
}

/// Nothing is waiting for `client`: what it asks for now is what it hears first.
async fn hears_nothing(client: &mut WsClient) {
    client.exchange("echo silence", "silence").await;
}

#[tokio::test]
async fn a_broadcast_reaches_the_siblings() {
    for host in hosts(&SHARING).await {
        let host = host.start().await;
        let ([mut sender, mut b, mut c, mut d], mut other) = five(&host).await;
        sender.exchange("broadcast hello", "ok").await;
        for sibling in [&mut b, &mut c, &mut d] {
            sibling.expect("told hello").await;
        }
        hears_nothing(&mut sender).await;
        hears_nothing(&mut other).await;
    }
}

#[tokio::test]
async fn a_multicast_reaches_everybody_else() {
    for host in hosts(&SHARING).await {
        let host = host.start().await;
        let ([mut sender, mut b, mut c, mut d], mut other) = five(&host).await;
        sender.exchange("multicast hello", "ok").await;
        for receiver in [&mut b, &mut c, &mut d, &mut other] {
            receiver.expect("told hello").await;
        }
        hears_nothing(&mut sender).await;
    }
}

#[tokio::test]
async fn from_outside_of_a_connection_nobody_is_left_out() {
    for host in hosts(&SHARING).await {
        let host = host.start().await;
        let ([mut a, mut b, _c, _d], mut other) = five(&host).await;
        assert_eq!(host.ask("POST", "/probe/multicast").body("all").get().await.text(), "ok");
        for client in [&mut a, &mut b, &mut other] {
            client.expect("told all").await;
        }
        assert_eq!(host.ask("POST", "/probe/broadcast").body("probes").get().await.text(), "ok");
        for client in [&mut a, &mut b] {
            client.expect("told probes").await;
        }
        hears_nothing(&mut other).await;
    }
}

#[tokio::test]
async fn messaging_leaves_nobody_out_even_inside_of_a_connection() {
    for host in hosts(&[3]).await {
        let host = host.start().await;
        let ([mut a, mut b, _c, _d], mut other) = five(&host).await;
        a.say("broadcast-to spare hello").await;
        a.expect("ok").await;
        other.expect("told hello").await;
        hears_nothing(&mut b).await;
        a.exchange("broadcast-to nobody hello", "ok").await;
        a.say("broadcast-to probe mine").await;
        let mut heard = [a.hear_text().await, a.hear_text().await];
        heard.sort();
        assert_eq!(heard, ["ok", "told mine"]);
        b.expect("told mine").await;
        b.say("multicast-to-all everybody").await;
        for client in [&mut a, &mut other] {
            client.expect("told everybody").await;
        }
    }
}

#[tokio::test]
async fn a_unicast_reaches_one() {
    for host in hosts(&SHARING).await {
        let host = host.start().await;
        let ([mut sender, mut b, mut c, _d], mut other) = five(&host).await;
        let target = id(&mut b).await;
        sender.exchange(&format!("unicast {target} for you"), "ok").await;
        b.expect("told for you").await;
        hears_nothing(&mut c).await;
        let target = id(&mut other).await;
        sender.exchange(&format!("unicast {target} across"), "ok").await;
        other.expect("told across").await;
        let own = id(&mut sender).await;
        sender.exchange(&format!("unicast {own} to myself"), "ok").await;
        sender.expect("told to myself").await;
        let target = id(&mut c).await;
        sender.exchange(&format!("unicast-blindly {target} unsigned"), "ok").await;
        c.expect("told unsigned").await;
    }
}

#[tokio::test]
async fn a_unicast_to_who_has_left_comes_back() {
    for host in hosts(&SHARING).await {
        let host = host.start().await;
        let ([mut sender, mut b, _c, _d], _other) = five(&host).await;
        let target = id(&mut b).await;
        b.leave().await;
        sender.expect("told left 1000 ").await;
        host.counts("one has left", |counted| counted.connections == 4).await;
        sender.say(&format!("unicast {target} are you there")).await;
        sender.expect("ok").await;
        sender.expect(&format!(r#"undelivered {target} tell ["are you there"]"#)).await;
        host.counts("events undelivered", |counted| counted.events_undelivered == 1).await;
        sender.exchange(&format!("unicast-blindly {target} x"), "the connection has ended").await;
    }
}

#[tokio::test]
async fn what_is_no_id_is_a_fault() {
    for host in hosts(&[3]).await {
        let host = host.start().await;
        let mut sender = host.connect("/probe/x").await;
        let own = id(&mut sender).await;
        assert_eq!(own.len(), 36);
        assert_eq!(&own[14..15], "8", "a UUID of version 8: {own}");
        for target in
            ["", "x", "00000000-0000-0000-0000-000000000000", &own[1..], &own.to_uppercase(), &own.replace('-', "")]
        {
            sender.say(&format!("unicast {target} x")).await;
            let answer = sender.hear_text().await;
            assert!(answer.starts_with("invalid: "), "{target}: {answer}");
        }
    }
}

#[tokio::test]
async fn events_of_one_sender_stay_in_order() {
    for host in hosts(&SHARING).await {
        let host = host.start().await;
        let ([mut a, mut b, mut c, mut d], _other) = five(&host).await;
        // Two senders at once; in bursts that the queues hold, for losing events to a full queue is allowed.
        for round in 0..10 {
            a.say(&format!("count a{round} 400")).await;
            b.say(&format!("count b{round} 400")).await;
            for receiver in [&mut c, &mut d] {
                let mut next = [0, 0];
                for _ in 0..800 {
                    let heard = receiver.hear_text().await;
                    let (sender, number) = heard.split_once(' ').expect("a numbered event");
                    let slot = usize::from(sender == format!("b{round}"));
                    assert_eq!(number, next[slot].to_string(), "of {sender}");
                    next[slot] += 1;
                }
                assert_eq!(next, [400, 400]);
            }
            a.expect_after_others("ok").await;
            b.expect_after_others("ok").await;
        }
    }
}

#[tokio::test]
async fn who_is_connected_can_be_reached_at_once() {
    for host in hosts(&[1, 256]).await {
        let host = host.start().await;
        for round in 0..100 {
            let mut client = host.connect("/probe/x").await;
            // Another connection to the host, another thread of its: the word may overtake whatever is still to be done.
            let word = round.to_string();
            assert_eq!(host.ask("POST", "/probe/multicast").body(&word).get().await.text(), "ok");
            client.expect_after_others(&format!("told {word}")).await;
            client.leave().await;
        }
    }
}

#[tokio::test]
async fn an_event_that_is_over_its_limit_is_a_fault() {
    for host in hosts(&[3]).await {
        let host = host.config(|config| config.max_event = 4096).start().await;
        let ([mut sender, mut b, _c, _d], _other) = five(&host).await;
        sender.exchange("large 5000", "too large").await;
        sender.exchange("large 3000", "ok").await;
        assert_eq!(b.hear_text().await.len(), "told ".len() + 3000);
        sender.say("named  []").await;
        assert!(sender.hear_text().await.starts_with("invalid: "));
        sender.say(&format!("named {} []", "n".repeat(257))).await;
        assert!(sender.hear_text().await.starts_with("invalid: "));
        sender.exchange(&format!("named {} []", "n".repeat(256)), "ok").await;
        sender.exchange("named nobody_has_this []", "ok").await;
        hears_nothing(&mut b).await;
        assert_eq!(host.counted().misfits, 0, "a class without the method ignores the event");
    }
}

#[tokio::test]
async fn events_are_counted() {
    for host in hosts(&[256]).await {
        let host = host.start().await;
        let ([mut sender, mut b, mut c, mut d], _other) = five(&host).await;
        sender.exchange("broadcast hello", "ok").await;
        for receiver in [&mut b, &mut c, &mut d] {
            receiver.expect("told hello").await;
        }
        host.counts("one event, three receivers", |counted| {
            (counted.events_emitted, counted.events_delivered) == (1, 3)
        })
        .await;
        assert_eq!(host.counted().events_dropped, 0);
    }
}
