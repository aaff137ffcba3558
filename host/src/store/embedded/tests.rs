//! What the file promises beyond what every store does: it outlives the process, however that ends, and a file that can not
//! be used is one clear line.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::*;
use crate::store::tests::stores::{BOUNDS, Folder, LONG, connection, event, identity, terms};
use disk::{Chance, Disk};

pub(in crate::store::embedded) mod disk;
mod full;

const FILE: &str = "identities.redb";
const WIDE: Bounds = Bounds { entries: 1_000_000, bytes: 1 << 40, attempts: 3 };

fn open(folder: &Path) -> Embedded {
    Embedded::open(Some(folder), WIDE).expect("a file")
}

fn refusal(folder: &Path) -> String {
    let Err(error) = Embedded::open(Some(folder), WIDE) else { panic!("it was opened") };
    let text = error.to_string();
    assert!(text.contains(FILE) && !text.contains('\n'), "{text}");
    text
}

async fn told(store: &Embedded, name: &str) -> NotificationId {
    store.notify(&identity(name), &event(name)).await.expect("an answer").expect("a known identity").id
}

/// What waits for a newcomer.
async fn found(store: &Embedded, name: &str) -> Vec<NotificationId> {
    let newcomer = connection();
    store.register(&identity(name), newcomer, terms(LONG, 9)).await.expect("an answer");
    match store.waiting(&identity(name), newcomer, usize::MAX).await.expect("an answer") {
        Waiting::Entries(entries) => entries.into_iter().map(|entry| entry.id).collect(),
        Waiting::NotHolder => panic!("a holder from now on"),
    }
}

#[tokio::test]
async fn identities_outlive_the_process_and_holders_do_not() {
    let folder = Folder::new();
    let data = folder.path().join("data").join("here");
    let (first, second, ann) = (connection(), connection(), identity("ann"));
    let (one, two, three) = {
        let store = open(&data);
        store.register(&ann, first, terms(LONG, 9)).await.expect("an answer");
        store.register(&ann, second, terms(LONG, 9)).await.expect("an answer");
        let told = (told(&store, "ann").await, told(&store, "ann").await, told(&store, "ann").await);
        store.handled(&ann, first, told.0).await.expect("an answer");
        told
    };
    for (path, mode) in [(data.clone(), 0o700), (data.join(FILE), 0o600)] {
        let permissions = std::fs::metadata(&path).expect("it was made").permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{}", path.display());
    }
    let store = open(&data);
    assert_eq!(store.waiting(&ann, first, 9).await, Ok(Waiting::NotHolder));
    assert_eq!(found(&store, "ann").await, [two, three], "the first has handled {one}");
    let four = told(&store, "ann").await;
    assert!(three < four);
    assert_eq!(found(&store, "ann").await, [two, three, four]);
}

#[tokio::test]
async fn a_file_has_one_owner() {
    let folder = Folder::new();
    let store = open(folder.path());
    assert!(refusal(folder.path()).contains("another lakou has it open"));
    store.register(&identity("ann"), connection(), terms(LONG, 9)).await.expect("the owner is not disturbed");
    drop(store);
    assert_eq!(open(folder.path()).registered(&identity("ann")).await, Ok(true));
}

#[tokio::test]
async fn another_version_is_refused() {
    let folder = Folder::new();
    drop(open(folder.path()));
    let database = redb::Database::create(folder.path().join(FILE)).expect("a file");
    let write = database.begin_write().expect("a transaction");
    let table = redb::TableDefinition::<&[u8], u64>::new("lakou-identities-format");
    write.open_table(table).and_then(|mut table| Ok(table.insert(b"version".as_slice(), 2).map(drop)?)).expect("a row");
    write.commit().expect("written");
    drop(database);
    assert!(refusal(folder.path()).contains("has format 2; this lakou reads format 1"));
}

#[test]
fn other_files_are_refused() {
    let folder = Folder::new();
    std::fs::write(folder.path().join(FILE), "no database").expect("a file");
    assert!(refusal(folder.path()).contains("damaged, or no file of lakou's"));
    let database = Folder::new();
    let other = redb::Database::create(database.path().join(FILE)).expect("a file");
    let write = other.begin_write().expect("a transaction");
    write.open_table(redb::TableDefinition::<u64, u64>::new("mine")).map(drop).expect("a table");
    write.commit().expect("written");
    drop(other);
    assert!(refusal(database.path()).contains("damaged, or no file of lakou's"));
    std::fs::write(database.path().join("x"), "").expect("a file");
    let Err(error) = Embedded::open(Some(&database.path().join("x")), WIDE) else { panic!("it was opened") };
    assert!(error.to_string().contains("x/identities.redb"), "{error}");
}

