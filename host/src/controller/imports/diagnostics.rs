//! `diagnostics`: what a guest tells about its own work.

use wasmtime::component::{HasSelf, Linker};

use crate::controller::bindings::lakou::controller::diagnostics::{self, Host, Origin};
use crate::controller::state::GuestState;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    diagnostics::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

impl Host for GuestState {
    fn attend(&mut self, index: u32) -> wasmtime::Result<()> {
        if self.batch.attend(index) {
            self.clock.step();
        }
        Ok(())
    }

    fn misfit(&mut self, origin: Origin, name: String, reason: String) -> wasmtime::Result<()> {
        self.class.environment.metrics.misfits.count();
        let origin = match origin {
            Origin::Client => "client message",
            Origin::Event => "event",
        };
        self.class.output.misfit(self.batch.connection(), origin, &name, &reason);
        Ok(())
    }
}
