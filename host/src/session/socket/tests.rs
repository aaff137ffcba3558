//! When buffers are there and when not, and that nothing is lost by it.

use std::task::Waker;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

const TEXT: u8 = 0x81;
const FRAGMENT: u8 = 0x01;
const LAST: u8 = 0x80;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const CLOSE: u8 = 0x88;

fn frame(first: u8, inside: &[u8]) -> Vec<u8> {
    assert!(inside.len() < 126);
    let length = u8::try_from(inside.len()).expect("it is short");
    let masked = inside.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, key)| byte ^ key);
    [first, 0x80 | length, 1, 2, 3, 4].into_iter().chain(masked).collect()
}

struct Pair {
    socket: Socket<DuplexStream>,
    client: DuplexStream,
}

impl Pair {
    fn new() -> Self {
        let (server, client) = duplex(1 << 20);
        Pair { socket: Socket::accepted(server, Bytes::new(), &Arc::default()), client }
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.client.write_all(bytes).await.expect("there is room");
    }

    /// What there is to read, without waiting.
    fn next(&mut self) -> Option<Result<Frame, Error>> {
        match self.socket.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(next) => Some(next.expect("it has not ended")),
            Poll::Pending => None,
        }
    }

    #[track_caller]
    fn hears(&mut self, text: &str) {
        let next = self.next().expect("it is there").expect("it is right");
        assert_eq!(next, Frame::text(text));
    }

    /// As often as a session looks until it gives up what was not used.
    fn is_awake_after_a_while(&mut self) -> bool {
        assert!(self.next().is_none(), "all is read");
        for _ in 0..2 {
            self.socket.look();
            self.socket.rest();
        }
        self.socket.is_awake()
    }
}

#[tokio::test]
async fn who_says_nothing_has_no_buffers() {
    let mut pair = Pair::new();
    assert!(pair.next().is_none());
    assert!(!pair.socket.is_awake());
    pair.say(&frame(TEXT, b"one")).await;
    pair.hears("one");
    assert!(pair.next().is_none());
    pair.socket.rest();
    assert!(pair.socket.is_awake(), "the next message may come soon");
    pair.socket.look();
    pair.socket.rest();
    assert!(pair.socket.is_awake(), "one has come since the last look");
    assert!(!pair.is_awake_after_a_while());
    pair.say(&[frame(TEXT, b"two"), frame(TEXT, b"three")].concat()).await;
    pair.hears("two");
    pair.hears("three");
    assert!(!pair.is_awake_after_a_while());
}

#[tokio::test]
async fn large_messages_leave_nothing_behind() {
    let mut pair = Pair::new();
    let large = "x".repeat(LARGE + 1);
    pair.socket.start_send(Frame::text(large.clone())).expect("it is taken");
    assert!(!pair.socket.rest(), "it is not written");
    pair.socket.flush().await.expect("there is room");
    assert!(pair.socket.rest());
    let mut bytes = vec![TEXT, 0x80 | 127];
    bytes.extend((large.len() as u64).to_be_bytes());
    // A mask that changes nothing.
    bytes.extend([0; 4]);
    bytes.extend(large.as_bytes());
    pair.say(&bytes).await;
    pair.hears(&large);
    assert!(pair.next().is_none());
    assert!(pair.socket.rest(), "at once");
    pair.say(&frame(TEXT, b"small")).await;
    pair.hears("small");
    assert!(pair.next().is_none());
    assert!(!pair.socket.rest(), "the next one may come soon");
}

#[tokio::test]
async fn what_has_begun_is_not_given_up() {
    let mut pair = Pair::new();
    let bytes = [frame(FRAGMENT, b"a"), frame(PING, b"p"), frame(LAST, b"b"), frame(TEXT, b"c")].concat();
    for (at, byte) in bytes.iter().enumerate() {
        pair.say(&[*byte]).await;
        while let Some(frame) = pair.next() {
            match frame.expect("it is right") {
                Frame::Ping(_) => pair.socket.flush().await.expect("it can be written to"),
                Frame::Text(text) => assert_eq!(text.as_str(), if at == bytes.len() - 1 { "c" } else { "ab" }),
                other => panic!("{other:?}"),
            }
        }
        let whole = at == 20 || at == bytes.len() - 1;
        assert_eq!(pair.is_awake_after_a_while(), !whole, "behind byte {at}");
    }
}

#[tokio::test]
async fn what_was_not_read_is_not_given_up() {
    let mut pair = Pair::new();
    pair.say(&[frame(TEXT, b"one"), frame(TEXT, b"two")].concat()).await;
    pair.hears("one");
    for _ in 0..2 {
        pair.socket.look();
        pair.socket.rest();
    }
    pair.hears("two");
    assert!(!pair.is_awake_after_a_while());
}

#[tokio::test]
async fn what_was_not_written_is_not_given_up() {
    let mut pair = Pair::new();
    pair.say(&frame(PING, b"there?")).await;
    assert_eq!(pair.next().expect("it is there").expect("it is right"), Frame::Ping(b"there?".as_slice().into()));
    for _ in 0..2 {
        pair.socket.look();
        pair.socket.rest();
    }
    assert!(pair.socket.is_awake(), "the answer is not written");
    pair.socket.flush().await.expect("it can be written to");
    let mut answer = [0; 8];
    pair.client.read_exact(&mut answer).await.expect("the answer");
    assert_eq!(&answer, b"\x8a\x06there?");
    // Pings and pongs are no use that anything would be kept for.
    assert!(pair.next().is_none());
    assert!(pair.socket.rest());
    pair.socket.start_send(Frame::Ping(Bytes::new())).expect("it is taken");
    pair.socket.flush().await.expect("it can be written to");
    pair.say(&frame(PONG, b"")).await;
    assert_eq!(pair.next().expect("it is there").expect("it is right"), Frame::Pong(Bytes::new()));
    assert!(pair.next().is_none());
    assert!(pair.socket.rest(), "at once");
    pair.socket.start_send(Frame::text("mine")).expect("it is taken");
    for _ in 0..2 {
        pair.socket.look();
        pair.socket.rest();
    }
    assert!(pair.socket.is_awake(), "it is not written");
    pair.socket.flush().await.expect("it can be written to");
    assert!(!pair.is_awake_after_a_while());
}

#[tokio::test]
async fn a_close_is_remembered() {
    let mut ours = Pair::new();
    ours.socket.send(Frame::Close(None)).await.expect("it can be written to");
    assert!(ours.is_awake_after_a_while());
    let mut theirs = Pair::new();
    theirs.say(&frame(CLOSE, &1000_u16.to_be_bytes())).await;
    assert!(matches!(theirs.next(), Some(Ok(Frame::Close(Some(_))))));
    theirs.socket.flush().await.expect("it can be written to");
    for _ in 0..2 {
        theirs.socket.look();
        theirs.socket.rest();
    }
    assert!(theirs.socket.is_awake());
    assert!(matches!(theirs.socket.poll_next(&mut Context::from_waker(Waker::noop())), Poll::Ready(None)));
}
