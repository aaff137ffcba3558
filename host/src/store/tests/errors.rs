//! The words that errors of Redis are known by, from a real server.

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, RedisError, Script, Value, cmd};

use super::stores::RedisServer;
use crate::link::Said;

async fn connect(url: &str) -> Result<MultiplexedConnection, RedisError> {
    Client::open(url).expect("a URL").get_multiplexed_async_connection().await
}

fn command(words: &str) -> Cmd {
    let mut words = words.split(' ');
    let mut command = cmd(words.next().expect("a name"));
    words.fold(&mut command, |command, word| command.arg(word));
    command
}

async fn fails(line: &mut MultiplexedConnection, words: &str) -> RedisError {
    command(words).query_async::<Value>(line).await.expect_err(words)
}

async fn done(line: &mut MultiplexedConnection, words: &str) {
    command(words).query_async::<Value>(line).await.unwrap_or_else(|error| panic!("{words}: {error}"));
}

#[tokio::test]
async fn what_redis_says_of_commands() {
    let server = RedisServer::start();
    let mut line = connect(&server.url()).await.expect("a connection");
    done(&mut line, "SET text x").await;
    done(&mut line, "XADD stream 18446744073709551615-18446744073709551615 a b").await;
    done(&mut line, "XGROUP CREATE stream group 0").await;
    done(&mut line, "ACL SETUSER guest on >secret ~* +get").await;
    for (words, said) in [
        ("XADD text * a b", Said::WrongType),
        ("HGET text a", Said::WrongType),
        ("XADD stream * a b", Said::EndOfStream),
        ("SET text", Said::Never),
        ("XGROUP CREATE stream group 0", Said::GroupExists),
        ("EVALSHA ffffffffffffffffffffffffffffffffffffffff 0", Said::Other),
    ] {
        let error = fails(&mut line, words).await;
        assert_eq!(Said::of(&error), said, "{words}: {error}");
    }
    let script = Script::new("return redis.call('HGET', KEYS[1], 'a')");
    let error = script.key("text").invoke_async::<Value>(&mut line).await.expect_err("a text");
    assert_eq!(Said::of(&error), Said::WrongType, "{error}");
    let mut pipeline = redis::pipe();
    pipeline.cmd("GET").arg("text").cmd("HGET").arg("text").arg("a");
    let error = pipeline.query_async::<Value>(&mut line).await.expect_err("a text");
    assert_eq!(Said::of(&error), Said::WrongType, "{error}");

    let guest = server.url().replace("redis://", "redis://guest:secret@");
    let mut line = connect(&guest).await.expect("a connection");
    for words in ["INFO", "SET text y"] {
        let error = fails(&mut line, words).await;
        assert_eq!(Said::of(&error), Said::NoPermission, "{words}: {error}");
    }
    drop(server);
    let error = fails(&mut line, "GET text").await;
    assert_eq!(Said::of(&error), Said::Other, "{error}");
}

#[tokio::test]
async fn what_redis_says_of_those_whom_it_does_not_know() {
    let server = RedisServer::with(&["--requirepass", "secret"]);
    let url =
        |login: &str, database: &str| format!("{}{database}", server.url().replace("://", &format!("://{login}")));
    for (login, database) in [(":wrong@", ""), ("nobody:secret@", ""), (":wrong@", "3"), ("", "3")] {
        let error = connect(&url(login, database)).await.map(drop).expect_err("no login");
        assert_eq!(Said::of(&error), Said::NoLogin, "{login:?} {database:?}: {error}");
    }
    let mut line = connect(&url("", "")).await.expect("a connection");
    let error = fails(&mut line, "INFO").await;
    assert_eq!(Said::of(&error), Said::NoLogin, "{error}");
    let mut line = connect(&url(":secret@", "3")).await.expect("a connection");
    done(&mut line, "INFO").await;
}
