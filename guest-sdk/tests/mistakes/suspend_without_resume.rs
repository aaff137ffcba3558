//! A mistake: suspend without resume.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Saved, Socket, controller};

struct Chat;

#[controller]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    fn suspend(&mut self) -> Option<Saved> {
        None
    }
}

fn main() {}
