//! The fake host, for native unit tests.

pub(crate) use crate::testing::door::*;
