//! From the annotated block to the controller, its table of methods, its typed events and its exports.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Ident, ImplItem, ItemImpl, LitByteStr, Result, Type};

use crate::defaults::Defaults;
use crate::method::{Errors, Kind, LIFECYCLE, Marked, Parameter, take_mark};

const WANTED: &str = "wanted: `#[controller] impl Controller for Chat { .. }`";

const RESUME: &str = "fn resume(socket: Socket, request: Request, state: Saved) -> Result<Self>";

/// Everything that `#[controller(args)] item` becomes.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut block = parse_block(item)?;
    let class = class_of(&block)?;
    let mut errors = Errors::default();
    let defaults = errors.take(Defaults::parse(args, &class));
    let marked = take_marked(&mut block, &mut errors);
    let resumes = written(&block, "resume").is_some();
    if let Some(suspend) = written(&block, "suspend").filter(|_| !resumes) {
        errors.add(Error::new(suspend.span(), format!("what `suspend` gives is for `resume`; wanted: `{RESUME}`")));
    }
    errors.finish()?;
    let Some(defaults) = defaults else { unreachable!("its error has been returned") };

    let defaults = Defaults { resume: resumes, ..defaults };
    let answers_http = written(&block, "http").is_some();
    let class_impl = class_impl(&class, &defaults, &marked);
    let events = typed_events(&class, &marked);
    let methods = marked.iter().map(|marked| &marked.item);
    let json = LitByteStr::new(defaults.to_json().as_bytes(), class.span());
    let export_http = answers_http.then(|| quote!(::lakou_sdk::expansion::export_http!(#class);));
    let inherent = (!marked.is_empty()).then(|| quote!(impl #class { #(#methods)* }));

    Ok(quote! {
        #block
        #inherent
        #class_impl
        #events
        ::lakou_sdk::expansion::export!(#class, #json);
        #export_http
    })
}

fn parse_block(item: TokenStream) -> Result<ItemImpl> {
    let span = item.clone().into_iter().next().map_or_else(proc_macro2::Span::call_site, |token| token.span());
    let is_block = item.clone().into_iter().any(|token| token.to_string() == "impl");
    // Errors inside of an impl block are the parser's own; it knows them better.
    syn::parse2(item)
        .map_err(|error| if is_block { error } else { Error::new(span, format!("not an `impl`; {WANTED}")) })
}

/// The name of a method of the trait where the block has it.
fn written<'a>(block: &'a ItemImpl, name: &str) -> Option<&'a Ident> {
    block.items.iter().find_map(|item| match item {
        ImplItem::Fn(method) if method.sig.ident == name => Some(&method.sig.ident),
        _ => None,
    })
}

/// The name of the type that the block makes a controller.
fn class_of(block: &ItemImpl) -> Result<Ident> {
    let wrong = |at: &dyn ToTokens, reason: &str| Err(Error::new_spanned(at, format!("{reason}; {WANTED}")));
    match &block.trait_ {
        None => return wrong(&block.self_ty, "this block implements no trait"),
        Some((path, _)) if path.segments.last().is_none_or(|segment| segment.ident != "Controller") => {
            return wrong(path, "this block implements another trait");
        }
        Some(_) => {}
    }
    if let Some(parameter) = block.generics.params.first() {
        return wrong(parameter, "a component exports one type: a controller is not generic");
    }
    match &*block.self_ty {
        Type::Path(path) if path.qself.is_none() => match path.path.get_ident() {
            Some(ident) => Ok(ident.clone()),
            None => wrong(path, "name the type alone, in the module that it is defined in"),
        },
        other => wrong(other, "a controller is a type of this crate"),
    }
}

/// Moves the marked methods out of the block and checks that what stays belongs to the trait.
fn take_marked(block: &mut ItemImpl, errors: &mut Errors) -> Vec<Marked> {
    let mut marked = Vec::new();
    for item in std::mem::take(&mut block.items) {
        let ImplItem::Fn(mut method) = item else {
            errors.add(Error::new_spanned(item, "only methods belong here; put this into an `impl` block of its own"));
            continue;
        };
        match take_mark(&mut method.attrs) {
            Err(error) => errors.add(error),
            Ok(Some(client)) => marked.extend(errors.take(Marked::parse(method, client))),
            Ok(None) => {
                let name = &method.sig.ident;
                if !LIFECYCLE.contains(&name.to_string().as_str()) {
                    let reason = format!(
                        "`{name}` is not a method of `Controller`; to have it called by name, write \
                         `#[event] fn {name}(&mut self, text: &str, count: u32) -> Result` (or `#[client]`, which lets \
                         clients call it too); otherwise put it into an `impl` block of its own"
                    );
                    errors.add(Error::new(name.span(), reason));
                }
                block.items.push(ImplItem::Fn(method));
            }
        }
    }
    marked
}

/// The table from names to methods.
fn class_impl(class: &Ident, defaults: &Defaults, marked: &[Marked]) -> TokenStream {
    let Defaults { name, path, service, resume } = defaults;
    let path = match path {
        Some(path) => quote!(::lakou_sdk::expansion::Option::Some(#path)),
        None => quote!(::lakou_sdk::expansion::Option::None),
    };
    let client_methods = marked.iter().any(|marked| marked.client);
    let arms = marked.iter().map(table_entry);
    quote! {
        #[automatically_derived]
        impl ::lakou_sdk::expansion::Class for #class {
            const NAME: &'static str = #name;
            const PATH: ::lakou_sdk::expansion::Option<&'static str> = #path;
            const SERVICE: bool = #service;
            const CLIENT_METHODS: bool = #client_methods;
            const RESUMES: bool = #resume;

            fn method(name: &str) -> ::lakou_sdk::expansion::Option<::lakou_sdk::expansion::Method<Self>> {
                match name {
                    #(#arms)*
                    _ => ::lakou_sdk::expansion::Option::None,
                }
            }
        }
    }
}

fn table_entry(marked: &Marked) -> TokenStream {
    let method = marked.name();
    let conditions = conditions(&marked.item.attrs);
    let name = method.unraw().to_string();
    let make = if marked.client { format_ident!("client") } else { format_ident!("event") };
    let locals: Vec<Ident> = (0..marked.parameters.len()).map(|index| format_ident!("argument_{index}")).collect();
    let reads = marked.parameters.iter().enumerate().zip(&locals).map(|((index, parameter), local)| {
        let stored = stored_type(parameter);
        let name = parameter.ident.unraw().to_string();
        quote_spanned!(parameter.written.span()=> let #local = arguments.read::<#stored>(#index, #name)?;)
    });
    let owned = marked.parameters.iter().zip(&locals).filter(|(parameter, _)| matches!(parameter.kind, Kind::Owned));
    let owned: Vec<&Ident> = owned.map(|(_, local)| local).collect();
    let passed = marked.parameters.iter().zip(&locals).map(|(parameter, local)| match parameter.kind {
        Kind::Owned => quote!(#local),
        _ => quote!(&#local),
    });
    let count = marked.parameters.len();
    let call = quote_spanned! {method.span()=>
        receivers.each((#(#owned,)*), |object: &mut Self, (#(#owned,)*)| object.#method(#(#passed),*));
    };
    quote! {
        #(#conditions)*
        #name => ::lakou_sdk::expansion::Option::Some(::lakou_sdk::expansion::Method::#make(|arguments, receivers| {
            #(#reads)*
            arguments.end(#count)?;
            #call
            ::lakou_sdk::expansion::Ok(())
        })),
    }
}

/// `ChatEvents`, with a constructor an event.
fn typed_events(class: &Ident, marked: &[Marked]) -> Option<TokenStream> {
    if marked.is_empty() {
        return None;
    }
    let events = format_ident!("{}Events", class.unraw());
    let constructors = marked.iter().map(|marked| {
        let method = marked.name();
        let name = method.unraw().to_string();
        let conditions = conditions(&marked.item.attrs);
        let idents: Vec<&Ident> = marked.parameters.iter().map(|parameter| &parameter.ident).collect();
        let types = marked.parameters.iter().map(|parameter| &parameter.written);
        let summary = format!("The event that calls `{class}::{name}`.");
        quote! {
            #(#conditions)*
            #[doc = #summary]
            #[must_use]
            pub fn #method(#(#idents: #types),*) -> ::lakou_sdk::Event {
                ::lakou_sdk::Event::new(#name, (#(#idents,)*))
            }
        }
    });
    let summary = format!("Makes the events that the methods of [`{class}`] handle.");
    Some(quote! {
        #[doc = #summary]
        #[derive(Clone, Copy, Debug)]
        pub struct #events;

        #[allow(dead_code, private_interfaces, reason = "not every class sends all of its events itself")]
        impl #events {
            #(#constructors)*
        }
    })
}

fn stored_type(parameter: &Parameter) -> TokenStream {
    match &parameter.kind {
        Kind::Owned => parameter.written.to_token_stream(),
        Kind::Text => quote!(::std::string::String),
        Kind::Slice(element) => quote!(::std::vec::Vec<#element>),
        Kind::Shared(shared) => shared.to_token_stream(),
    }
}

/// What switches a method off has to switch off what is made for it.
fn conditions(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}
