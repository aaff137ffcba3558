//! The PROXY protocol (versions 1 and 2): a trusted proxy that only passes bytes on says before the first of them who the
//! client is. Nothing behind the header is read.

use std::io;

use proxy_header::{ParseConfig, ProxyHeader};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::clients::{Limit, Visitor};

/// What both versions are told apart by: the shortest header of version 1, and the signature of version 2, are this long.
const BEGINNING: usize = 15;

/// The longest header of version 1.
const LONGEST_LINE: usize = 107;

/// The fixed part of a header of version 2.
const FIXED: usize = 16;

/// The longest rest of a header of version 2. The addresses take 36 bytes of it; names and certificates are not looked at.
const LONGEST_REST: usize = 4096;

/// Reads the header that the connection of a proxy must begin with, within `handshake-timeout`; gives the client that the
/// proxy names, or the proxy itself where it says that it speaks for itself. None: there is no such header.
pub(super) async fn client(mut stream: TcpStream, proxy: Visitor) -> Option<(TcpStream, Visitor)> {
    let patience = proxy.clients().settings().handshake_timeout;
    let header = match tokio::time::timeout(patience, read(&mut stream)).await {
        Ok(Ok(header)) => header,
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => return refused(&proxy),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a proxy left before its PROXY header was there");
            return None;
        }
        Err(_elapsed) => return refused(&proxy),
    };
    match ProxyHeader::parse(&header, ParseConfig { include_tlvs: false, ..ParseConfig::default() }) {
        Ok((parsed, length)) if length == header.len() => {
            let named = parsed.proxied_address().map(|addresses| addresses.source);
            let client = named.map_or_else(|| proxy.clone(), |address| proxy.clients().visitor(address));
            Some((stream, client))
        }
        _ => refused(&proxy),
    }
}

fn refused(proxy: &Visitor) -> Option<(TcpStream, Visitor)> {
    proxy.met(Limit::ProxyHeader);
    None
}

async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut header = vec![0; BEGINNING];
    stream.read_exact(&mut header).await?;
    match header.first() {
        Some(b'P') => line(stream, header).await,
        Some(b'\r') => {
            header.push(stream.read_u8().await?);
            let rest = usize::from(u16::from_be_bytes([header[FIXED - 2], header[FIXED - 1]]));
            if rest > LONGEST_REST {
                return Err(io::ErrorKind::InvalidData.into());
            }
            header.resize(FIXED + rest, 0);
            stream.read_exact(&mut header[FIXED..]).await?;
            Ok(header)
        }
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Reads on to the end of the line. What follows it is only looked at, and stays for who reads next.
async fn line(stream: &mut TcpStream, mut header: Vec<u8>) -> io::Result<Vec<u8>> {
    while !header.ends_with(b"\n") {
        if header.len() >= LONGEST_LINE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut ahead = [0; LONGEST_LINE];
        let seen = stream.peek(&mut ahead[header.len()..]).await?;
        let ahead = &ahead[header.len()..][..seen];
        let taken = ahead.iter().position(|byte| *byte == b'\n').map_or(seen, |end| end + 1);
        if taken == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let before = header.len();
        header.resize(before + taken, 0);
        stream.read_exact(&mut header[before..]).await?;
    }
    Ok(header)
}

#[cfg(test)]
mod tests;
