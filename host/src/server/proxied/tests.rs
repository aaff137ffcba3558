//! Headers of both versions, in one piece and byte by byte, and what is none.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;
use crate::clients::Clients;
use crate::config::Config;
use crate::metrics::Metrics;

const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Who the client is if `pieces` come from a proxy, and what is left to be read then.
async fn read_from(pieces: &[&[u8]]) -> Option<(String, Vec<u8>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let mut near = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("it listens");
    let (far, address) = listener.accept().await.expect("it was connected");
    let clients = Clients::new(Arc::new(Config::default()), Arc::new(Metrics::default()));
    let reading = tokio::spawn(client(far, clients.visitor(address)));
    near.set_nodelay(true).expect("an open socket");
    for piece in pieces {
        // Who does not like the beginning hangs up.
        let _ = near.write_all(piece).await;
        tokio::task::yield_now().await;
    }
    let _ = near.shutdown().await;
    let (mut stream, visitor) = reading.await.expect("no panic")?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("the rest");
    Some((visitor.address().to_string(), rest))
}

fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
    [V2, &[command, family], &length, rest].concat()
}

#[tokio::test]
async fn headers_of_both_versions() {
    let four = [192, 0, 2, 7, 10, 0, 0, 1, 0x12, 0x34, 0, 80];
    let six = [&[0x20, 1, 0x0d, 0xb8], &[0; 11][..], &[9], &[0; 16], &[0, 5, 0, 80]].concat();
    let with_more = [&four[..], &[4, 0, 3, 1, 2, 3]].concat();
    let longest = format!("PROXY TCP6 {} {} 65535 65535\r\n", ["ffff"; 8].join(":"), ["ffff"; 8].join(":"));
    for (header, expected) in [
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 4660 80\r\n".to_vec(), "192.0.2.7:4660"),
        (b"PROXY TCP6 2001:db8::9 ::1 5 80\r\n".to_vec(), "[2001:db8::9]:5"),
        (longest.into_bytes(), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"),
        (version_2(0x21, 0x11, &four), "192.0.2.7:4660"),
        (version_2(0x21, 0x21, &six), "[2001:db8::9]:5"),
        (version_2(0x21, 0x11, &with_more), "192.0.2.7:4660"),
    ] {
        let whole = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
        let (client, rest) = read_from(&[&whole]).await.expect("a header");
        assert_eq!((client.as_str(), &rest[..]), (expected, &b"GET / HTTP/1.1\r\n"[..]));
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        let (client, rest) = read_from(&bytes).await.expect("a header");
        assert_eq!((client.as_str(), rest.len()), (expected, 16));
    }
}

#[tokio::test]
async fn a_proxy_may_speak_for_itself() {
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), version_2(0x20, 0, &[]), version_2(0x21, 0, &[])] {
        let (client, rest) = read_from(&[&header, b"x"]).await.expect("a header");
        assert!(client.starts_with("127.0.0.1:") && rest == b"x", "{client}");
    }
}

#[tokio::test]
async fn what_is_no_header_is_refused() {
    let endless = format!("PROXY TCP4 {}", "1".repeat(200));
    for wrong in [
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 4660\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.777 10.0.0.1 4660 80\r\n".to_vec(),
        b"PROXY TCP5 192.0.2.7 10.0.0.1 4660 80\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 4660 80\n-----".to_vec(),
        b"PROXY".to_vec(),
        endless.into_bytes(),
        version_2(0x11, 0x11, &[0; 12]),
        version_2(0x22, 0x11, &[0; 12]),
        version_2(0x21, 0x11, &[0; 11]),
        version_2(0x21, 0x51, &[0; 12]),
        version_2(0x21, 0x11, &[0; 5000]),
        V2.to_vec(),
    ] {
        assert!(read_from(&[&wrong]).await.is_none(), "{}", String::from_utf8_lossy(&wrong));
    }
}
