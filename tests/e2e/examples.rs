//! Every example does what its header says. One file an example; a folder of `examples/` without one fails here.

mod announce;
mod auction;
mod chat;
mod clock;
mod echo;
mod guess;
mod motd;
mod notifications;
mod plain_http;
mod relay;
mod reminder;
mod ticker;
mod visits;
mod weather;
mod whisper;

#[test]
fn every_example_has_a_scenario() {
    let declared = include_str!("examples.rs");
    for name in crate::harness::guests::examples() {
        let module = format!("mod {};", name.replace('-', "_"));
        assert!(declared.lines().any(|line| line == module), "no scenario for examples/{name}");
    }
}
