//! Precedence of the sources, and the one line that each mistake gives.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::Sources;
use crate::config::{Config, ConfigError, Value};

/// What these sources add up to, with a file of this text, which is gone afterwards.
fn with_file(sources: &Sources, text: &str) -> Result<Config, ConfigError> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("lakou-config-{}-{number}.toml", std::process::id()));
    std::fs::write(&path, text).expect("a file");
    let Sources { flags, variables, .. } = sources;
    let sources = Sources { file: Some(path.clone()), flags: flags.clone(), variables: variables.clone() };
    let config = sources.config();
    std::fs::remove_file(&path).expect("our own");
    config
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn wrong(text: &str) -> String {
    let error = with_file(&Sources::default(), text).expect_err("wrong").to_string();
    assert!(!error.contains('\n'), "one line: {error}");
    error
}

#[test]
fn flags_before_variables_before_the_file() {
    let text = "listen = \"127.0.0.1:1\"\noutbox = \"2MiB\"\ncpu-time = \"1s\"\n";
    let mut sources = Sources::default();
    let config = with_file(&sources, text).expect("a configuration");
    assert_eq!((config.listen.port(), config.outbox), (1, 2 * 1024 * 1024));
    assert_eq!(config.idle_timeout, Duration::from_secs(60), "the default");

    sources.variables = pairs(&[("LAKOU_LISTEN", "127.0.0.1:2"), ("LAKOU_CPU_TIME", "2s"), ("PATH", "/bin")]);
    sources.flags = pairs(&[("listen", "127.0.0.1:3")]);
    let config = with_file(&sources, text).expect("a configuration");
    assert_eq!((config.listen.port(), config.outbox), (3, 2 * 1024 * 1024));
    assert_eq!(config.guest.cpu_time, Duration::from_secs(2));
}

#[test]
fn controllers_have_tables() {
    let text = "memory = 1048576\norigins = [\"https://example.org\"]\n[controller.chat]\npath = \"/c\"\nmemory = \"128MiB\"\norigins = \"*\"\n";
    let config = with_file(&Sources::default(), text).expect("a configuration");
    let chat = &config.overrides["chat"];
    assert_eq!((chat.path.as_deref(), chat.memory), (Some("/c"), Some(128 * 1024 * 1024)));
    assert_eq!(chat.origins.as_deref(), Some(&["*".to_owned()][..]));
    assert_eq!(config.all_limits().map(|limits| limits.memory).max(), Some(128 * 1024 * 1024));
    assert_eq!(config.guest.with(chat).cpu_time, Duration::from_millis(100));
}

#[test]
fn mistakes_are_named() {
    let error = wrong("lisen = \"127.0.0.1:1\"");
    assert!(error.contains("unknown setting `lisen`") && error.contains("listen"), "{error}");
    let error = wrong("ping-interval = \"soon\"");
    assert!(error.contains("ping-interval: is \"soon\"") && error.contains("500ms"), "{error}");
    let error = wrong("outbox = \"1GiB\"\nmax-topics = 0");
    assert!(error.contains("max-topics: is \"0\"; a whole number from 1"), "{error}");
    let error = wrong("\n\nlisten = ");
    assert!(error.contains("line 3"), "{error}");
    let error = wrong("[controller.chat]\nport = 1");
    assert!(error.contains("controller.chat: unknown setting `port`"), "{error}");
    let error = wrong("controller = 7");
    assert!(error.contains("not a table"), "{error}");
    let error = wrong("memory = true");
    assert!(error.contains("memory: is a boolean"), "{error}");
    let error = wrong("idle-timeout = \"5s\"");
    assert!(error.contains("idle-timeout (5s) must be longer than ping-interval (25s)"), "{error}");
    let error = wrong("origins = [\"example.org\"]");
    assert!(error.contains("https://example.org"), "{error}");
    for origin in ["https://*", "https://a.*.example.org", "https://example.org/", "https://me@example.org", "https://"]
    {
        let error = wrong(&format!("origins = [\"{origin}\"]"));
        assert!(error.contains(origin) && error.contains("* by itself"), "{error}");
    }

    let error = wrong("[controllers.chat]\npath = \"/c\"");
    assert!(error.contains("[controller.NAME]"), "{error}");
    let others = Sources { variables: pairs(&[("LAKOU_PORT", "tcp://10.0.0.1:80")]), ..Sources::default() };
    assert!(others.config().is_ok(), "a variable of somebody else");
    let sources = Sources { flags: pairs(&[("listen", "here")]), ..Sources::default() };
    assert!(sources.config().expect_err("wrong").to_string().starts_with("--listen: is \"here\""));
    let sources = Sources { file: Some("/nowhere/lakou.toml".into()), ..Sources::default() };
    assert!(sources.config().expect_err("wrong").to_string().starts_with("/nowhere/lakou.toml: "));
}

