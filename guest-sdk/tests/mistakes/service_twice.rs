//! `service` says it once.

use lakou_sdk::{Controller, Request, Socket, controller};

struct Chat;

#[controller(service, service)]
impl Controller for Chat {
    fn open(_socket: Socket, _request: Request) -> Self {
        Self
    }
}

fn main() {}
