//! `wasi:config/store`: what the operator has written for the controller.

use wasmtime::component::{HasSelf, Linker};

use crate::controller::bindings::wasi::config::store::{self, Error, Host};
use crate::controller::state::GuestState;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

impl Host for GuestState {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, Error>> {
        Ok(Ok(self.class.granted.config.get(&key).cloned()))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, Error>> {
        let all = &self.class.granted.config;
        Ok(Ok(all.iter().map(|(key, value)| (key.clone(), value.clone())).collect()))
    }
}
