//! What the documents say of the code is held against it: the reference of the settings, counters, the walks of ARCHITECTURE.md, links.

use crate::harness::binary::Call;
use crate::harness::folder::checkout;

/// Every page, by its path in the checkout.
const PAGES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/operating.md",
    "docs/settings.md",
    "docs/limits.md",
    "docs/delivery.md",
    "docs/wire-format.md",
];

#[tokio::test]
async fn the_reference_of_the_settings_is_made_of_the_table() {
    let mut binary = Call::lakou("settings").start();
    assert!(binary.ended().await.success());
    // The last row of the page: all of it is there.
    binary.prints(&["| `files` |"]).await;
    let page = std::fs::read_to_string(checkout().join("docs/settings.md")).expect("the page is text");
    let made = binary.stdout();
    let other = made.iter().zip(page.lines()).find(|(made, page)| made != page);
    assert!(
        other.is_none() && made.len() == page.lines().count(),
        "docs/settings.md is not what the binary says; `make docs` renews it: {other:#?}"
    );
}

#[test]
fn every_limit_of_a_client_is_on_its_page() {
    let (code, page) = (read("host/src/clients/limit.rs"), read("docs/limits.md"));
    let (_, table) = code.split_once("limits! {").expect("the table of the limits");
    let rows = table.lines().take_while(|line| *line != "}").filter(|line| line.ends_with(',') && line.contains('"'));
    let mut found = 0;
    for row in rows {
        let (name, counter) = row.trim_end_matches(',').rsplit_once(' ').expect("a name and a counter");
        let name = name.split('"').nth(1).expect("a name in quotes");
        let wanted = format!("| `{name}` | `{counter}` |");
        assert!(page.contains(&wanted), "docs/limits.md has no row {wanted}");
        found += 1;
    }
    assert!(found > 10, "the table is written as it was: {found}");
}

#[test]
fn every_limit_of_a_controller_is_on_its_page() {
    let (code, page) = (read("host/src/limit.rs"), read("docs/limits.md"));
    let (_, table) = code.split_once("\nlimits! {").expect("the table of the limits");
    let names: Vec<_> =
        table.lines().take_while(|line| *line != "}").filter_map(|line| line.split('"').nth(1)).collect();
    assert!(names.len() > 10, "the table is written as it was: {names:?}");
    let (_, listed) = page.split_once("The names are:").expect("the list of the names");
    let (listed, _) = listed.split_once("\n\n").expect("its end");
    let missing: Vec<_> = names.iter().filter(|name| !listed.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/limits.md does not name {missing:?}");
}

#[test]
fn a_link_leads_somewhere() {
    let mut broken = Vec::new();
    for page in PAGES {
        let text = read(page);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            if target.contains("://") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let folder = checkout().join(page).parent().expect("a page is in a folder").to_owned();
            let file = if path.is_empty() { checkout().join(page) } else { folder.join(path) };
            let there = file.exists() && (heading.is_empty() || headings(&file).iter().any(|other| other == heading));
            if !there {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "links to nothing: {broken:#?}");
}

/// A sentence whose subject is a noun can be looked for in the code.
#[test]
fn no_sentence_begins_with_who() {
    let mut found = Vec::new();
    let pages = PAGES.iter().map(|page| ((*page).to_owned(), read(page)));
    for (place, text) in pages.chain(heads()) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in ["Who ", "Whoever ", "Whom "] {
            let places = text.match_indices(word).filter(|(at, _)| *at == 0 || text[..*at].ends_with(' '));
            found.extend(places.map(|(at, _)| format!("{place}: {}", text[at..].chars().take(60).collect::<String>())));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_walks_lead_through_the_code() {
    let page = read("ARCHITECTURE.md");
    let (_, walks) = page.split_once("\n## Four walks\n").expect("the section");
    let (walks, _) = walks.split_once("\n## ").expect("its end");
    let (mut steps, mut lost) = (0, Vec::new());
    for line in walks.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
        steps += 1;
        let mut quoted = line.split('`').skip(1).step_by(2);
        let (file, what) = (quoted.next().expect("a file"), quoted.next().expect("what to look for there"));
        let code = std::fs::read_to_string(checkout().join("host/src").join(file)).unwrap_or_default();
        let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        if !code.match_indices(what).any(|(at, _)| ends(&code[at + what.len()..])) {
            lost.push(line);
        }
    }
    assert_eq!(walks.matches("\n### ").count(), 4, "four walks");
    assert!(steps > 25, "steps are written as they were: {steps}");
    assert!(lost.is_empty(), "ARCHITECTURE.md, four walks: not in the file that is named: {lost:#?}");
}

/// What each file of the host says of itself.
fn heads() -> Vec<(String, String)> {
    let (mut folders, mut heads) = (vec![checkout().join("host/src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the checkout is complete") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source is text");
                let head = text.lines().map_while(|line| line.strip_prefix("//!")).collect::<Vec<_>>().join(" ");
                heads.push((path.display().to_string(), head));
            }
        }
    }
    heads
}

/// The headings of a page, as links name them.
fn headings(file: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("a page is text");
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    titles.map(|title| title.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn the_tests_that_contributing_names_are_there() {
    let (page, modules) = (read("CONTRIBUTING.md"), read("tests/e2e/main.rs"));
    let commands = page.lines().filter_map(|line| line.split('`').find(|part| part.contains("-p lakou-tests")));
    let filters: Vec<_> = commands
        .filter_map(|command| command.split_once(" -- "))
        .flat_map(|(_, filters)| filters.split_whitespace().filter(|word| !word.starts_with("--")))
        .collect();
    assert!(filters.len() > 1, "{filters:?}");
    for filter in filters {
        // A filter that fits nothing runs no test, and passes.
        assert!(modules.contains(&format!("\nmod {filter};\n")), "CONTRIBUTING.md names {filter}, which is no module");
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(checkout().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
