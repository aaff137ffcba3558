//! A mistake: event with another result.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[controller]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    #[event]
    fn joined(&mut self, name: &str) -> Result<usize> {
        Ok(name.len())
    }
}

fn main() {}
