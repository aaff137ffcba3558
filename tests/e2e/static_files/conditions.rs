//! Validators, conditions and ranges: RFC 9110, sections 13 and 14.

use super::host;
use crate::harness::host::TestHost;
use std::fs;

const WHOLE: &str = "0123456789";

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again() {
    let host = host().await;
    let first = host.ask("GET", "/ten.txt").get().await;
    let tag = first.header("etag").expect("an ETag");
    let second = host.ask("GET", "/ten.txt").header("if-none-match", tag).get().await;
    assert_eq!((second.status, second.body.len()), (304, 0));
    let third = host.ask("GET", "/ten.txt").header("if-none-match", "\"other\"").get().await;
    assert_eq!((third.status, third.text().as_str()), (200, "0123456789"));
    let several = format!("\"other\", {tag}");
    assert_eq!(host.ask("GET", "/ten.txt").header("if-none-match", &several).get().await.status, 304);
    assert_eq!(host.ask("GET", "/ten.txt").header("if-none-match", "*").get().await.status, 304);
}

#[tokio::test]
async fn a_date_does_not_count_beside_a_tag() {
    // Browsers send both; a file that has changed twice within a second is told apart by its tag only.
    let host = host().await;
    let first = host.ask("GET", "/ten.txt").get().await;
    let date = first.header("last-modified").expect("a date");
    let by_date = host.ask("GET", "/ten.txt").header("if-modified-since", date).get().await;
    assert_eq!(by_date.status, 304);
    let ask = host.ask("GET", "/ten.txt").header("if-modified-since", date).header("if-none-match", "\"other\"");
    assert_eq!(ask.get().await.status, 200);
}

#[tokio::test]
async fn a_greedy_request_does_not_multiply_a_file() {
    let host = host().await;
    let ranges = vec!["0-"; 1_000].join(",");
    let answer = host.ask("GET", "/ten.txt").header("range", &format!("bytes={ranges}")).get().await;
    assert!(answer.body.len() < 1_000, "{}: {} bytes of a file of 10", answer.status, answer.body.len());
}

#[tokio::test]
async fn a_part_can_be_asked_for() {
    let host = host().await;
    let part = host.ask("GET", "/ten.txt").header("range", "bytes=2-4").get().await;
    assert_eq!((part.status, part.text().as_str()), (206, "234"));
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
    let tail = host.ask("GET", "/ten.txt").header("range", "bytes=-3").get().await;
    assert_eq!((tail.status, tail.text().as_str()), (206, "789"));
    let beyond = host.ask("GET", "/ten.txt").header("range", "bytes=10-").get().await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */10")));
}

#[tokio::test]
async fn ranges_are_those_of_rfc_9110() {
    let host = host().await;
    for (range, status, content, told) in [
        ("bytes=0-0", 206, "0", Some("bytes 0-0/10")),
        ("bytes=5-", 206, "56789", Some("bytes 5-9/10")),
        ("bytes=5-99", 206, "56789", Some("bytes 5-9/10")),
        ("BYTES=5-6", 206, "56", Some("bytes 5-6/10")),
        ("bytes=-99", 206, WHOLE, Some("bytes 0-9/10")),
        ("bytes=5-,20-30", 206, "56789", Some("bytes 5-9/10")),
        ("lines=0-1", 200, WHOLE, None),
        ("bytes=5-2", 200, WHOLE, None),
        ("bytes=five", 200, WHOLE, None),
        ("bytes=0-,0-", 200, WHOLE, None),
    ] {
        let answer = host.ask("GET", "/ten.txt").header("range", range).get().await;
        let got = (answer.status, answer.text(), answer.header("content-range"));
        assert_eq!(got, (status, content.to_owned(), told), "{range}");
        assert_eq!(answer.header("content-length"), Some(content.len().to_string().as_str()), "{range}");
        assert_eq!(answer.header("accept-ranges"), Some("bytes"), "{range}");
    }
    for range in ["bytes=10-", "bytes=-0", "bytes=99999999999999999999-", "bytes=10-11,12-"] {
        let answer = host.ask("GET", "/ten.txt").header("range", range).get().await;
        assert_eq!((answer.status, answer.header("content-range")), (416, Some("bytes */10")), "{range}");
    }
    let head = host.ask("HEAD", "/ten.txt").header("range", "bytes=0-1").get().await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("10")), "only GET has ranges");
}

#[tokio::test]
async fn several_parts_are_one_body() {
    let answer = host().await.ask("GET", "/ten.txt").header("range", "bytes=0-1, -2").get().await;
    assert_eq!(answer.status, 206);
    let media = answer.header("content-type").expect("a type");
    let boundary = media.strip_prefix("multipart/byteranges; boundary=").expect("several parts");
    let part = |range: &str, content: &str| {
        let head = format!("content-type: text/plain; charset=utf-8\r\ncontent-range: bytes {range}/10");
        format!("\r\n--{boundary}\r\n{head}\r\n\r\n{content}")
    };
    let body = part("0-1", "01") + &part("8-9", "89") + &format!("\r\n--{boundary}--\r\n");
    assert_eq!(answer.text(), body);
    assert_eq!(answer.header("content-range"), None);
    assert!(answer.header("etag").is_some());
}

