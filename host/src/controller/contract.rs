//! Whether what a component exports under the contract's names has the contract's types. The generated bindings ask for the
//! names when a component is loaded and for the types when its first instance is made, which would be its first connection.
//!
//! The check itself is wasmtime's: the one that its generated code makes of functions that stand in no interface.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower, Resource, ResourceAny};

use super::bindings::lakou::controller::types::{Acceptance, ClosingParam, EventParam, MessageParam, Refusal, Request};
use super::imports::sockets::Socket;
use super::state::GuestState;

/// The exports of one interface.
struct Exports<'p> {
    pre: &'p InstancePre<GuestState>,
    name: &'p str,
    index: ComponentExportIndex,
}

/// Each function of the interface `name`, as `wit/controller.wit` has it.
///
/// # Errors
///
/// Names the function, and says what it takes or gives instead.
pub(super) fn check(pre: &InstancePre<GuestState>, name: &str) -> Result<(), String> {
    let index = pre.component().get_export_index(None, name).ok_or_else(|| format!("exports no `{name}`"))?;
    let exports = Exports { pre, name, index };
    exports.function::<(Request<'_>,), (Result<Acceptance, Refusal>,)>("connect")?;
    exports.function::<(&[(ResourceAny, MessageParam<'_>)],), ()>("receive")?;
    exports.function::<(&[ResourceAny], EventParam<'_>), ()>("deliver")?;
    exports.function::<(Resource<Socket>, Request<'_>), (ResourceAny,)>("[constructor]connection")?;
    exports.function::<(Resource<Socket>, Request<'_>, &[u8]), (Result<ResourceAny, String>,)>(
        "[static]connection.resume",
    )?;
    exports.method::<(ResourceAny,), (Option<Vec<u8>>,)>("suspend")?;
    exports.method::<(ResourceAny, &str, EventParam<'_>), ()>("on-undelivered")?;
    exports.method::<(ResourceAny, &str, &str, EventParam<'_>), ()>("on-notification")?;
    exports.method::<(ResourceAny, &str), ()>("on-replaced")?;
    exports.method::<(ResourceAny,), ()>("on-shutdown")?;
    exports.method::<(ResourceAny, ClosingParam<'_>), ()>("on-close")
}

impl Exports<'_> {
    fn method<Params, Results>(&self, function: &str) -> Result<(), String>
    where
        Params: ComponentNamedList + Lower,
        Results: ComponentNamedList + Lift,
    {
        self.function::<Params, Results>(&format!("[method]connection.{function}"))
    }

    fn function<Params, Results>(&self, function: &str) -> Result<(), String>
    where
        Params: ComponentNamedList + Lower,
        Results: ComponentNamedList + Lift,
    {
        let wrong = |what: &str| format!("`{function}` of `{}` {what}", self.name);
        match self.pre.component().get_export(Some(&self.index), function) {
            Some((ComponentItem::ComponentFunc(exported), _)) => exported
                .typecheck::<Params, Results>(&self.pre.instance_type())
                .map_err(|error| wrong(&format!("has another type than in the contract: {error:#}"))),
            Some(_) => Err(wrong("is no function")),
            None => Err(wrong("is missing")),
        }
    }
}
