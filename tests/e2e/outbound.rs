//! What guests reach outside: where they may go, and where never.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `http` | HTTP requests of guests: where they may go, and where never |
//! | `websockets` | WebSockets of guests to other servers: where they may go, what fails, who hears of it |
//! | `hostile_servers` | servers elsewhere that break the WebSocket protocol |

mod hostile_servers;
mod http;
mod websockets;
