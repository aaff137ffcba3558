//! Where settings come from: flags before variables before the file before the defaults. Every error is one line that names
//! the source, the key and what is allowed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::nearest::hint;
use super::settings::{self, Setting};
use super::value::Given;
use super::{Config, ControllerConfig, grants};
use crate::text::printable;

/// The file that is read if none is named and it is there.
const DEFAULT_FILE: &str = "lakou.toml";

/// The tables with the settings of single controllers.
const CONTROLLER_TABLES: &str = "controller";

/// The table inside of one of them that the controller itself reads.
const CONFIG_TABLE: &str = "config";

/// The folder of static files if none is named and it is there.
const DEFAULT_PUBLIC: &str = "public";

/// Everything that was given, before it is understood.
#[derive(Debug, Default)]
pub struct Sources {
    /// The configuration file, if one was named.
    pub file: Option<PathBuf>,
    /// Flags: the name of the setting and its value.
    pub flags: Vec<(String, String)>,
    /// Variables of the environment, those of others among them.
    pub variables: Vec<(String, String)>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file can not be read.
    #[error("{file}: {cause}")]
    Read {
        /// The file.
        file: String,
        /// Why not.
        cause: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{file}: line {line}: {}", printable(.cause))]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        cause: String,
    },
    /// A key that no setting has.
    #[error("{}: unknown setting `{}`; {hint}", printable(.origin), printable(.key))]
    Unknown {
        /// The file or the environment.
        origin: String,
        /// The key.
        key: String,
        /// What it was probably meant to be, or where those that are known stand.
        hint: String,
    },
    /// A value that a setting can not have.
    #[error("{}: {}", printable(.origin), printable(.wrong))]
    Value {
        /// The flag, the variable, or the file and the key.
        origin: String,
        /// What was given and what is allowed.
        wrong: String,
    },
    /// Settings that do not fit together.
    #[error("{0}")]
    Together(String),
}

impl Sources {
    /// The configuration that they add up to.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let mut config = Config { cache: default_cache(&self.variables), ..Config::default() };
        let file = match &self.file {
            Some(file) => Some(file.clone()),
            None => self.variable("LAKOU_CONFIG").map(PathBuf::from),
        };
        match file {
            Some(file) => read_file(&mut config, &file)?,
            None if Path::new(DEFAULT_FILE).exists() => read_file(&mut config, Path::new(DEFAULT_FILE))?,
            None => {}
        }
        self.warn_of_unknown_variables();
        for setting in settings::all() {
            let variable = setting.variable();
            let flag = self.flags.iter().rfind(|(name, _)| name == setting.name);
            let (origin, text) = match (flag, self.variable(&variable)) {
                (Some((_, text)), _) => (format!("--{}", setting.name), text.as_str()),
                (None, Some(text)) => (variable, text),
                (None, None) => continue,
            };
            (setting.set)(&mut config, &Given::Text(text.to_owned()))
                .map_err(|wrong| ConfigError::Value { origin, wrong })?;
        }
        if config.public.is_none() && Path::new(DEFAULT_PUBLIC).is_dir() {
            config.public = Some(DEFAULT_PUBLIC.into());
        }
        config.check()?;
        Ok(config)
    }

    /// As if there were one file with this text, and nothing else.
    pub(crate) fn config_of(&self, file: &str, text: &str) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        read_text(&mut config, file.to_owned(), text)?;
        config.check()?;
        Ok(config)
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A misspelt variable must not be silently without effect. It is no error, because others name variables, too:
    /// Kubernetes sets `LAKOU_PORT` beside a service named lakou.
    fn warn_of_unknown_variables(&self) {
        let known = |key: &str| {
            key == "LAKOU_CONFIG" || key == "LAKOU_LOG" || settings::all().any(|setting| setting.variable() == key)
        };
        for (key, _) in self.variables.iter().filter(|(key, _)| key.starts_with("LAKOU_") && !known(key)) {
            let variables: Vec<String> = settings::all().map(Setting::variable).collect();
            let hint = hint(key, variables.iter().map(String::as_str), "`lakou serve --help` has all of them");
            tracing::warn!("environment: {key} is none of the settings and has no effect; {hint}");
        }
    }
}

/// `lakou` in the user's cache folder, as the XDG base directory specification has it.
fn default_cache(variables: &[(String, String)]) -> Option<PathBuf> {
    let variable =
        |name| variables.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value);
    let base = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| variable("HOME").map(|home| Path::new(home).join(".cache")))?;
    Some(base.join("lakou"))
}

