//! The reference of all settings, in Markdown: `docs/settings.md`, which a test holds against this.

use std::fmt::Write;

use super::Config;
use super::settings::{OWN, Setting};
use super::{limits, server};

const HEAD: &str = "<!-- Made by `make docs` from the tables in host/src/config: change them, not this. -->

# Settings

Every setting has one name: `ping-interval` in `lakou.toml`, `--ping-interval` as a flag of `lakou serve`,
`LAKOU_PING_INTERVAL` in the environment. Flags win over variables, variables over the file, and the file over the defaults.
`--config FILE`, or `LAKOU_CONFIG`, names another file; `LAKOU_LOG` filters the log (`info`). Sizes are bytes or have a unit
(`64KiB`, `1MiB`); times have one (`500ms`, `5s`, `2m`). Lists are arrays in the file, and separated by commas in flags and
variables. A key that nothing has, and a value that is not allowed, are errors with one line that says what was meant or is
allowed.
";

const SERVER: &str = "## Of the server

A row with a star may stand in `[controller.NAME]`, too, for that controller alone.
";

const LIMITS: &str = "## Limits of each controller

Each holds for every controller that has none of its own; the same name in `[controller.NAME]` is for that controller alone.
Each that is met is counted for the controller under this name, and in the log.
";

const ALONE: &str = "## Of one controller alone

In `[controller.NAME]` only; [operating.md](operating.md#what-a-controller-may-do) tells what the grants among them give.
`[controller.NAME.config]` beside it is what `config::get` gives to the controller.

| setting | what it does |
| --- | --- |
";

/// The whole page.
pub(crate) fn page() -> String {
    let mut page = format!(
        "{HEAD}\n{SERVER}\n{}\n{LIMITS}\n{}\n{ALONE}",
        table(server::SETTINGS, true),
        table(limits::SETTINGS, false)
    );
    for setting in OWN {
        let _ = writeln!(page, "| `{}` | {} |", setting.name, cell(setting.doc));
    }
    page
}

/// A table of settings; `stars` where it is not a matter of course that a controller may have its own.
fn table(settings: &[Setting], stars: bool) -> String {
    let defaults = Config::default();
    let mut table =
        "| setting | what it does | default | allowed | at it |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for setting in settings {
        let star = if stars && setting.own.is_some() { " *" } else { "" };
        let doc: String = setting.doc.concat();
        let cells = [&*doc, &(setting.default)(&defaults), &(setting.allowed)(), setting.at].map(cell).join(" | ");
        let _ = writeln!(table, "| `{}`{star} | {cells} |", setting.name);
    }
    table
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|")
}
