//! What the documents say of the code is held against it: the reference of the settings, and the walks of ARCHITECTURE.md.

use crate::harness::binary::Call;
use crate::harness::folder::checkout;

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
