//! Keys and values, and what happens to a bucket that many use at a time.

use std::time::Duration;

use futures_util::future::join_all;

use super::stores::Lab;
use crate::store::StoreError;
use crate::store::keyvalue::{Bucket, Key, LIST_LIMIT, Lifetime, Listing, VALUE_LIMIT};

const SHORT: u64 = 100;
const EVER: Lifetime = Lifetime::EVER;

fn bucket(name: &str) -> Bucket {
    Bucket { name: name.into(), limit: 64 * 1024 * 1024 }
}

fn key(text: &str) -> Key {
    Key::new(text.to_owned()).expect("a key")
}

/// The bucket `b` of a lab, in few words.
impl Lab {
    async fn value(&self, name: &str) -> Option<String> {
        let value = self.values.get(&bucket("b"), &key(name)).await.expect("an answer")?;
        Some(String::from_utf8(value).expect("a text"))
    }

    async fn put(&self, name: &str, value: &str) {
        self.put_for(name, value, EVER).await;
    }

    async fn put_for(&self, name: &str, value: &str, lifetime: Lifetime) {
        self.values.set(&bucket("b"), &key(name), value.into(), lifetime).await.expect("an answer");
    }

    async fn add(&self, name: &str, by: i64) -> Result<i64, StoreError> {
        self.values.increment(&bucket("b"), &key(name), by, EVER).await
    }

    async fn swap(&self, name: &str, expected: Option<&str>, value: Option<&str>) -> bool {
        let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
        let (bucket, key) = (bucket("b"), key(name));
        self.values.swap(&bucket, &key, bytes(expected), bytes(value), EVER).await.expect("an answer")
    }

    async fn keys(&self, prefix: &str, after: Option<&str>, most: usize) -> Vec<String> {
        self.values.list(&bucket("b"), prefix, after, most).await.expect("an answer").keys
    }

    /// Waits until a value has lapsed.
    async fn until_lapsed(&self, name: &str) {
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..1000 {
            pace.tick().await;
            if self.value(name).await.is_none() {
                return;
            }
        }
        panic!("{name} does not lapse");
    }
}

pub(super) async fn what_is_set_is_there(lab: &Lab) {
    assert_eq!(lab.value("a").await, None);
    lab.put("a", "one").await;
    assert_eq!(lab.value("a").await.as_deref(), Some("one"));
    lab.put("a", "two").await;
    assert_eq!(lab.value("a").await.as_deref(), Some("two"));
    assert_eq!(lab.values.exists(&bucket("b"), &key("a")).await, Ok(true));
    assert_eq!(lab.values.exists(&bucket("b"), &key("c")).await, Ok(false));
}

pub(super) async fn a_value_may_be_anything(lab: &Lab) {
    let whole: Vec<u8> = (0..VALUE_LIMIT).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
    for value in [vec![], vec![0], b"\xff\0\r\n".to_vec(), whole] {
        lab.values.set(&bucket("b"), &key("a"), value.clone(), EVER).await.expect("an answer");
        assert_eq!(lab.values.get(&bucket("b"), &key("a")).await, Ok(Some(value.clone())));
        assert_eq!(lab.values.exists(&bucket("b"), &key("a")).await, Ok(true));
        assert_eq!(lab.values.swap(&bucket("b"), &key("a"), Some(value), None, EVER).await, Ok(true));
    }
}

pub(super) async fn keys_may_be_anything(lab: &Lab) {
    assert!(Key::new(String::new()).is_err() && Key::new("x".repeat(513)).is_err());
    let long = "x".repeat(512);
    let names = ["a", "a}", "{a", " ", "a\n\0b", "caf\u{e9}", "\u{1f3e1}", "A", "(", "[", "+", "-", &long];
    for name in names {
        assert_eq!(lab.value(name).await, None, "{name:?}");
        lab.put(name, name).await;
    }
    for name in names {
        assert_eq!(lab.value(name).await.as_deref(), Some(name));
    }
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(lab.keys("", None, 100).await, sorted);
}

