//! Room and its ends: as much as there may be, and that it comes back.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `capacity` | as many instances as there may be, and that room comes back |
//! | `churn` | everything at once, and that nothing is left behind |
//! | `overrides` | settings of one controller, and settings that are too much |

mod capacity;
mod churn;
mod overrides;
