//! A mistake: client argument called event.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[controller]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    #[client]
    fn say(&mut self, event: &str) -> Result {
        let _ = event;
        Ok(())
    }
}

fn main() {}