#[tokio::test]
async fn who_goes_on_gets_the_rest_of_the_same_file_only() {
    let host = host().await;
    let first = host.ask("GET", "/ten.txt").get().await;
    let (tag, date) = (first.header("etag").expect("a tag"), first.header("last-modified").expect("a date"));
    assert!(tag.starts_with('"'), "a strong tag: {tag}");
    let weak = format!("W/{tag}");
    for (held, status) in [
        (tag, 206),
        (date, 206),
        ("\"another\"", 200),
        (weak.as_str(), 200),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 200),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 200),
        ("nonsense", 200),
    ] {
        let ask = host.ask("GET", "/ten.txt").header("range", "bytes=5-").header("if-range", held);
        let answer = ask.get().await;
        let content = if status == 206 { "56789" } else { WHOLE };
        assert_eq!((answer.status, answer.text().as_str()), (status, content), "{held}");
    }
    // A range that the file does not have is no error for who has another file.
    let beyond = host.ask("GET", "/ten.txt").header("range", "bytes=99-").header("if-range", "\"another\"");
    assert_eq!(beyond.get().await.status, 200);
    // The file has changed, at the same length and within the same second: its tag has, too.
    fs::write(host.public().join("ten.txt"), "9876543210").expect("the test's own folder");
    let changed = host.ask("GET", "/ten.txt").header("range", "bytes=5-").header("if-range", tag).get().await;
    assert_eq!((changed.status, changed.text().as_str()), (200, "9876543210"));
}

#[tokio::test]
async fn conditions_come_before_ranges() {
    let host = host().await;
    let first = host.ask("GET", "/ten.txt").get().await;
    let (tag, past) = (first.header("etag").expect("a tag"), "Sun, 06 Nov 1994 08:49:37 GMT");
    for (name, value, status) in [
        ("if-match", tag, 206),
        ("if-match", "*", 206),
        ("if-match", "\"another\"", 412),
        ("if-unmodified-since", past, 412),
        ("if-none-match", tag, 304),
        ("if-none-match", "\"another\"", 206),
        ("if-modified-since", past, 206),
    ] {
        let answer = host.ask("GET", "/ten.txt").header("range", "bytes=5-").header(name, value).get().await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
    // What is not there is so whatever is asked of it.
    assert_eq!(host.ask("GET", "/nothing").header("if-match", "\"another\"").get().await.status, 404);
}

#[tokio::test]
async fn an_empty_file_has_no_parts() {
    let host = TestHost::bare().public(&[("empty.txt", "")]).start().await;
    let whole = host.ask("GET", "/empty.txt").get().await;
    assert_eq!((whole.status, whole.header("content-length"), whole.body.len()), (200, Some("0"), 0));
    let part = host.ask("GET", "/empty.txt").header("range", "bytes=0-").get().await;
    assert_eq!((part.status, part.header("content-range")), (416, Some("bytes */0")));
    assert_eq!(host.ask("GET", "/empty.txt").header("range", "bytes=-5").get().await.status, 200);
}

#[tokio::test]
async fn a_file_that_changes_under_way_is_not_passed_off_as_whole() {
    const LENGTH: usize = 64 * 1024 * 1024;
    let host = TestHost::bare().public(&[("large.bin", "")]).start().await;
    let path = host.public().join("large.bin");
    for change in ["shorter", "as long"] {
        fs::write(&path, vec![b'a'; LENGTH]).expect("the test's own folder");
        let mut client = host.dial().await;
        client.write("GET /large.bin HTTP/1.1\r\nhost: lakou.test\r\n\r\n").await;
        let head = client.head().await;
        assert!(head.contains(&LENGTH.to_string()), "{head}");
        // More than sockets hold is still to come: nobody reads it.
        if change == "shorter" {
            fs::File::options().write(true).open(&path).and_then(|file| file.set_len(10)).expect("a file");
        } else {
            fs::write(&path, vec![b'b'; LENGTH]).expect("a file");
        }
        let read = client.expect_end().await;
        assert!(read.len() < LENGTH, "{change}: {}", read.len());
        assert!(!read.contains(&b'b'), "{change}: two contents in one");
    }
    fs::write(&path, vec![b'c'; LENGTH]).expect("the test's own folder");
    let whole = host.ask("GET", "/large.bin").get().await;
    assert!(whole.body.len() == LENGTH && whole.body.iter().all(|byte| *byte == b'c'));
}
