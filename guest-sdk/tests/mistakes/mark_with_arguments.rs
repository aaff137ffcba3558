//! A mistake: mark with arguments.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[controller]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    #[event(name = "said")]
    fn say(&mut self, _text: &str) -> Result {
        Ok(())
    }
}

fn main() {}
