//! Each mistake in a controller is a file of its name in `mistakes/`, beside what the compiler says to it.
//!
//! After a change of a message: `TRYBUILD=overwrite cargo test -p lakou-sdk --test mistakes`, then read the difference.

#[test]
fn mistakes_are_told_with_the_wanted_signature() {
    trybuild::TestCases::new().compile_fail("tests/mistakes/*.rs");
}
