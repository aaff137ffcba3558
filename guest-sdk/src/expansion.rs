//! What the expansion of the attribute macro needs, and nobody else: no promise is made about anything in here.

pub use core::option::Option;
pub use core::result::Result::Ok;

pub use crate::arguments::{Misfit, RawArguments};
pub use crate::class::{Class, Method, Receivers};

#[cfg(target_family = "wasm")]
pub use crate::{bindings, component::Component, incoming_http::Http};
#[cfg(target_family = "wasm")]
pub use wasip2;

/// Makes the crate a component: exports the class and embeds its defaults.
#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($class:ident, $defaults:literal) => {
        const _: () = {
            type Exported = $crate::expansion::Component<$class>;
    $crate::expansion::bindings::export_controller!(Exported with_types_in $crate::expansion::bindings);

            #[used]
            #[unsafe(link_section = "lakou:controller")]
            static DEFAULTS: [u8; $defaults.len()] = *$defaults;
        };
    };
}

/// Off WebAssembly there is nothing to export to.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($class:ident, $defaults:literal) => {};
}

/// Makes the component answer plain HTTP as well.
#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http {
    ($class:ident) => {
        const _: () = {
            type Exported = $crate::expansion::Http<$class>;
    $crate::expansion::wasip2::http::proxy::export!(Exported with_types_in $crate::expansion::wasip2);
        };
    };
}

/// Off WebAssembly there is nothing to export to.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http {
    ($class:ident) => {};
}

pub use crate::{__export as export, __export_http as export_http};
