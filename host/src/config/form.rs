//! What values settings take: how one is read, how it is shown, and what is allowed. `value` reads, with the same bounds in its
//! errors.

use std::path::PathBuf;
use std::time::Duration;

use super::value::{self, Given};

/// What the values of a setting are like.
pub(super) trait Form<T> {
    /// What stands for a value in the help.
    fn value_name(&self) -> &'static str;
    /// What is allowed, for the reference.
    fn allowed(&self) -> String;
    fn read(&self, given: &Given) -> Result<T, String>;
    /// As it is written in `lakou.toml`.
    fn show(&self, value: &T) -> String;
}

/// A whole number from 1 to this.
pub(super) struct Count(pub(super) usize);

/// A size from the one to the other.
pub(super) struct Size(pub(super) usize, pub(super) usize);

/// A duration from this to a day.
pub(super) struct Time(pub(super) Duration);

/// Yes or no.
pub(super) struct Switch;

/// Whatever has a reader of its own.
pub(super) struct Text<T> {
    pub(super) value_name: &'static str,
    pub(super) allowed: &'static str,
    pub(super) read: fn(&Given) -> Result<T, String>,
    pub(super) show: fn(&T) -> String,
}

/// What may be absent: then it is as the text says.
pub(super) struct Or<F>(pub(super) F, pub(super) &'static str);

/// A folder.
pub(super) const FOLDER: Text<PathBuf> =
    Text { value_name: "DIR", allowed: "a folder", read: value::path, show: |path| path.display().to_string() };

impl Form<usize> for Count {
    fn value_name(&self) -> &'static str {
        "COUNT"
    }

    fn allowed(&self) -> String {
        format!("1 to {}", self.0)
    }

    fn read(&self, given: &Given) -> Result<usize, String> {
        value::count(given, self.0)
    }

    fn show(&self, value: &usize) -> String {
        value.to_string()
    }
}

impl Form<u32> for Count {
    fn value_name(&self) -> &'static str {
        "COUNT"
    }

    fn allowed(&self) -> String {
        Form::<usize>::allowed(self)
    }

    fn read(&self, given: &Given) -> Result<u32, String> {
        value::count(given, self.0).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn show(&self, value: &u32) -> String {
        value.to_string()
    }
}

impl Form<usize> for Size {
    fn value_name(&self) -> &'static str {
        "SIZE"
    }

    fn allowed(&self) -> String {
        format!("{} to {}", size(self.0), size(self.1))
    }

    fn read(&self, given: &Given) -> Result<usize, String> {
        value::size(given, self.0, self.1)
    }

    fn show(&self, value: &usize) -> String {
        size(*value)
    }
}

impl Form<Duration> for Time {
    fn value_name(&self) -> &'static str {
        "TIME"
    }

    fn allowed(&self) -> String {
        format!("{} to 24h", time(self.0))
    }

    fn read(&self, given: &Given) -> Result<Duration, String> {
        value::duration(given, self.0)
    }

    fn show(&self, value: &Duration) -> String {
        time(*value)
    }
}

impl Form<bool> for Switch {
    fn value_name(&self) -> &'static str {
        "true|false"
    }

    fn allowed(&self) -> String {
        "true or false".into()
    }

    fn read(&self, given: &Given) -> Result<bool, String> {
        value::switch(given)
    }

    fn show(&self, value: &bool) -> String {
        value.to_string()
    }
}

impl<T> Form<T> for Text<T> {
    fn value_name(&self) -> &'static str {
        self.value_name
    }

    fn allowed(&self) -> String {
        self.allowed.into()
    }

    fn read(&self, given: &Given) -> Result<T, String> {
        (self.read)(given)
    }

    fn show(&self, value: &T) -> String {
        (self.show)(value)
    }
}

impl<T, F: Form<T>> Form<Option<T>> for Or<F> {
    fn value_name(&self) -> &'static str {
        self.0.value_name()
    }

    fn allowed(&self) -> String {
        self.0.allowed()
    }

    fn read(&self, given: &Given) -> Result<Option<T>, String> {
        self.0.read(given).map(Some)
    }

    fn show(&self, value: &Option<T>) -> String {
        value.as_ref().map_or_else(|| self.1.to_owned(), |value| self.0.show(value))
    }
}

/// In the largest unit that it is a whole number of.
fn size(bytes: usize) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let whole = units.into_iter().find(|(_, shift)| bytes > 0 && bytes.trailing_zeros() >= *shift);
    whole.map_or_else(|| bytes.to_string(), |(unit, shift)| format!("{}{unit}", bytes >> shift))
}

/// In the largest unit that it is a whole number of.
fn time(time: Duration) -> String {
    match (time.as_secs(), time.subsec_millis()) {
        (seconds, 0) if seconds > 0 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        (seconds, 0) => format!("{seconds}s"),
        _ => format!("{}ms", time.as_millis()),
    }
}
