//! What a controller may do by itself, and what by grant.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `messaging` | whom a controller may address, by itself and by grant |
//! | `host_services` | configuration, log, variables and folders, as granted |

mod host_services;
mod messaging;
