//! A mistake: event with a reference inside of its argument.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[controller]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    #[event]
    fn joined(&mut self, _names: Vec<&str>, _from: Option<std::borrow::Cow<'_, str>>) -> Result {
        Ok(())
    }
}

fn main() {}