fn read_file(config: &mut Config, path: &Path) -> Result<(), ConfigError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Read { file: file.clone(), cause })?;
    read_text(config, file, &text)
}

fn read_text(config: &mut Config, file: String, text: &str) -> Result<(), ConfigError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::Syntax { file: file.clone(), line, cause: error.message().trim().replace('\n', ", ") }
    })?;
    for (key, value) in &table {
        if key == CONTROLLER_TABLES {
            read_controllers(config, &file, value)?;
            continue;
        }
        let Some(setting) = settings::all().find(|setting| setting.name == key) else {
            let hint = if settings::own(key).is_some() {
                format!("it is one of a controller's: write it into [{CONTROLLER_TABLES}.NAME]")
            } else {
                let known = settings::all().map(|setting| setting.name).chain([CONTROLLER_TABLES]);
                hint(key, known, "`lakou serve --help` has all of them")
            };
            return Err(ConfigError::Unknown { origin: file, key: key.clone(), hint });
        };
        if value.is_table() {
            let wrong = format!("is a table; settings of one controller stand in [{CONTROLLER_TABLES}.NAME]");
            return Err(ConfigError::Value { origin: format!("{file}: {key}"), wrong });
        }
        let origin = || format!("{file}: {key}");
        set(value, |given| (setting.set)(config, given))
            .map_err(|wrong| ConfigError::Value { origin: origin(), wrong })?;
    }
    Ok(())
}

/// `[controller.NAME]`, one table a controller.
fn read_controllers(config: &mut Config, file: &str, controllers: &toml::Value) -> Result<(), ConfigError> {
    let origin = |key: &str| format!("{file}: {CONTROLLER_TABLES}{key}");
    let no_table = |key: &str| ConfigError::Value {
        origin: origin(key),
        wrong: format!("is not a table; write [{CONTROLLER_TABLES}.NAME]"),
    };
    for (name, table) in controllers.as_table().ok_or_else(|| no_table(""))? {
        let mut controller = ControllerConfig::default();
        for (key, value) in table.as_table().ok_or_else(|| no_table(&format!(".{name}")))? {
            if key == CONFIG_TABLE {
                controller.grants.config = read_config(&origin(&format!(".{name}.{key}")), value)?;
                continue;
            }
            let Some(own) = settings::own(key) else {
                let hint = if settings::all().any(|setting| setting.name == key) {
                    "it is one of the server's: write it above all tables".to_owned()
                } else {
                    let names = || settings::own_names().chain([CONFIG_TABLE]);
                    hint(key, names(), &format!("there are: {}", names().collect::<Vec<_>>().join(", ")))
                };
                return Err(ConfigError::Unknown { origin: origin(&format!(".{name}")), key: key.clone(), hint });
            };
            set(value, |given| own(&mut controller, given))
                .map_err(|wrong| ConfigError::Value { origin: origin(&format!(".{name}.{key}")), wrong })?;
        }
        config.overrides.insert(name.clone(), controller);
    }
    Ok(())
}

/// `[controller.NAME.config]`, whose keys are the controller's own.
fn read_config(origin: &str, table: &toml::Value) -> Result<BTreeMap<String, grants::Value>, ConfigError> {
    let wrong =
        |key: &str, wrong: &str| ConfigError::Value { origin: format!("{origin}{key}"), wrong: wrong.to_owned() };
    let table = table.as_table().ok_or_else(|| wrong("", "is not a table of keys and values"))?;
    let text = |(key, value): (&String, &toml::Value)| match value {
        toml::Value::String(text) => Ok((key.clone(), grants::Value::from(text.as_str()))),
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => {
            Ok((key.clone(), grants::Value::Text(value.to_string())))
        }
        _ => Err(wrong(&format!(".{key}"), "is a list, a table or a time; a text, a number or a boolean is wanted")),
    };
    table.iter().map(text).collect()
}

/// Hands a value of the file to a setting; numbers and truths may be written as such.
fn set(value: &toml::Value, set: impl FnOnce(&Given) -> Result<(), String>) -> Result<(), String> {
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        other => Err(format!("is a {}; a text or a whole number is wanted", other.type_str())),
    };
    let given = match value {
        toml::Value::Boolean(on) => Given::Switch(*on),
        toml::Value::Array(items) => Given::List(items.iter().map(text).collect::<Result<_, _>>()?),
        other => Given::Text(text(other)?),
    };
    set(&given)
}

#[cfg(test)]
mod tests;
