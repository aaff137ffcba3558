//! `wasi:sockets`, which the standard libraries of some languages import whether they use it or not: it is there, and every
//! use of it is denied. No socket is ever made, so nothing can be done with one.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::ResolveAddressStream;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily, Network};
use wasmtime_wasi::p2::bindings::sockets::tcp::TcpSocket;
use wasmtime_wasi::p2::bindings::sockets::udp::UdpSocket;
use wasmtime_wasi::p2::bindings::sockets::{
    instance_network, ip_name_lookup, network, tcp, tcp_create_socket, udp, udp_create_socket,
};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};

use crate::controller::state::GuestState;
use crate::text::{cut, printable};

/// How much of a name that is looked up is logged: a name of the DNS is not longer.
const NAME_BYTES: usize = 255;

/// What a function that is denied gives back.
type Denied<T> = wasmtime::Result<(Result<Resource<T>, ErrorCode>,)>;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    instance_network::add_to_linker::<_, WasiSockets>(linker, GuestState::sockets)?;
    network::add_to_linker::<_, WasiSockets>(linker, &network::LinkOptions::default(), GuestState::sockets)?;
    tcp::add_to_linker::<_, WasiSockets>(linker, GuestState::sockets)?;
    tcp_create_socket::add_to_linker::<_, WasiSockets>(linker, GuestState::sockets)?;
    udp::add_to_linker::<_, WasiSockets>(linker, GuestState::sockets)?;
    udp_create_socket::add_to_linker::<_, WasiSockets>(linker, GuestState::sockets)?;
    ip_name_lookup::add_to_linker::<_, WasiSockets>(linker, GuestState::sockets)?;
    // The only ways to a socket and to an address. The library would deny them, too, without a word to the operator.
    linker.allow_shadowing(true);
    linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?.func_wrap("create-tcp-socket", create_tcp_socket)?;
    linker.instance("wasi:sockets/udp-create-socket@0.2.12")?.func_wrap("create-udp-socket", create_udp_socket)?;
    linker.instance("wasi:sockets/ip-name-lookup@0.2.12")?.func_wrap("resolve-addresses", resolve_addresses)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn create_tcp_socket(store: StoreContextMut<'_, GuestState>, (_family,): (IpAddressFamily,)) -> Denied<TcpSocket> {
    Ok((Err(denied(store.data(), "a TCP socket")),))
}

fn create_udp_socket(store: StoreContextMut<'_, GuestState>, (_family,): (IpAddressFamily,)) -> Denied<UdpSocket> {
    Ok((Err(denied(store.data(), "a UDP socket")),))
}

fn resolve_addresses(
    store: StoreContextMut<'_, GuestState>,
    (_network, name): (Resource<Network>, String),
) -> Denied<ResolveAddressStream> {
    let what = format!("the addresses of {}", printable(cut(&name, NAME_BYTES)));
    Ok((Err(denied(store.data(), &what)),))
}

fn denied(state: &GuestState, what: &str) -> ErrorCode {
    let class = &state.class;
    let text = format!(
        "{what}: wasi:sockets is not for controllers. Requests go by wasi:http/outgoing-handler with http = [\"https://...\"], \
         WebSockets by lakou:controller/client with websocket = [\"wss://...\"], in [controller.{}] of lakou.toml",
        class.name
    );
    class.denied(state.batch.connection(), &text);
    ErrorCode::AccessDenied
}
