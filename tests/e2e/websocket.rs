//! One WebSocket connection, from the handshake to the close.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `handshake` | what `connect` can answer: subprotocols, header fields, refusals; header fields of a refusal |
//! | `sessions` | one open connection: pings, time-outs, closing, limits |
//! | `client_events` | JSON messages of clients as calls of methods, and those that are none; what the log says of a message that fits no method |
//! | `silence` | who counts as idle, and who does not |
//! | `closing` | the host closes, and the client does not make it easy |

mod client_events;
mod closing;
mod handshake;
mod sessions;
mod silence;
