//! A mistake: event with a pattern.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[controller]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    #[event]
    fn moved(&mut self, (_x, _y): (u32, u32)) -> Result {
        Ok(())
    }
}

fn main() {}
