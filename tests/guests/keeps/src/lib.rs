//! A guest that uses what the host has for it: keys and values, configuration, log, variables and folders. It tells what came of
//! each.

use std::time::Duration;

use lakou_sdk::{Controller, Message, Request, Result, Socket, config, controller, keyvalue, log};

/// It obeys `COMMAND KEY VALUE`.
pub struct Keeps {
    socket: Socket,
}

#[controller]
impl Controller for Keeps {
    fn open(socket: Socket, _request: Request) -> Self {
        Keeps { socket }
    }

    fn message(&mut self, message: Message) -> Result {
        let mut words = message.as_text().unwrap_or_default().splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (command, key, value) = (word(), word(), word());
        let said = match command {
            "log" => {
                log::log(log::Level::Info, key, value);
                Ok("logged".to_owned())
            }
            "print" => {
                println!("{key} {value}");
                Ok("printed".to_owned())
            }
            "complain" => {
                eprintln!("{key} {value}");
                Ok("printed".to_owned())
            }
            "chatter" => {
                for number in 0..key.parse().unwrap_or(0) {
                    log::log(log::Level::Info, "chatter", &format!("line {number}"));
                    println!("line {number}");
                    eprintln!("line {number}");
                }
                Ok("printed".to_owned())
            }
            "config" => Ok(config::get(key).unwrap_or_else(|| "none".to_owned())),
            "config-all" => Ok(config::all().into_iter().map(|(key, value)| format!("{key}={value};")).collect()),
            "variable" => Ok(std::env::var(key).unwrap_or_else(|_| "none".to_owned())),
            "variables" => Ok(std::env::vars().count().to_string()),
            "read" => Ok(std::fs::read_to_string(key).unwrap_or_else(|error| format!("error: {:?}", error.kind()))),
            "write" => Ok(std::fs::write(key, value)
                .map_or_else(|error| format!("error: {:?}", error.kind()), |()| "ok".to_owned())),
            "remove" => Ok(std::fs::remove_file(key)
                .map_or_else(|error| format!("error: {:?}", error.kind()), |()| "ok".to_owned())),
            _ => keep(command, key, value),
        };
        self.socket.send(said.unwrap_or_else(|fault| fault.to_string()))
    }
}

fn keep(command: &str, key: &str, value: &str) -> Result<String> {
    let text =
        |value: Option<Vec<u8>>| value.map_or("none".to_owned(), |value| String::from_utf8_lossy(&value).into_owned());
    let number = value.parse().unwrap_or(1);
    Ok(match command {
        "get" => text(keyvalue::get(key)?),
        "set" => keyvalue::set(key, value).map(|()| "ok".to_owned())?,
        "set-large" => keyvalue::set(key, vec![b'x'; value.parse().unwrap_or_default()]).map(|()| "ok".to_owned())?,
        "set-short" => keyvalue::set_for(key, value, Duration::from_millis(50)).map(|()| "ok".to_owned())?,
        "delete" => keyvalue::delete(key)?.to_string(),
        "exists" => keyvalue::exists(key)?.to_string(),
        "add" => keyvalue::increment(key, number)?.to_string(),
        "claim" => keyvalue::compare_and_swap(key, None, Some(value.as_bytes()))?.to_string(),
        "release" => keyvalue::compare_and_swap(key, Some(value.as_bytes()), None)?.to_string(),
        "keys" => keyvalue::keys(key).collect::<Result<Vec<_>>>()?.join(" "),
        _ => format!("no command `{command}`"),
    })
}
