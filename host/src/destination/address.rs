//! What an address is good for: whether it is one of the public internet, or of a network that only this machine, or only
//! its neighbours, can reach. From the registries of special-purpose addresses (RFC 6890 and its successors).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// To the internet.
    Public,
    /// To this machine.
    Loopback,
    /// Into a network of one's own: private use, unique local, shared address space of a provider.
    Private,
    /// To the link (cloud metadata among it), to many, to nobody, or through a translator to somewhere unknown.
    Other,
}

/// Judges an address by where it leads in the end: one that embeds an IPv4 address leads where that does.
pub(super) fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_of_v4(address),
        IpAddr::V6(address) => kind_of_v6(address),
    }
}

/// Whether one peer can be meant by it.
pub(super) fn can_be_dialled(address: IpAddr) -> bool {
    let address = address.to_canonical();
    !address.is_unspecified() && !address.is_multicast() && address != IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn kind_of_v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        [127, ..] => Kind::Loopback,
        // Metadata of clouds that is not link-local, with credentials in it: Azure's and Alibaba's.
        [168, 63, 129, 16] | [100, 100, 100, 200] => Kind::Other,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Kind::Private,
        // This network; link-local; protocol assignments; documentation; 6to4 relays; benchmarks; multicast; reserved.
        [0, ..] | [169, 254, ..] | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Kind::Other,
        [192, 88, 99, _] | [198, 18..=19, ..] | [224..=255, ..] => Kind::Other,
        _ => Kind::Public,
    }
}

fn kind_of_v6(address: Ipv6Addr) -> Kind {
    if address == Ipv6Addr::LOCALHOST {
        return Kind::Loopback;
    }
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = || {
        let [one, two] = g.to_be_bytes();
        let [three, four] = h.to_be_bytes();
        kind_of_v4(Ipv4Addr::new(one, two, three, four))
    };
    match (a, b) {
        // IPv4-mapped; and the well-known prefix of NAT64, by which all of IPv4 is reached from networks without it.
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) => embedded(),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => embedded(),
        // Metadata of Amazon's cloud.
        (0xfd00, 0xec2) if (c, d, e, f, g, h) == (0, 0, 0, 0, 0, 0x254) => Kind::Other,
        (0xfc00..=0xfdff, _) => Kind::Private,
        // Teredo and others; documentation, twice; 6to4.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) | (0x2002, _) => Kind::Other,
        // All that is given out as global unicast.
        (0x2000..=0x3fff, _) => Kind::Public,
        _ => Kind::Other,
    }
}
