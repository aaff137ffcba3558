//! A mistake: several mistakes at once.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[controller(route = "/chat")]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    #[event]
    async fn joined(_name: &str) -> usize {
        0
    }

    fn say(&mut self, _text: &str) -> Result {
        Ok(())
    }
}

fn main() {}
