//! A mistake: attribute argument that is no string.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[controller(path = 7)]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }
}

fn main() {}
