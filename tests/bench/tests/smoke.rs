//! The bench itself works: the bare server against itself, a few seconds, every scenario in the table.

use std::process::Command;

#[test]
fn the_bare_server_races_itself() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_bench")).args(["--null", "--quick"]).output().expect("the bench starts");
    let (table, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");
    for scenario in ["1 in flight", "16 in flight", "by event", "by topic", "plain HTTP", "idle memory", "1 MiB each"] {
        assert!(table.contains(scenario), "no {scenario} in\n{table}");
    }
}