#[test]
fn grants_stand_with_their_controller() {
    let text = r#"
        messaging = ["topic:news/*"]
        [controller.chat]
        keyvalue = true
        http = ["https://api.example.org", "http://127.0.0.1:9000"]
        environment = ["TZ", "MODE=fast"]
        files = ["./data/words"]
        messaging = "all, identity:user:*"
        [controller.chat.config]
        limit = 7
        loud = true
        greeting = "hello"
        token = "env:TOKEN"
        [controller.echo]
        path = "/e"
    "#;
    let config = with_file(&Sources::default(), text).expect("a configuration");
    let grants = &config.overrides["chat"].grants;
    assert!(grants.keyvalue && grants.http.len() == 2 && grants.environment.len() == 2 && grants.files.len() == 1);
    let messaging: Vec<_> = grants.messaging.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(messaging, ["all", "identity:user:*"]);
    let value = |key: &str| grants.config[key].clone();
    assert_eq!((value("limit"), value("loud")), ("7".into(), "true".into()));
    assert_eq!(value("token"), Value::Variable("TOKEN".into()));
    let other = &config.overrides["echo"].grants;
    assert!(!other.keyvalue && other.http.is_empty() && other.messaging.is_none() && other.config.is_empty());
    assert_eq!(config.messaging.len(), 1);
}

#[test]
fn wrong_grants_are_named() {
    let chat = |line: &str| wrong(&format!("[controller.chat]\n{line}"));
    for (line, words) in [
        ("keyvalue = \"yes\"", ["controller.chat.keyvalue", "true"]),
        ("http = true", ["controller.chat.http: is a boolean", "list"]),
        ("http = [\"api.example.org\"]", ["controller.chat.http: has \"api.example.org\"", "https://api.example.org"]),
        (
            "http = [\"wss://a.org\"]",
            ["controller.chat.http: has a destination of another kind", "http:// or https://"],
        ),
        ("websocket = [\"http://a.org\"]", ["controller.chat.websocket: has a destination", "ws:// or wss://"]),
        ("service = \"maybe\"", ["controller.chat.service", "true"]),
        ("max-outward = 0", ["controller.chat.max-outward", "whole number"]),
        ("files = \"/\"", ["controller.chat.files: has \"/\"", "NAME=FOLDER"]),
        ("environment = [\"=\"]", ["controller.chat.environment", "NAME=VALUE"]),
        ("messaging = [\"chat\"]", ["controller.chat.messaging: has \"chat\"", "controller:NAME"]),
        ("config = 1", ["controller.chat.config: is not a table", "keys"]),
        ("config = { a = [1] }", ["controller.chat.config.a: is a list", "number"]),
        ("config = { \"a\\nb\" = [1] }", ["controller.chat.config.a\\nb: is a list", "number"]),
        ("\"a\\u001bb\" = 1", ["unknown setting `a\\u{1b}b`", "keyvalue"]),
    ] {
        let error = chat(line);
        assert!(!error.chars().any(char::is_control), "{error:?}");
        assert!(words.iter().all(|word| error.contains(word)), "{line}: {error}");
    }
}

#[test]
fn origins_are_as_browsers_write_them() {
    let text = "origins = [\"https://a.org:443\", \"http://b.org:80\", \"https://c.org:8443\", \"*\"]";
    let config = with_file(&Sources::default(), text).expect("a configuration");
    assert_eq!(config.origins, ["https://a.org", "http://b.org", "https://c.org:8443", "*"]);
}

#[test]
fn networks_of_ipv4_are_that_however_they_are_written() {
    let text = "trusted-proxies = [\"::ffff:10.0.0.0/104\", \"::ffff:192.0.2.1\", \"2001:db8::/32\", \"10.1.0.0/16\"]";
    let config = with_file(&Sources::default(), text).expect("a configuration");
    let written: Vec<String> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(written, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "10.1.0.0/16"]);
}