pub(super) async fn buckets_are_apart(lab: &Lab) {
    lab.put("a", "mine").await;
    for other in ["c", "b2", "B", "b-", "b_values"] {
        assert_eq!(lab.values.get(&bucket(other), &key("a")).await, Ok(None));
        assert_eq!(lab.values.list(&bucket(other), "", None, 10).await, Ok(Listing::default()));
        assert_eq!(lab.values.delete(&bucket(other), &key("a")).await, Ok(false));
    }
    assert_eq!(lab.value("a").await.as_deref(), Some("mine"));
}

pub(super) async fn what_is_deleted_is_gone(lab: &Lab) {
    let delete = async |name: &str| lab.values.delete(&bucket("b"), &key(name)).await.expect("an answer");
    assert!(!delete("a").await);
    lab.put("a", "").await;
    assert!(delete("a").await && !delete("a").await);
    assert_eq!((lab.value("a").await, lab.keys("", None, 10).await), (None, vec![]));
}

pub(super) async fn a_value_lapses(lab: &Lab) {
    lab.put_for("a", "x", Lifetime::new(Some(SHORT))).await;
    lab.put_for("stays", "x", Lifetime::new(Some(u64::MAX))).await;
    lab.until_lapsed("a").await;
    assert_eq!(lab.values.exists(&bucket("b"), &key("a")).await, Ok(false));
    assert_eq!(lab.values.delete(&bucket("b"), &key("a")).await, Ok(false), "it was not there any more");
    assert!(lab.swap("a", None, Some("new")).await);
    assert_eq!((lab.value("a").await.as_deref(), lab.value("stays").await.as_deref()), (Some("new"), Some("x")));
}

pub(super) async fn setting_again_sets_the_lifetime_again(lab: &Lab) {
    lab.put_for("a", "x", Lifetime::new(Some(SHORT))).await;
    lab.put("a", "y").await;
    lab.put_for("b", "x", Lifetime::new(Some(SHORT))).await;
    lab.until_lapsed("b").await;
    assert_eq!(lab.value("a").await.as_deref(), Some("y"));
    lab.put_for("a", "z", Lifetime::new(Some(SHORT))).await;
    lab.until_lapsed("a").await;
}

pub(super) async fn numbers_add_up(lab: &Lab) {
    assert_eq!(lab.add("n", 5).await, Ok(5));
    assert_eq!(lab.add("n", -7).await, Ok(-2));
    assert_eq!(lab.add("n", 0).await, Ok(-2));
    assert_eq!(lab.value("n").await.as_deref(), Some("-2"));
    lab.put("n", "9007199254740993").await;
    assert_eq!(lab.add("n", 2).await, Ok(9_007_199_254_740_995), "beyond what a double holds");
    lab.put("n", &(i64::MAX - 1).to_string()).await;
    assert_eq!(lab.add("n", 1).await, Ok(i64::MAX));
    assert!(matches!(lab.add("n", 1).await, Err(StoreError::Invalid(_))));
    assert_eq!(lab.value("n").await, Some(i64::MAX.to_string()), "nothing was changed");
    assert_eq!(lab.add("least", i64::MIN).await, Ok(i64::MIN));
    assert!(matches!(lab.add("least", -1).await, Err(StoreError::Invalid(_))));
}

pub(super) async fn many_adders_lose_nothing(lab: &Lab) {
    let sums = join_all((0..200).map(|_| lab.add("n", 1))).await;
    let mut sums: Vec<i64> = sums.into_iter().map(|sum| sum.expect("an answer")).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=200).collect::<Vec<_>>(), "each has a sum of its own");
}

