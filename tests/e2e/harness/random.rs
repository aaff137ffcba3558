//! Random numbers that come again with their seed: what a test did by chance, it can do once more.

/// splitmix64 (Steele, Lea and Flood 2014): small, and good enough for choosing moments and places.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random { state: seed }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound`, which is left out.
    pub(crate) fn below(&mut self, bound: u16) -> u16 {
        let remainder = self.next() % u64::from(bound);
        u16::try_from(remainder).expect("smaller than the bound")
    }
}

#[test]
fn the_numbers_are_those_of_splitmix64() {
    let mut random = Random::new(0);
    assert_eq!([random.next(), random.next()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
}
