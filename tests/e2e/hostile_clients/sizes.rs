//! What is too large: heads, messages, fragments, and lengths that are only claimed.

use crate::harness::frames::{BINARY, CONTINUATION, Frame, TEXT};
use crate::harness::host::TestHost;

const LIMIT: usize = 64 * 1024;

async fn host() -> TestHost {
    TestHost::serving(&["echo"]).config(|config| (config.max_message, config.max_frame) = (LIMIT, LIMIT)).start().await
}

#[tokio::test]
async fn a_message_over_the_limit_is_1009() {
    for opcode in [TEXT, BINARY] {
        let host = host().await;
        let mut client = host.raw("/echo").await;
        client.send(Frame::new(opcode, vec![b'x'; LIMIT])).await;
        client.expect(opcode, vec![b'x'; LIMIT]).await;
        client.send(Frame::new(opcode, vec![b'x'; LIMIT + 1])).await;
        client.expect_close(1009).await;
    }
}

#[tokio::test]
async fn a_length_that_is_only_claimed_is_1009_at_once() {
    for claimed in [LIMIT as u64 + 1, u64::from(u32::MAX), 1 << 40, (1 << 63) - 1] {
        let host = host().await;
        let mut client = host.raw("/echo").await;
        client.send(Frame::new(BINARY, "hi").claiming(claimed)).await;
        client.expect_close(1009).await;
    }
}

#[tokio::test]
async fn fragments_over_the_limit_are_1009() {
    let host = host().await;
    let mut client = host.raw("/echo").await;
    client.send(Frame::new(BINARY, vec![0; LIMIT / 2]).unfinished()).await;
    client.send(Frame::new(CONTINUATION, vec![0; LIMIT / 2]).unfinished()).await;
    client.send(Frame::new(CONTINUATION, [0]).unfinished()).await;
    client.expect_close(1009).await;
}

#[tokio::test]
async fn a_frame_over_its_own_limit_is_1009() {
    let host = TestHost::serving(&["echo"]).config(|config| config.max_frame = 1024).start().await;
    let mut client = host.raw("/echo").await;
    client.send(Frame::new(TEXT, [b'x'; 1024]).unfinished()).await;
    client.send(Frame::new(CONTINUATION, [b'x'; 1024])).await;
    client.expect(TEXT, [b'x'; 2048]).await;
    client.send(Frame::new(TEXT, [b'x'; 1025])).await;
    client.expect_close(1009).await;
}

#[tokio::test]
async fn an_endless_head_is_cut() {
    let host = host().await;
    for endless in ["GET /echo HTTP/1.1\r\nx-long: ", "GET /"] {
        let mut client = host.dial().await;
        client.write(endless).await;
        let block = [b'x'; 16 * 1024];
        let mut written = 0;
        // Far more than any head has; the host stops reading long before.
        while written < 64 << 20 && client.try_write(block).await.is_ok() {
            written += block.len();
        }
        assert!(written < 64 << 20, "the host reads on and on");
    }
    host.connect("/echo").await.exchange("hi", "hi").await;
}

#[tokio::test]
async fn too_many_header_fields_are_refused() {
    let host = host().await;
    let mut client = host.dial().await;
    let fields: String = (0..2_000).map(|number| format!("x-{number}: x\r\n")).collect();
    let _ = client.try_write(format!("GET /echo HTTP/1.1\r\nhost: x\r\n{fields}\r\n")).await;
    let answer = String::from_utf8_lossy(&client.expect_end().await).into_owned();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 ") || answer.starts_with("HTTP/1.1 400 "),
        "{answer}"
    );
}