pub(super) async fn a_number_keeps_its_lifetime(lab: &Lab) {
    let add = |lifetime| async move {
        lab.values.increment(&bucket("b"), &key("n"), 1, Lifetime::new(lifetime)).await.expect("an answer")
    };
    assert_eq!(add(Some(2000)).await, 1);
    assert_eq!(add(None).await, 2, "it has one, and keeps it");
    lab.until_lapsed("n").await;
    assert_eq!(add(None).await, 1);
}

pub(super) async fn what_is_no_number_is_not_added_to(lab: &Lab) {
    for wrong in ["", "x", "1.5", " 1", "01", "+1", "-0", "-", "99999999999999999999", "9223372036854775808"] {
        lab.put("n", wrong).await;
        assert!(matches!(lab.add("n", 1).await, Err(StoreError::Invalid(_))), "{wrong:?}");
        assert_eq!(lab.value("n").await.as_deref(), Some(wrong));
    }
}

pub(super) async fn only_what_is_expected_is_swapped(lab: &Lab) {
    assert!(!lab.swap("a", Some("x"), Some("y")).await, "there is nothing");
    assert!(!lab.swap("a", Some(""), Some("y")).await, "not even an empty value");
    assert!(lab.swap("a", None, Some("")).await);
    assert!(!lab.swap("a", None, Some("y")).await, "an empty value is there");
    assert!(lab.swap("a", Some(""), Some("y")).await);
    assert!(!lab.swap("a", Some("x"), None).await);
    assert_eq!(lab.value("a").await.as_deref(), Some("y"));
    assert!(lab.swap("a", Some("y"), None).await && lab.swap("a", None, None).await);
    assert_eq!((lab.value("a").await, lab.keys("", None, 10).await), (None, vec![]));
}

pub(super) async fn one_of_many_swappers_wins(lab: &Lab) {
    let texts: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let swapped = join_all(texts.iter().map(|text| lab.swap("a", None, Some(text)))).await;
    assert_eq!(swapped.iter().filter(|swapped| **swapped).count(), 1);
    let winner = swapped.iter().position(|swapped| *swapped).map(|at| texts[at].clone());
    assert_eq!(lab.value("a").await, winner);
}

pub(super) async fn keys_are_listed_in_order(lab: &Lab) {
    for name in ["user:2", "user:10", "user:1", "user", "used", "v", "user\u{e9}", "user:1:x"] {
        lab.put(name, "").await;
    }
    assert_eq!(lab.keys("user:", None, 10).await, ["user:1", "user:10", "user:1:x", "user:2"]);
    assert_eq!(lab.keys("user:1", None, 10).await, ["user:1", "user:10", "user:1:x"]);
    assert_eq!(lab.keys("user", None, 2).await, ["user", "user:1"]);
    assert_eq!(lab.keys("x", None, 10).await, [""; 0]);
    assert_eq!(lab.keys("", None, 10).await.len(), 8);
    assert_eq!(lab.keys("", None, 0).await, [""; 0]);
    assert_eq!(lab.keys("user:", Some("user:10"), 10).await, ["user:1:x", "user:2"]);
    assert_eq!(lab.keys("user:", Some("user:0"), 1).await, ["user:1"], "it need not be there");
    assert_eq!(lab.keys("user:", Some("a"), 1).await, ["user:1"], "nor begin like this");
    assert_eq!(lab.keys("user:", Some("v"), 1).await, [""; 0]);
}

pub(super) async fn pages_follow_each_other(lab: &Lab) {
    let names: Vec<String> = (0..250).map(|number| format!("k{number:03}")).collect();
    join_all(names.iter().map(|name| lab.put(name, ""))).await;
    lab.put("l", "").await;
    let mut seen: Vec<String> = Vec::new();
    loop {
        let page = lab.keys("k", seen.last().map(String::as_str), 100).await;
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 100);
        seen.extend(page);
    }
    assert_eq!(seen, names);
    assert_eq!(lab.keys("", None, LIST_LIMIT).await.len(), 251);
    // What a script would say of something foreign.
    for name in ["corrupt", "date"] {
        lab.put(name, "").await;
    }
    assert_eq!(lab.keys("", None, 2).await, ["corrupt", "date"]);
}

