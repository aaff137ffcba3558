//! Calls that do not come back by themselves, or come back as a trap.

use super::{SOON, Scene, named};
use crate::harness::components;

#[tokio::test]
async fn spins_forever() {
    let mut scene = Scene::new("spins-forever").await;
    scene.ends("spin", 1011).await;
    scene.stopped_by("cpu-time").await;
    assert_eq!(scene.host.counted().cpu_exceeded, 1);
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn spins_in_connect() {
    let mut scene = Scene::new("spins-in-connect").await;
    scene.refused("connect-spin", 500).await;
    scene.stopped_by("cpu-time").await;
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn spins_in_its_constructor() {
    let mut scene = Scene::new("spins-in-its-constructor").await;
    let mut client = scene.connect("open-spin").await;
    scene.bystander.meanwhile("open-spin", client.expect_close(1011)).await;
    scene.stopped_by("cpu-time").await;
}

#[tokio::test]
async fn spins_in_a_timer() {
    let mut scene = Scene::new("spins-in-a-timer").await;
    let mut client = scene.connect("timer-spin").await;
    scene.bystander.meanwhile("timer-spin", client.expect_close(1011)).await;
    scene.stopped_by("cpu-time").await;
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn spins_in_a_plain_request() {
    let mut scene = Scene::new("spins-in-a-plain-request").await;
    scene.answers("http-spin", 500).await;
    scene.stopped_by("cpu-time").await;
}

#[tokio::test]
async fn spins_in_many_connections_at_once() {
    let mut scene = Scene::with("spins-in-many-connections-at-once", |config| {
        config.guest.connections_per_instance = 1;
        config.guest.max_failures = 1_000;
    })
    .await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(scene.connect("spin").await);
    }
    let all_end = async {
        for client in &mut clients {
            client.say("go").await;
        }
        for client in &mut clients {
            client.expect_close(1011).await;
        }
    };
    scene.bystander.meanwhile("spin", all_end).await;
    scene.stopped_by("cpu-time").await;
    assert_eq!(scene.hits("cpu-time"), 8);
}

#[tokio::test]
async fn spins_in_its_start_function() {
    let mut scene = Scene::made("spins-in-its-start-function", &components::spins_in_its_start_function()).await;
    scene.answers("any", 500).await;
    scene.stopped_by("cpu-time").await;
}

#[tokio::test]
async fn lies_about_what_it_attends_to() {
    let mut scene = Scene::new("lies-about-what-it-attends-to").await;
    scene.ends("attend", 1011).await;
    scene.stopped_by("cpu-time").await;
}

#[tokio::test]
async fn sleeps() {
    let mut scene = Scene::with("sleeps", |config| config.guest.call_time = SOON).await;
    scene.ends("sleep", 1011).await;
    scene.stopped_by("call-time").await;
    assert_eq!(scene.host.counted().time_exceeded, 1);
}

#[tokio::test]
async fn sleeps_in_a_plain_request() {
    let mut scene = Scene::with("sleeps-in-a-plain-request", |config| config.guest.call_time = SOON).await;
    scene.answers("http-sleep", 500).await;
    scene.stopped_by("call-time").await;
}

#[tokio::test]
async fn blocks_forever_on_a_pollable() {
    let mut scene = Scene::with("blocks-forever-on-a-pollable", |config| config.guest.call_time = SOON).await;
    scene.ends("block", 1011).await;
    scene.stopped_by("call-time").await;
}

#[tokio::test]
async fn recurses_without_end() {
    let mut scene = Scene::new("recurses-without-end").await;
    scene.ends("recurse", 1011).await;
    // Rust keeps large frames in the memory, where its own stack ends first; a frame of the engine's has no such stack.
    assert_eq!(scene.host.counted().traps, 1);
    let mut scene = Scene::made("recurses-without-end-or-memory", &components::recurses_without_end()).await;
    scene.answers("any", 500).await;
    scene.stopped_by("stack").await;
}

#[tokio::test]
async fn recurses_through_a_stack_of_its_own_size() {
    let name = "recurses-through-a-stack-of-its-own-size";
    let mut scene = Scene::of(name, named(name, &components::recurses_without_end()), |config| {
        config.overrides.entry(name.to_owned()).or_default().stack = Some(8 << 20);
    })
    .await;
    scene.answers("any", 500).await;
    scene.logs("8388608 bytes of stack").await;
}

#[tokio::test]
async fn breeds_events_for_itself() {
    let mut scene = Scene::with("breeds-events-for-itself", |config| config.guest.event_rate = 500).await;
    let mut other = scene.connect("breed").await;
    other.exchange("in", "in").await;
    let said = scene.says("breed").await;
    assert!(said.contains("500"), "{said}");
    scene.stopped_by("event-rate").await;
}

#[tokio::test]
async fn panics_with_a_huge_message() {
    let mut scene = Scene::new("panics-with-a-huge-message").await;
    scene.ends("panic-hugely", 1011).await;
    scene.stopped_by("log-rate").await;
    assert_eq!(scene.host.counted().traps, 1);
}

#[tokio::test]
async fn ends_the_process() {
    let mut scene = Scene::new("ends-the-process").await;
    scene.ends("exit", 1011).await;
    scene.host.counts("a trap", |counted| counted.traps == 1).await;
    scene.leaves_nothing().await;
}

#[tokio::test]
async fn drops_a_resource_twice() {
    let mut scene = Scene::made("drops-a-resource-twice", &components::drops_a_resource_twice()).await;
    scene.answers("any", 500).await;
    assert_eq!(scene.host.counted().traps, 1);
    scene.logs("http failed").await;
}

#[tokio::test]
async fn forges_handles() {
    let mut scene = Scene::made("forges-handles", &components::forges_handles()).await;
    scene.answers("any", 500).await;
    assert_eq!(scene.host.counted().traps, 1);
    scene.logs("http failed").await;
}

#[tokio::test]
async fn reads_beyond_its_memory() {
    let mut scene = Scene::made("reads-beyond-its-memory", &components::reads_beyond_its_memory()).await;
    scene.answers("any", 500).await;
    assert_eq!(scene.host.counted().traps, 1);
    scene.logs("http failed").await;
}
