//! A mistake: not an impl.

#![allow(unused_imports, reason = "the macro stops at the mistake")]

use lakou_sdk::controller;

#[controller]
struct Chat;

fn main() {}
