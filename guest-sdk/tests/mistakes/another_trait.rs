//! A mistake: another trait.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::controller;

struct Chat;

#[controller]
impl Default for Chat {
    fn default() -> Self {
        Self
    }
}

fn main() {}