#[tokio::test]
async fn a_wrong_row_is_the_trouble_of_one_identity() {
    let folder = Folder::new();
    let (ann, bob, holder) = (identity("ann"), identity("bob"), connection());
    {
        let store = open(folder.path());
        store.register(&ann, holder, terms(LONG, 9)).await.expect("an answer");
    }
    let database = redb::Database::create(folder.path().join(FILE)).expect("a file");
    let write = database.begin_write().expect("a transaction");
    let table = redb::TableDefinition::<(&[u8], u64), (u32, &[u8], &[u8])>::new("mailbox");
    let row = (b"ann".as_slice(), 7);
    let no_text = (0, b"\xff".as_slice(), b"".as_slice());
    write.open_table(table).and_then(|mut table| Ok(table.insert(row, no_text).map(drop)?)).expect("a row");
    write.commit().expect("written");
    drop(database);

    let store = open(folder.path());
    store.register(&ann, holder, terms(LONG, 9)).await.expect("an answer");
    let mut told = Vec::new();
    store.register(&bob, holder, terms(LONG, 9)).await.expect("an answer");
    for _ in 0..20 {
        let event = event("x");
        let (wrong, right) = tokio::join!(store.waiting(&ann, holder, 9), store.notify(&bob, &event));
        assert!(matches!(wrong, Err(StoreError::Corrupt(_))), "{wrong:?}");
        told.push(right.expect("an answer").expect("a known identity").id);
    }
    assert_eq!(found(&store, "bob").await, told, "each is there once");
}

#[tokio::test]
async fn a_damaged_file_is_refused_or_mended() {
    let folder = Folder::new();
    let names: Vec<_> = (0..50).map(|number| format!("user {number}")).collect();
    {
        let store = open(folder.path());
        for name in &names {
            store.register(&identity(name), connection(), terms(LONG, 9)).await.expect("an answer");
            for _ in 0..5 {
                told(&store, name).await;
            }
        }
    }
    let sound = std::fs::read(folder.path().join(FILE)).expect("a file");
    let mut chance = Chance(1);
    let mut mended = 0;
    for round in 0..150 {
        let mut content = sound.clone();
        let at = chance.one_of(content.len());
        match round % 4 {
            0 => content.truncate(at),
            1 => content[at..].fill(0),
            2 => content[at..].iter_mut().for_each(|byte| *byte = u8::try_from(chance.one_of(256)).expect("a byte")),
            // The head of the file is where most of the library's own book-keeping is.
            _ => (0..3).for_each(|_| content[chance.one_of(4096)] ^= 1 << chance.one_of(8)),
        }
        let damaged = Folder::new();
        std::fs::write(damaged.path().join(FILE), content).expect("a file");
        let Ok(store) = Embedded::open(Some(damaged.path()), WIDE) else {
            refusal(damaged.path());
            continue;
        };
        mended += 1;
        for name in &names {
            store.registered(&identity(name)).await.expect("a file that was opened is read");
            found(&store, name).await;
        }
    }
    assert!(mended > 0, "an end that is not in use is no damage");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_file_at_work_is_no_trap() {
    let folder = Folder::new();
    let store = Arc::new(open(folder.path()));
    store.register(&identity("ann"), connection(), terms(LONG, 9)).await.expect("an answer");
    let working = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            loop {
                told(&store, "ann").await;
            }
        }
    });
    for _ in 0..20 {
        let copy = Folder::new();
        std::fs::copy(folder.path().join(FILE), copy.path().join(FILE)).expect("a copy");
        match Embedded::open(Some(copy.path()), WIDE) {
            Ok(copied) => drop(found(&copied, "ann").await),
            Err(_) => drop(refusal(copy.path())),
        }
    }
    working.abort();
}