pub(super) async fn what_has_lapsed_is_not_listed(lab: &Lab) {
    for number in 0..20 {
        let lifetime = Lifetime::new((number % 2 == 0).then_some(SHORT));
        lab.put_for(&format!("k{number:02}"), "", lifetime).await;
    }
    lab.until_lapsed("k18").await;
    assert_eq!(lab.keys("", None, 3).await, ["k01", "k03", "k05"]);
    assert_eq!(lab.keys("", Some("k05"), 100).await.len(), 7);
}

pub(super) async fn a_bucket_has_a_limit(lab: &Lab) {
    // Each of these counts 1 + 135 + 64 = 200 bytes.
    let small = Bucket { name: "b".into(), limit: 1000 };
    let value = vec![b'x'; 135];
    let set = async |name: &str| lab.values.set(&small, &key(name), value.clone(), EVER).await;
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(set(name).await, Ok(()));
    }
    assert_eq!(set("f").await, Err(StoreError::Full(1000)));
    assert_eq!(lab.values.swap(&small, &key("f"), None, Some(value.clone()), EVER).await, Err(StoreError::Full(1000)));
    assert_eq!(lab.values.increment(&small, &key("f"), 1, EVER).await, Err(StoreError::Full(1000)));
    assert_eq!(lab.value("f").await, None);
    assert_eq!(set("a").await, Ok(()), "in its own place");
    let longer = lab.values.set(&small, &key("a"), vec![b'x'; 136], EVER).await;
    assert_eq!(longer, Err(StoreError::Full(1000)));
    assert_eq!(lab.value("a").await.map(|value| value.len()), Some(135), "it is as it was");
    assert_eq!(lab.values.set(&small, &key("a"), vec![b'x'; 70], EVER).await, Ok(()));
    assert_eq!(lab.values.increment(&small, &key("f"), 9, EVER).await, Err(StoreError::Full(1000)), "66 bytes");
    assert_eq!(lab.values.set(&small, &key("a"), vec![b'x'; 69], EVER).await, Ok(()));
    assert_eq!(lab.values.increment(&small, &key("f"), 9, EVER).await, Ok(9));
    assert_eq!(lab.values.increment(&small, &key("f"), 1, EVER).await, Err(StoreError::Full(1000)), "one digit more");
    assert_eq!(lab.value("f").await.as_deref(), Some("9"));
    assert_eq!(lab.values.delete(&small, &key("b")).await, Ok(true));
    assert_eq!(lab.values.increment(&small, &key("f"), 1, EVER).await, Ok(10));
    assert_eq!(lab.values.set(&bucket("c"), &key("a"), value.clone(), EVER).await, Ok(()), "others have their own");
}

pub(super) async fn a_number_that_grows_nothing_needs_no_room(lab: &Lab) {
    lab.put("a", "41").await;
    let lowered = Bucket { name: "b".into(), limit: 10 };
    assert_eq!(lab.values.increment(&lowered, &key("a"), 1, EVER).await, Ok(42));
    assert_eq!(lab.values.increment(&lowered, &key("a"), 58, EVER).await, Err(StoreError::Full(10)));
    assert_eq!(lab.values.increment(&lowered, &key("new"), 1, EVER).await, Err(StoreError::Full(10)));
}

pub(super) async fn what_has_lapsed_takes_no_room(lab: &Lab) {
    let small = Bucket { name: "b".into(), limit: 1000 };
    let short = Lifetime::new(Some(SHORT));
    for number in 0..10 {
        let set = lab.values.set(&small, &key(&number.to_string()), vec![b'x'; 35], short).await;
        assert_eq!(set, Ok(()));
    }
    lab.until_lapsed("9").await;
    assert_eq!(lab.values.set(&small, &key("a"), vec![b'x'; 935], EVER).await, Ok(()));
}
