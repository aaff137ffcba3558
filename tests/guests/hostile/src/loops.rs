//! Calls that do not come back by themselves.

use lakou_sdk::expansion::bindings::lakou::controller::diagnostics;
use std::hint::black_box;
use std::time::Duration;
use wasip2::clocks::monotonic_clock::subscribe_duration;

pub(crate) fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

pub(crate) fn sleep() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// Waits for what does not happen in this life.
pub(crate) fn block() -> ! {
    let never = subscribe_duration(u64::MAX);
    loop {
        never.block();
    }
}

pub(crate) fn recurse() -> ! {
    panic!("came back from {}", deeper(1))
}

#[expect(unconditional_recursion, reason = "it ends at a limit of the host's")]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    black_box(deeper(frame[63] + 1)) + frame[0]
}

/// Says again and again that it has come to another item of its batch, each of which would have a budget of its own.
pub(crate) fn attend() -> ! {
    for index in (0..u32::MAX).cycle() {
        diagnostics::attend(index);
        diagnostics::attend(u32::MAX - index);
    }
    unreachable!("it goes round for ever");
}
