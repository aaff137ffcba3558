//! A mistake: generic controller.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::{Controller, Request, Socket, controller};

struct Chat<T>(T);

#[controller]
impl<T: Default + 'static> Controller for Chat<T> {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self(T::default())
    }
}

fn main() {}
