//! A mistake: event named like a lifecycle method.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[controller]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    #[event]
    fn message(&mut self, _text: &str) -> Result {
        Ok(())
    }

    #[client]
    fn replaced(&mut self, _identity: &str) -> Result {
        Ok(())
    }

    #[event]
    fn resume(&mut self, _round: u32) -> Result {
        Ok(())
    }

    #[client]
    fn suspend(&mut self) -> Result {
        Ok(())
    }
}

fn main() {}
