//! From the host's calls to a controller's handlers: the way in, the same for the real host and the fake one.

use crate::arguments::{ClientCall, Misfit, RawArguments};
use crate::class::{Class, Object, Receivers, report};
use crate::event::Event;
use crate::message::Message;
use crate::notification::{Handling, Notification};
use crate::platform::{self, Origin};

/// Hands each message to its object, in order.
pub(crate) fn receive<'a, C: Class>(batch: impl ExactSizeIterator<Item = (&'a Object<C>, Message)>) {
    let several = batch.len() > 1;
    for (index, (object, message)) in batch.enumerate() {
        if several {
            platform::attend(index);
        }
        message_to(object, message);
    }
}

/// Calls the method that has the event's name on each object; a class without such a method ignores the event.
pub(crate) fn deliver<C: Class>(objects: &[&Object<C>], event: &Event) {
    let Some(method) = C::method(event.name()) else { return };
    let outcome = RawArguments::of_event(event.args())
        .and_then(|arguments| (method.call)(&arguments, Receivers::new(objects, event.name())));
    if let Err(misfit) = outcome {
        tell(Origin::Event, event.name(), &misfit);
    }
}

/// Calls the method that has the event's name, which can ask what notification it is for.
pub(crate) fn notify<C: Class>(object: &Object<C>, notification: Notification, event: &Event) {
    let _handling = Handling::begin(notification);
    deliver(&[object], event);
}

/// A client's JSON call goes to the method it names, any other message to `message`.
fn message_to<C: Class>(object: &Object<C>, message: Message) {
    if C::CLIENT_METHODS
        && let Message::Text(text) = &message
        && let Some(call) = ClientCall::parse(text)
    {
        if let Err(misfit) = client_call(object, &call) {
            tell(Origin::Client, &call.event, &misfit);
        }
        return;
    }
    report("message", object.borrow_mut().message(message));
}

/// The security boundary: what is not marked for clients is not called, whatever its name.
fn client_call<C: Class>(object: &Object<C>, call: &ClientCall<'_>) -> Result<(), Misfit> {
    match C::method(&call.event) {
        Some(method) if method.client => (method.call)(&call.arguments, Receivers::new(&[object], &call.event)),
        Some(_) => Err(Misfit("clients may not call this method".to_owned())),
        None => Err(Misfit("there is no such method".to_owned())),
    }
}

/// What is told of a misfit, in bytes: enough for a name and a reason. Both may quote what a client has sent, which may be
/// as long as a message.
const LONGEST_QUOTE: usize = 256;

fn tell(origin: Origin, name: &str, Misfit(reason): &Misfit) {
    let cut = |text: &str| text.floor_char_boundary(LONGEST_QUOTE);
    platform::misfit(origin, &name[..cut(name)], &reason[..cut(reason)]);
}
