//! Answers to plain HTTP requests, as far as the load generator needs them: it asks for one thing, and a whole answer is told
//! from a part of one. Where a body ends is said by a length or by its chunks (RFC 9112, section 6).

use std::io;

use crate::frame::PAYLOAD;

/// An answer's head is far smaller; a server that sends more is not one of ours.
const LONGEST_HEAD: usize = 8 * 1024;

/// The request for it.
pub(crate) fn request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").into_bytes()
}

/// How many bytes the answer at the start of `bytes` takes; none if it is not whole yet. It must be the bench's: 200, and what
/// every message says.
pub(crate) fn parse(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some(head) = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return if bytes.len() > LONGEST_HEAD { Err(wrong("a head without an end")) } else { Ok(None) };
    };
    let (head, body) = (String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase(), &bytes[head + 4..]);
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    if !status.starts_with("http/1.1 200 ") {
        return Err(wrong(status));
    }
    let fields = || lines.clone().filter_map(|line| line.split_once(':'));
    let field = |name: &str| fields().find(|(field, _)| *field == name).map(|(_, value)| value.trim());
    let taken = if field("transfer-encoding") == Some("chunked") {
        let Some((said, taken)) = chunks(body)? else { return Ok(None) };
        check(&said)?;
        taken
    } else {
        let length = field("content-length").and_then(|length| length.parse::<usize>().ok());
        let length = length.ok_or_else(|| wrong("neither a length nor chunks"))?;
        let Some(said) = body.get(..length) else { return Ok(None) };
        check(said)?;
        length
    };
    Ok(Some(bytes.len() - body.len() + taken))
}

/// What the chunks say, and how many bytes they take.
fn chunks(body: &[u8]) -> io::Result<Option<(Vec<u8>, usize)>> {
    let (mut said, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = body[at..].windows(2).position(|bytes| bytes == b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(&body[at..at + line]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.ok_or_else(|| wrong("a chunk without a size"))?;
        let begin = at + line + 2;
        let Some(chunk) = body.get(begin..begin + size + 2) else { return Ok(None) };
        said.extend(&chunk[..size]);
        at = begin + size + 2;
        if size == 0 {
            return Ok(Some((said, at)));
        }
    }
}

fn check(said: &[u8]) -> io::Result<()> {
    if said == PAYLOAD { Ok(()) } else { Err(wrong("an answer that is not the one asked for")) }
}

fn wrong(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(head: &str, body: &[u8]) -> Vec<u8> {
        [b"HTTP/1.1 200 OK\r\n", head.as_bytes(), b"\r\n\r\n", body].concat()
    }

    #[test]
    fn an_answer_is_taken_once_it_is_whole() {
        let (first, last) = PAYLOAD.split_at(16);
        let chunked = [b"10\r\n", first, b"\r\n70\r\n", last, b"\r\n0\r\n\r\n"].concat();
        for mut answer in [whole("Content-Length: 128", &PAYLOAD), whole("transfer-encoding: chunked", &chunked)] {
            let length = answer.len();
            for part in 0..length {
                assert!(parse(&answer[..part]).is_ok_and(|taken| taken.is_none()), "{part} bytes");
            }
            answer.extend(b"HTTP");
            assert_eq!(parse(&answer).expect("it is right"), Some(length));
        }
    }

    #[test]
    fn another_answer_is_refused() {
        for answer in [
            b"HTTP/1.1 503 busy\r\n\r\n".to_vec(),
            whole("content-length: 5", b"xxxxx"),
            whole("transfer-encoding: chunked", b"5\r\nxxxxx\r\n0\r\n\r\n"),
            whole("transfer-encoding: chunked", b"no\r\n"),
            whole("date: today", b""),
            vec![b'x'; LONGEST_HEAD + 1],
        ] {
            assert!(parse(&answer).is_err(), "{}", String::from_utf8_lossy(&answer));
        }
    }
}
