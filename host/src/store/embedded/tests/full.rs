//! A disk that takes nothing more, and one that is gone: changes are errors, what was there before can be read, and all is well
//! by itself when there is room again.

use super::*;
use crate::store::keyvalue::{Bucket, Key, KeyValue, Lifetime};

#[tokio::test]
async fn a_full_disk_is_an_error_until_there_is_room() {
    let disk = Disk::default();
    let store = embedded(disk.clone());
    let (ann, holder) = (identity("ann"), connection());
    store.register(&ann, holder, terms(LONG, 9)).await.expect("an answer");
    let one = told(&store, "ann").await;
    disk.set_full(true);
    for _ in 0..3 {
        let error = store.notify(&ann, &event("x")).await.expect_err("no room");
        assert!(matches!(error, StoreError::Unavailable(_)) && !error.to_string().contains('\n'), "{error}");
        store.register(&ann, connection(), terms(LONG, 9)).await.expect_err("no room");
    }
    disk.set_full(false);
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    let started = Instant::now();
    let two = loop {
        match store.notify(&ann, &event("x")).await {
            Ok(notified) => break notified.expect("a known identity"),
            Err(error) => assert!(started.elapsed() < Duration::from_secs(10), "it comes back: {error}"),
        }
        pace.tick().await;
    };
    assert_eq!(two.holders, [holder], "who registered is still a holder, and nobody else is");
    let Ok(Waiting::Entries(entries)) = store.waiting(&ann, holder, 9).await else { panic!("a holder") };
    let ids: Vec<_> = entries.into_iter().map(|entry| entry.id).collect();
    assert!(ids.contains(&one) && ids.contains(&two.id), "{ids:?}");
}

#[tokio::test]
async fn what_is_stored_is_read_while_the_disk_is_full() {
    let disk = Disk::default();
    let store = embedded(disk.clone());
    let bucket = Bucket { name: "shop".into(), limit: 1 << 20 };
    let key = |text: &str| Key::new(text.into()).expect("a key");
    let (a, b, short) = (key("a"), key("b"), key("short"));
    store.set(&bucket, &a, b"before".to_vec(), Lifetime::EVER).await.expect("room");
    store.set(&bucket, &short, b"x".to_vec(), Lifetime::new(Some(1))).await.expect("room");
    let ann = identity("ann");
    store.register(&ann, connection(), terms(LONG, 9)).await.expect("room");
    let started = Instant::now();
    while store.exists(&bucket, &short).await == Ok(true) {
        assert!(started.elapsed() < Duration::from_secs(10), "it lapses");
    }
    disk.set_full(true);
    for round in 0..3 {
        // A change and questions in one transaction, and afterwards.
        let (change, found) =
            tokio::join!(store.set(&bucket, &a, b"lost".to_vec(), Lifetime::EVER), store.get(&bucket, &a));
        assert!(matches!(change, Err(StoreError::Unavailable(_))), "{change:?}");
        assert_eq!(found, Ok(Some(b"before".to_vec())), "round {round}");
        assert_eq!(store.get(&bucket, &b).await, Ok(None));
        assert_eq!((store.exists(&bucket, &a).await, store.exists(&bucket, &short).await), (Ok(true), Ok(false)));
        assert_eq!(store.list(&bucket, "", None, 9).await.map(|listing| listing.keys), Ok(vec!["a".to_owned()]));
        assert_eq!(store.registered(&ann).await, Ok(true));
        assert_eq!(store.registered(&identity("bob")).await, Ok(false));
    }
    disk.set_full(false);
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    let started = Instant::now();
    while store.set(&bucket, &b, b"after".to_vec(), Lifetime::EVER).await != Ok(()) {
        assert!(started.elapsed() < Duration::from_secs(10), "it comes back");
        assert_eq!(store.get(&bucket, &a).await, Ok(Some(b"before".to_vec())), "and is read all the time");
        pace.tick().await;
    }
    assert_eq!(store.get(&bucket, &b).await, Ok(Some(b"after".to_vec())));
    assert_eq!(store.get(&bucket, &a).await, Ok(Some(b"before".to_vec())), "what failed has not happened");
}

#[test]
fn a_file_that_is_gone_is_not_made_anew() {
    let folder = Folder::new();
    let mut place = Place::in_folder(folder.path());
    drop(place.open().expect("a new file"));
    drop(place.open().expect("it is opened again"));
    std::fs::remove_file(folder.path().join(FILE)).expect("it was there");
    let Err(error) = place.open() else { panic!("it was made") };
    assert!(error.to_string().contains("is gone"), "{error}");
    assert!(!folder.path().join(FILE).exists());
}
