//! A guest that never gets as far as its handlers: a constructor of the module, which runs when the host instantiates
//! it, loops for ever.

use lakou_sdk::{Controller, Request, Socket, controller};

/// Nothing of it is ever made.
pub struct StartLoops;

#[controller]
impl Controller for StartLoops {
    fn open(_socket: Socket, _request: Request) -> Self {
        StartLoops
    }
}

#[cfg(target_arch = "wasm32")]
#[allow(
    unsafe_code,
    reason = "placing a constructor is unsafe because it runs before anything is set up: the point here"
)]
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = never_return;

#[cfg(target_arch = "wasm32")]
extern "C" fn never_return() {
    loop {
        std::hint::spin_loop();
    }
}
