//! What one controller may do, ready for use: folders open, values read, names looked up. It is made when the controller is
//! loaded, and what is wrong with it is a line about that controller.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtx};

use crate::config::{Addressee, Grants, Value, Variable};
use crate::destination::Destination;
use crate::outbound::{self, Outbound};

mod messaging;

pub(super) use self::messaging::{Denied, Messaging};

/// The largest file that a value is read from: it is handed to guests as a whole.
const VALUE_BYTES: u64 = 64 * 1024;

/// The grants of one controller.
pub(super) struct Granted {
    pub(super) keyvalue: bool,
    pub(super) messaging: Messaging,
    /// None: it may send no requests.
    pub(super) outbound: Option<Arc<Outbound>>,
    /// None: it may open no WebSockets.
    pub(super) websocket: Option<Arc<Outbound>>,
    pub(super) config: BTreeMap<String, String>,
    variables: Vec<(String, String)>,
    folders: WasiFilesystemCtx,
}

impl Granted {
    /// Looks everything up. `everybody` is whom all controllers may address that have no list of their own.
    ///
    /// # Errors
    ///
    /// The first that can not be had, on one line.
    pub(super) fn new(name: &str, grants: &Grants, everybody: &[Addressee]) -> Result<Self, String> {
        if grants.http.iter().chain(&grants.websocket).any(outbound::needs_trust)
            && let Err(wrong) = outbound::trust()
        {
            tracing::warn!(controller = name, "https and wss will fail: {wrong}");
        }
        let value = |(key, value): (&String, &Value)| match read(value) {
            Ok(text) => Ok((key.clone(), text)),
            Err(wrong) => Err(format!("its configuration: {key}: {wrong}")),
        };
        Ok(Granted {
            keyvalue: grants.keyvalue,
            messaging: Messaging::new(name, grants.messaging.as_deref().unwrap_or(everybody)),
            outbound: way_out(&grants.http),
            websocket: way_out(&grants.websocket),
            config: grants.config.iter().map(value).collect::<Result<_, _>>()?,
            variables: grants.environment.iter().filter_map(|variable| look_up(name, variable)).collect(),
            folders: open(grants)?,
        })
    }

    /// What a store sees of the machine.
    pub(super) fn furnish(&self, builder: &mut wasmtime_wasi::WasiCtxBuilder) -> WasiCtx {
        let mut context = builder.envs(&self.variables).build();
        // Opened once, for all stores.
        context.filesystem().clone_from(&self.folders);
        context
    }
}

fn way_out(granted: &[Destination]) -> Option<Arc<Outbound>> {
    (!granted.is_empty()).then(|| Arc::new(Outbound::new(granted.to_vec())))
}

fn look_up(controller: &str, variable: &Variable) -> Option<(String, String)> {
    let name = variable.name.clone();
    if let Some(value) = &variable.value {
        return Some((name, value.clone()));
    }
    match std::env::var(&name) {
        Ok(value) => Some((name, value)),
        Err(error) => {
            tracing::warn!(controller, "the variable {name} is granted and not handed in: {error}");
            None
        }
    }
}

fn read(value: &Value) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Variable(name) => std::env::var(name).map_err(|error| match error {
            std::env::VarError::NotPresent => format!("the variable {name} is not set"),
            std::env::VarError::NotUnicode(_) => format!("the variable {name} is not text in UTF-8"),
        }),
        Value::File(path) => read_file(path).map_err(|wrong| format!("{}: {wrong}", path.display())),
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(VALUE_BYTES + 1).read_to_string(&mut text).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => "is not text in UTF-8".to_owned(),
        _ => error.to_string(),
    })?;
    if text.len() as u64 > VALUE_BYTES {
        return Err(format!("has over {VALUE_BYTES} bytes"));
    }
    // Editors and `echo` end a file with one.
    let end = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text).len());
    text.truncate(end.unwrap_or(text.len()));
    Ok(text)
}

fn open(grants: &Grants) -> Result<WasiFilesystemCtx, String> {
    let mut builder = WasiCtx::builder();
    for folder in &grants.files {
        builder.preopened_dir(&folder.path, &folder.name, FsPerms::ReadOnly).map_err(|error| {
            format!("the folder {} is granted to it: {}", folder.path.display(), error.root_cause())
        })?;
    }
    Ok(builder.build().filesystem().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(key: &str, value: Value) -> Result<BTreeMap<String, String>, String> {
        let grants = Grants { config: [(key.to_owned(), value)].into(), ..Grants::default() };
        Granted::new("chat", &grants, &[]).map(|granted| granted.config)
    }

    #[test]
    fn values_are_read_from_where_they_are() {
        let file = std::env::temp_dir().join(format!("lakou-value-{}", std::process::id()));
        std::fs::write(&file, "s3cret\r\n").expect("a file");
        let read = granted("token", Value::File(file.clone()));
        assert_eq!(read.map(|values| values["token"].clone()), Ok("s3cret".to_owned()));
        std::fs::write(&file, "x".repeat(64 * 1024 + 1)).expect("a file");
        assert!(granted("token", Value::File(file.clone())).is_err_and(|wrong| wrong.contains("over 65536 bytes")));
        std::fs::write(&file, b"\xff").expect("a file");
        assert!(granted("token", Value::File(file.clone())).is_err_and(|wrong| wrong.contains("UTF-8")));
        std::fs::remove_file(&file).expect("our own");
        let missing = granted("token", Value::File(file)).expect_err("no file");
        assert!(missing.starts_with("its configuration: token: /"), "{missing}");
        assert!(granted("home", Value::Variable("HOME".into())).is_ok());
        let unset = granted("token", Value::Variable("LAKOU_NO_SUCH".into())).expect_err("not set");
        assert!(unset.contains("LAKOU_NO_SUCH is not set"), "{unset}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let grants = Grants { files: vec!["/nowhere/words".parse().expect("a folder")], ..Grants::default() };
        let wrong = Granted::new("chat", &grants, &[]).map(drop).expect_err("no folder");
        assert!(wrong.contains("/nowhere/words"), "{wrong}");
    }
}
