//! A mistake: no trait.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::controller;

struct Chat;

#[controller]
impl Chat {
    fn say(&mut self) {}
}

fn main() {}
