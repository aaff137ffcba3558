//! The attribute macro of `lakou-sdk`. It is thin: it reads signatures and writes the table from names to methods; what
//! happens in a call is in the SDK. Documented there, as `lakou_sdk::controller`.
//!
//! `defaults` reads the attribute, `method` one marked method, `expand` puts the parts together.

use proc_macro::TokenStream;

mod defaults;
mod expand;
mod method;
mod path;

/// Makes an `impl Controller for Type` the controller of the component that this crate is.
///
/// `#[controller]`, `#[controller(path = "/chat/{room}")]`, `#[controller(name = "chat", path = "/chat/{room}")]` or
/// `#[controller(service)]`: then the host makes one object on each server, without a client, and there is no path unless one is
/// written, too.
///
/// The name is the type's in kebab-case by default, and the path is `/` and the name. A path segment is literal text, a
/// parameter `{name}`, or, at the end, a parameter for the rest `{*name}`.
///
/// Beside the methods of the trait, the block holds methods that are called by name:
///
/// - `#[event]`: controllers may call it, on any server, with an event or a notification of that name;
/// - `#[client]`: clients may call it as well, with a JSON message: `{"event":"say","text":"hi"}` calls `say(text)`.
///
/// Such a method takes `&mut self` and any number of named parameters, and returns nothing or `Result`. A parameter is
/// a serde type by value (and `Clone`: one event is read once and handed to many), or a reference: `&str`, `&[T]` and
/// `&T` copy nothing for each receiver. An `Option` may be absent. Calls that do not fit are reported and counted by the
/// host; the method is not called.
///
/// For a type `Chat` with such methods the macro also makes `ChatEvents`, with a constructor of the same name and
/// parameters for each: `ChatEvents::joined("bob", 3)` is the event that calls `joined`.
#[proc_macro_attribute]
pub fn controller(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(args.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