#[tokio::test]
async fn a_power_cut_loses_nothing_that_was_answered() {
    let disk = Disk::default();
    let store = embedded(disk.clone());
    let ann = identity("ann");
    let holder = connection();
    store.register(&ann, holder, terms(LONG, 9)).await.expect("an answer");
    let known = Mutex::new(Vec::new());
    let working = async {
        for _ in 0..100 {
            let ids = join_all((0..3).map(|_| told(&store, "ann"))).await;
            known.lock().expect("not poisoned").extend(ids);
        }
    };
    let cutting = async {
        let mut chance = Chance(7);
        for _ in 0..300 {
            tokio::task::yield_now().await;
            // In this order: what is known by now has to be on the disk by now.
            let known = known.lock().expect("not poisoned").clone();
            let later = embedded(disk.after_power_cut(&mut chance));
            let found = found(&later, "ann").await;
            assert!(known.iter().all(|id| found.contains(id)), "{} of {} are there", found.len(), known.len());
        }
    };
    tokio::join!(working, cutting);
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_answered() {
    let folder = Folder::new();
    let this = std::env::current_exe().expect("this program");
    let child = ["--ignored", "--exact", "--nocapture", "store::embedded::tests::notifies_until_it_is_killed"];
    let mut child = Command::new(this)
        .args(child)
        .env("LAKOU_TEST_FOLDER", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut known = Vec::new();
    for line in lines.map_while(Result::ok) {
        known.extend(line.parse::<NotificationId>());
        if known.len() == 200 {
            child.kill().expect("killed");
        }
    }
    child.wait().expect("gone");
    assert!(known.len() >= 200, "{}", known.len());
    let found = found(&open(folder.path()), "ann").await;
    assert!(known.iter().all(|id| found.contains(id)));
}

#[tokio::test]
#[ignore = "is started by the test of a killed process"]
async fn notifies_until_it_is_killed() {
    let Some(folder) = std::env::var_os("LAKOU_TEST_FOLDER") else { return };
    let store = open(Path::new(&folder));
    store.register(&identity("ann"), connection(), terms(LONG, 9)).await.expect("an answer");
    println!();
    loop {
        println!("{}", told(&store, "ann").await);
    }
}

#[tokio::test]
async fn who_leaves_before_the_answer_takes_nothing_along() {
    let store = embedded(Disk::default());
    store.register(&identity("ann"), connection(), terms(LONG, 9)).await.expect("an answer");
    // As many as the queue takes in any case.
    for _ in 0..QUEUE / 2 {
        let (ann, event) = (identity("ann"), event("x"));
        // Polled once, which queues it, and dropped.
        let _ = store.notify(&ann, &event).now_or_never();
        // The runtime lets a task do only so much at a time.
        tokio::task::yield_now().await;
    }
    assert_eq!(found(&store, "ann").await.len(), QUEUE / 2);
}

#[tokio::test]
async fn what_has_lapsed_is_swept_away() {
    let store = Embedded::open(None, BOUNDS).expect("memory");
    let short = terms(Duration::from_millis(50), 1);
    for number in 0..100 {
        let name = format!("user {number}");
        store.register(&identity(&name), connection(), short.clone()).await.expect("an answer");
    }
    store.register(&identity("ann"), connection(), terms(LONG, 9)).await.expect("an answer");
    let started = Instant::now();
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    loop {
        pace.tick().await;
        let left = store.ask(|books| books.ledger.records_after(b"", 1000)).await.expect("an answer");
        if left.iter().map(|(name, _)| name.as_slice()).eq([b"ann".as_slice()]) {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{} are left", left.len());
    }
}

#[tokio::test]
async fn the_file_does_not_grow_for_ever() {
    let folder = Folder::new();
    let store = open(folder.path());
    let holder = connection();
    store.register(&identity("ann"), holder, terms(LONG, 9)).await.expect("an answer");
    let length = || std::fs::metadata(folder.path().join(FILE)).expect("a file").len();
    let large = event(&"x".repeat(10_000));
    let mut lengths = Vec::new();
    for round in 0..400 {
        let notified = store.notify(&identity("ann"), &large).await.expect("an answer").expect("a known identity");
        store.handled(&identity("ann"), holder, notified.id).await.expect("an answer");
        if round % 200 == 199 {
            lengths.push(length());
        }
    }
    assert_eq!(lengths[0], lengths[1]);
}

fn embedded(disk: Disk) -> Embedded {
    Embedded::start(Place::Disk(disk), WIDE).expect("a disk")
}

/// `cargo test --release -p lakou-host --lib -- --ignored --nocapture notifications_a_second`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn notifications_a_second() {
    let folder = Folder::new();
    let store = Embedded::open(Some(folder.path()), Bounds { entries: 1000, bytes: 1 << 20, attempts: 5 });
    let store = store.expect("a file");
    for callers in [1, 64, 256] {
        let (started, holder) = (Instant::now(), connection());
        let told = join_all((0..callers).map(async |caller| {
            let user = identity(&format!("user {caller}"));
            store.register(&user, holder, terms(LONG, 9)).await.expect("an answer");
            let mut told = 0;
            while started.elapsed() < Duration::from_secs(5) {
                store
                    .notify(&user, &event("[\"a message of some forty bytes, as is usual\"]"))
                    .await
                    .expect("an answer");
                told += 1;
            }
            told
        }));
        let told: u32 = told.await.into_iter().sum();
        println!("{callers} callers: {:.0} a second", f64::from(told) / started.elapsed().as_secs_f64());
    }
    drop(store);
    let bytes = std::fs::metadata(folder.path().join(FILE)).expect("a file").len();
    let started = Instant::now();
    drop(open(folder.path()));
    println!("opened {} MiB in {:?}", bytes >> 20, started.elapsed());
}
