//! A mistake: `service` says it once.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Socket, controller};

struct Chat;

#[controller(service, service)]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }
}

fn main() {}
