//! A guest that wants the network by way of its standard library, which no host offers to it.

use lakou_sdk::{Controller, Message, Request, Result, Socket, controller};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

/// It tells its client whether it got through.
pub struct DialsOut {
    socket: Socket,
}

#[controller]
impl Controller for DialsOut {
    fn open(socket: Socket, _request: Request) -> Self {
        DialsOut { socket }
    }

    fn message(&mut self, message: Message) -> Result {
        let (how, address) = message.as_text().and_then(|text| text.split_once(' ')).unwrap_or_default();
        let tried = match how {
            "connect" => TcpStream::connect(address).map(drop),
            "listen" => TcpListener::bind(address).map(drop),
            "datagram" => UdpSocket::bind(address).map(drop),
            "look-up" => address.to_socket_addrs().map(drop),
            _ => Ok(()),
        };
        match tried {
            Ok(()) => self.socket.send("reached"),
            Err(error) => self.socket.send(format!("out of reach: {:?}", error.kind())),
        }
    }
}
