//! Replies of the scripts, checked: what is in Redis may have been written by somebody else.

use redis::{FromRedisValue, Value};

use crate::ids::ConnectionId;
use crate::store::{NotificationId, StoreError};
use crate::text::{cut, printable};

/// What a script says in place of an answer when the keys hold what no script wrote.
const CORRUPT: &str = "corrupt";

/// The reply as what it ought to be.
pub(super) fn shape<T: FromRedisValue>(reply: Value) -> Result<T, StoreError> {
    if let Value::Array(items) = &reply
        && let [Value::BulkString(word), Value::BulkString(what)] = items.as_slice()
        && word == CORRUPT.as_bytes()
    {
        return Err(corrupt(&String::from_utf8_lossy(what)));
    }
    T::from_redis_value(reply).map_err(|error| corrupt(&error.to_string()))
}

pub(super) fn ids(texts: Vec<String>) -> Result<Vec<ConnectionId>, StoreError> {
    texts.iter().map(|text| text.parse().map_err(|_| corrupt(&format!("the holder {text:?}")))).collect()
}

pub(super) fn id(text: &str) -> Result<NotificationId, StoreError> {
    text.parse().map_err(|_| corrupt(&format!("the notification {text:?}")))
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(cut(&printable(what), 500).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn foreign_replies_are_errors() {
        let foreign = [Value::Nil, Value::Okay, text("x"), Value::Array(vec![text("1")]), Value::Int(-1)];
        for reply in foreign {
            let shaped = shape::<(u64, Vec<String>)>(reply.clone());
            assert!(matches!(shaped, Err(StoreError::Corrupt(_))), "{reply:?}: {shaped:?}");
        }
        let invalid = Value::Array(vec![Value::Int(1), Value::Array(vec![Value::BulkString(vec![0xff])])]);
        assert!(matches!(shape::<(u64, Vec<String>)>(invalid), Err(StoreError::Corrupt(_))));
    }

    #[test]
    fn a_script_says_what_is_wrong() {
        let reply = Value::Array(vec![text("corrupt"), text("last is\nx")]);
        assert_eq!(shape::<Option<u32>>(reply), Err(StoreError::Corrupt("last is\\nx".into())));
    }

    #[test]
    fn ids_are_checked() {
        assert!(id("12").is_ok() && id("x").is_err());
        assert!(ids(vec!["x".into()]).is_err());
    }
}
