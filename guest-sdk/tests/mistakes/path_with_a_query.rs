//! A mistake: path with a query.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[controller(path = "/chat?room={room}")]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }
}

fn main() {}
