//! A lot in the controller's bucket, which all servers share: looked at, and changed in one step. Who bids, and who is told,
//! is for the connection.

use std::time::Duration;

use lakou_sdk::{Fault, Result, keyvalue};
use serde::{Deserialize, Serialize};

/// A lot that nobody has changed for so long is forgotten: what clients name must not stay for ever.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How often somebody else may be faster before it is given up, which takes a crowd: each time one of them has got through.
const TRIES: u32 = 100;

/// What is known of a lot. One that nobody has bid for is not in the bucket, and has the defaults.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lot {
    /// The highest bid; 0: none.
    pub(crate) amount: u64,
    /// Whose that is.
    pub(crate) bidder: String,
    /// Nobody can bid any more.
    pub(crate) sold: bool,
}

/// What came of a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The lot is like this now.
    Changed(Lot),
    /// It was not changed, because it is like this.
    Refused(Lot),
}

/// A lot as it is now.
pub(crate) fn look(name: &str) -> Result<Lot> {
    Ok(keyvalue::get_json(&key(name))?.unwrap_or_default())
}

/// Changes a lot, whatever others do at the same time, on whatever server. `change` is shown the lot as it is and says what
/// becomes of it, or `None`; if somebody was faster, it is shown what they have made of it.
pub(crate) fn update(name: &str, change: impl Fn(&Lot) -> Option<Lot>) -> Result<Outcome> {
    let key = key(name);
    for _ in 0..TRIES {
        let kept = keyvalue::get(&key)?;
        let lot = kept.as_deref().map(serde_json::from_slice).transpose()?.unwrap_or_default();
        let Some(changed) = change(&lot) else { return Ok(Outcome::Refused(lot)) };
        let value = serde_json::to_vec(&changed)?;
        // What was read is what must still be there, byte by byte.
        if keyvalue::compare_and_swap_for(&key, kept.as_deref(), Some(&value), LIFETIME)? {
            return Ok(Outcome::Changed(changed));
        }
    }
    Err(Fault::Unavailable(format!("{name}: somebody was faster {TRIES} times")))
}

fn key(name: &str) -> String {
    format!("lot/{name}")
}
