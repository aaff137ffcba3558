//! Events and publications between connections, on each bus.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `events` | who gets a multicast, broadcast or unicast, and in which order, on each bus |
//! | `topics` | who gets a publication, on each bus |

mod events;
mod topics;
