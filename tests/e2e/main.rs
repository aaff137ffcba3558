//! The end-to-end tests: the real host, real guests, real sockets. Where a new test goes (a folder says it module by module):
//!
//! | module | what it shows |
//! | --- | --- |
//! | `examples` | every example does what its header says; a folder without a scenario fails |
//! | `readme` | the first page of the README, and the grants, followed by the letter |
//! | `loading` | from files to mounted controllers |
//! | `http` | plain HTTP: which controller a request reaches, what the guest is told of it, and what the client is answered |
//! | `static_files` | what is served from the public folder, how, and what never is |
//! | `websocket` | one WebSocket connection, from the handshake to the close |
//! | `delivery` | events and publications between connections, on each bus |
//! | `services` | objects without a client: what they hear, and that they come back |
//! | `identities` | who is registered, and what is notified: on every store, across servers, and when things fail |
//! | `values` | keys and values of guests, in each store |
//! | `grants` | what a controller may do by itself, and what by grant |
//! | `outbound` | what guests reach outside: where they may go, and where never |
//! | `limits` | room and its ends: as much as there may be, and that it comes back |
//! | `hostile_clients` | clients that break the protocol, send too much, or hold on: the limit that stops each, its counter and log line, and a prompt bystander |
//! | `hostile_guests` | components that try what they must not be able to do, or fail in every way: what stops them, and who notices |
//! | `redis` | several servers on one Redis, also when servers, Redis and the networks between them fail |
//! | `process` | the program: its command line, its signals, its end |
//! | `documents` | what the documents say of the code: settings, counters, walks, links |
//! | `dependencies` | that wasmtime is compiled once |
//! | `tidy` | the style that a program can check |
//!
//! `harness` is what they are written with. A test waits for a condition, with a bound; it never rests for a fixed time.

mod harness;

mod delivery;
mod dependencies;
mod documents;
mod examples;
mod grants;
mod hostile_clients;
mod hostile_guests;
mod http;
mod identities;
mod limits;
mod loading;
mod outbound;
mod process;
mod readme;
mod redis;
mod services;
mod static_files;
mod tidy;
mod values;
mod websocket;
