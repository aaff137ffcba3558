//! A mistake: generic event.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[controller]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    #[event]
    fn joined<T: Into<String>>(&mut self, _name: T) -> Result {
        Ok(())
    }

    #[client]
    fn say(&mut self, _text: impl Into<String>) -> Result {
        Ok(())
    }
}

fn main() {}
