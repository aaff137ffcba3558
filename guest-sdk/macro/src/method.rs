//! One marked method: its signature checked, its parameters sorted into what is shared and what is handed over.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::{
    Attribute, Error, FnArg, GenericParam, Ident, ImplItemFn, Pat, Path, ReceiverKind, Result, ReturnType, Safety, Type,
};

/// A method that is called by name.
pub(crate) struct Marked {
    /// As it was written, without the mark.
    pub(crate) item: ImplItemFn,
    /// Whether clients may call it.
    pub(crate) client: bool,
    pub(crate) parameters: Vec<Parameter>,
}

/// One parameter after `self`.
pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    /// The type as it was written.
    pub(crate) written: Type,
    pub(crate) kind: Kind,
}

/// How an argument is kept while the receivers are called.
pub(crate) enum Kind {
    /// By value: each receiver gets its own.
    Owned,
    /// `&str`, kept as a `String`.
    Text,
    /// `&[T]`, kept as a `Vec<T>`.
    Slice(Type),
    /// `&T`, kept as a `T`.
    Shared(Type),
}

const NO_LIFETIME: &str = "an argument lives as long as the call: it needs no lifetime";
const NOT_GENERIC: &str = "a method that is called by name is not generic: its arguments come from JSON";

/// The methods of the trait, which are called by their meaning and not by their name.
pub(crate) const LIFECYCLE: [&str; 10] =
    ["connect", "open", "resume", "suspend", "message", "close", "shutdown", "undelivered", "replaced", "http"];

/// Takes the marks off a method. `None`: it has none. `Some(true)`: clients may call it.
pub(crate) fn take_mark(attributes: &mut Vec<Attribute>) -> Result<Option<bool>> {
    let is_mark = |path: &Path| path.is_ident("event") || path.is_ident("client");
    let marks: Vec<Attribute> = attributes.extract_if(.., |attribute| is_mark(attribute.path())).collect();
    let Some(mark) = marks.first() else { return Ok(None) };
    if let Some(second) = marks.get(1) {
        let reason = "one mark is enough: `#[event]` for controllers only, `#[client]` for clients and controllers";
        return Err(Error::new_spanned(second, reason));
    }
    if mark.meta.require_path_only().is_err() {
        return Err(Error::new_spanned(mark, "a mark takes no arguments: `#[event]` or `#[client]`"));
    }
    Ok(Some(mark.path().is_ident("client")))
}

impl Marked {
    pub(crate) fn parse(item: ImplItemFn, client: bool) -> Result<Self> {
        let signature = &item.sig;
        let name = &signature.ident;
        let is_lifecycle = LIFECYCLE.contains(&name.unraw().to_string().as_str());
        let mark = if client { "client" } else { "event" };
        let better_name = if is_lifecycle { format!("{name}_event") } else { name.to_string() };
        let wanted = format!("wanted: `#[{mark}] fn {better_name}(&mut self, text: &str, count: u32) -> Result`");
        let mut errors = Errors::default();
        let mut refuse =
            |at: &dyn ToTokens, reason: &str| errors.add(Error::new_spanned(at, format!("{reason}; {wanted}")));

        if is_lifecycle {
            refuse(name, &format!("`{name}` is a method of `Controller` and cannot be called by name"));
        }
        if let Some(asyncness) = &signature.asyncness {
            refuse(asyncness, "a method that is called by name is not `async`: no call of the host waits");
        }
        if let Some(constness) = &signature.constness {
            refuse(constness, "a method that is called by name is not `const`");
        }
        if !matches!(signature.safety, Safety::Default) {
            refuse(&signature.safety, "a method that is called by name is not `unsafe`");
        }
        if let Some(abi) = &signature.abi {
            refuse(abi, "a method that is called by name has no ABI");
        }
        match signature.generics.params.first() {
            Some(lifetime @ GenericParam::Lifetime(_)) => refuse(lifetime, NO_LIFETIME),
            Some(parameter) => refuse(parameter, NOT_GENERIC),
            None => {}
        }
        if let ReturnType::Type(_, output) = &signature.output
            && !returns_nothing_or_result(output)
        {
            refuse(output, "a method that is called by name returns nothing or `Result`: nobody waits for a value");
        }
        let mut inputs = signature.inputs.iter().peekable();
        match inputs.next_if(|input| matches!(input, FnArg::Receiver(_))) {
            Some(FnArg::Receiver(receiver)) if matches!(receiver.kind, ReceiverKind::Reference(..)) => {}
            Some(receiver) => refuse(receiver, "an event comes more than once: the method borrows `self`"),
            None => refuse(name, "an event is handled by a connection: the method takes `&mut self`"),
        }
        let mut parameters = Vec::new();
        for input in inputs {
            match Parameter::parse(input, client) {
                Ok(parameter) => parameters.push(parameter),
                Err((at, reason)) => refuse(at, reason),
            }
        }
        errors.finish()?;
        Ok(Self { item, client, parameters })
    }

    pub(crate) fn name(&self) -> &Ident {
        &self.item.sig.ident
    }
}

impl Parameter {
    fn parse(input: &FnArg, client: bool) -> std::result::Result<Self, (&dyn ToTokens, &'static str)> {
        let FnArg::Typed(input) = input else { return Err((input, "`self` comes first")) };
        let ident = match &*input.pat {
            Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => pattern.ident.clone(),
            pattern => return Err((pattern, "a parameter is called by a name")),
        };
        if client && ident == "event" {
            return Err((&input.pat, "`event` names the method in a client's message and cannot be an argument"));
        }
        let kind = match &*input.ty {
            Type::Reference(reference) if reference.mutability.is_some() => {
                return Err((reference, "many receivers share what is behind a reference: it is not `mut`"));
            }
            Type::Reference(reference) if reference.lifetime.is_some() => return Err((reference, NO_LIFETIME)),
            Type::Reference(reference) => match &*reference.elem {
                Type::Path(path) if path.qself.is_none() && path.path.is_ident("str") => Kind::Text,
                Type::Slice(slice) => Kind::Slice((*slice.elem).clone()),
                shared => Kind::Shared(shared.clone()),
            },
            generic @ Type::ImplTrait(_) => return Err((generic, NOT_GENERIC)),
            owned if borrows(owned.to_token_stream()) => {
                return Err((owned, "an argument by value owns what it holds: `Option<String>`, not `Option<&str>`"));
            }
            _ => Kind::Owned,
        };
        Ok(Self { ident, written: (*input.ty).clone(), kind })
    }
}

/// Whether a type holds a reference or a lifetime somewhere.
fn borrows(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Punct(mark) => matches!(mark.as_char(), '&' | '\''),
        TokenTree::Group(group) => borrows(group.stream()),
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    })
}

/// `()` or a path that ends in `Result`; whether it is the right one is the compiler's business.
fn returns_nothing_or_result(output: &Type) -> bool {
    match output {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Result"),
        _ => false,
    }
}

/// Errors found so far; all of them are told at once.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value of a step that worked; the error of one that did not is kept.
    pub(crate) fn take<T>(&mut self, step: Result<T>) -> Option<T> {
        step.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
