//! What scenarios are written with: a host (in process, or the real binary), clients (polite ones and rude ones), the
//! guests, Redis servers that can fail, a web server and a feed for guests to call, and bounded waiting. Nothing here knows a single scenario.

pub(crate) mod binary;
pub(crate) mod buses;
pub(crate) mod bystander;
pub(crate) mod components;
pub(crate) mod feed;
pub(crate) mod fleet;
pub(crate) mod folder;
pub(crate) mod frames;
pub(crate) mod front;
pub(crate) mod guests;
pub(crate) mod host;
pub(crate) mod http;
pub(crate) mod logs;
pub(crate) mod ports;
pub(crate) mod random;
pub(crate) mod raw;
pub(crate) mod redis;
pub(crate) mod siege;
pub(crate) mod wait;
pub(crate) mod wasm;
pub(crate) mod web;
pub(crate) mod ws;
