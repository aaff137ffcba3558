//! The README's first page, and the grants of docs/operating.md, followed by the letter: what they show is built, tested and served.

use crate::harness::binary::{Call, connect};
use crate::harness::folder::{Folder, checkout};
use crate::harness::guests;
use crate::harness::host::TestHost;

#[tokio::test]
async fn the_first_controller_works() {
    let readme = include_str!("../../README.md");
    let (_, page) = readme.split_once("## Write a controller").expect("the section");
    // Beside the clone, not inside of it, as it says.
    let folder = Folder::outside();
    let clone = checkout().to_str().expect("a path in UTF-8");
    folder.write("shout/Cargo.toml", block(page, "toml").replace("../lakou", clone));
    folder.write("shout/src/lib.rs", block(page, "rust"));
    // The versions that are here already: a test that passed yesterday passes today, without a network.
    folder.write("shout/Cargo.lock", include_str!("../../Cargo.lock"));

    let shout = folder.join("shout");
    guests::test(&shout);
    let host = TestHost::bare().file("shout.wasm", guests::build(&shout)).start().await;
    let mut ann = host.connect("/shout/ann").await;
    let mut ben = host.connect("/shout/ben").await;
    ann.say("hello").await;
    ben.expect("ann: hello").await;
    ben.say("hello yourself").await;
    ann.expect("ben: hello yourself").await;
}

#[tokio::test]
async fn the_table_of_grants_is_one() {
    let operating = include_str!("../../docs/operating.md");
    let (_, page) = operating.split_once("## What a controller may do").expect("the section");
    // Those of no controller that is there: nothing is looked up, but all of it is read.
    let call = Call::serve().guests(&["echo"]).file("lakou.toml", block(page, "toml")).anywhere();
    let (_binary, address) = call.listening().await;
    connect(address, "/echo").await.exchange("hi", "hi").await;
}

/// The first code block of a language.
fn block<'a>(text: &'a str, language: &str) -> &'a str {
    let opening = format!("```{language}\n");
    let (_, rest) = text.split_once(&opening).expect("a block of this language");
    rest.split_once("```").expect("its end").0
}
