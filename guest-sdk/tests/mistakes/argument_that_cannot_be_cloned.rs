//! A mistake: argument that cannot be cloned.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Result, Socket, controller};

struct Chat;

#[derive(serde::Serialize, serde::Deserialize)]
struct Point;

#[controller]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }

    #[event]
    fn moved(&mut self, _to: Point) -> Result {
        Ok(())
    }
}

fn main() {}
