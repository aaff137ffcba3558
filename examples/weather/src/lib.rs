//! The weather somewhere, from another server. The operator grants where the controller may send requests to, in `lakou.toml`;
//! without the grant each of them is denied:
//!
//! ```toml
//! [controller.weather]
//! http = ["https://api.open-meteo.com"]
//! ```
//!
//! Try it: connect a WebSocket client to `/weather/18.54/-72.34` (latitude and longitude) and send `{"event":"now"}`. Another
//! service that answers in the same way is configured: `[controller.weather.config]` with `service = "http://127.0.0.1:9000"`,
//! and granted, too.

use lakou_sdk::{
    Acceptance, Controller, Fault, Refusal, Request, Result, Socket, Value, config, controller, http, json, log,
    outgoing,
};

const SERVICE: &str = "https://api.open-meteo.com";

/// Somebody who asks for the weather of one place.
pub struct Weather {
    socket: Socket,
    place: Place,
}

#[derive(Clone, Copy)]
struct Place {
    latitude: f64,
    longitude: f64,
}

#[controller(path = "/weather/{latitude}/{longitude}")]
impl Controller for Weather {
    fn connect(request: &Request) -> Result<Acceptance, Refusal> {
        match place(request) {
            Some(_) => Ok(Acceptance::new()),
            None => Err(Refusal::new(400, "A place is a latitude and a longitude, like /weather/18.54/-72.34\n")),
        }
    }

    fn open(socket: Socket, request: Request) -> Self {
        let place = place(&request).expect("`connect` has looked at it");
        Self { socket, place }
    }

    #[client]
    fn now(&mut self) -> Result {
        let answer = match ask(self.place) {
            Ok(celsius) => json!({ "event": "weather", "celsius": celsius }),
            Err(fault) => {
                log::warn(format!("no weather: {fault}"));
                json!({ "event": "unknown" })
            }
        };
        self.socket.send(answer)
    }
}

/// The temperature of a place. Everybody in this sandbox waits for it: a real application would keep it for some minutes.
fn ask(Place { latitude, longitude }: Place) -> Result<f64> {
    let service = config::get("service").unwrap_or_else(|| SERVICE.to_owned());
    let uri = format!("{service}/v1/forecast?latitude={latitude}&longitude={longitude}&current=temperature_2m");
    let request = http::Request::get(uri).body("").map_err(|wrong| Fault::Invalid(wrong.to_string()))?;
    let answer = outgoing::send(request)?;
    if answer.status() != http::StatusCode::OK {
        return Err(Fault::Unavailable(format!("the service says {}", answer.status())));
    }
    let answer = parsed(answer.body())?;
    answer["current"]["temperature_2m"].as_f64().ok_or_else(|| Fault::Unavailable("no temperature in it".to_owned()))
}

fn parsed(json: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(json).map_err(|wrong| Fault::Unavailable(wrong.to_string()))?;
    text.parse().map_err(|wrong| Fault::Unavailable(format!("the service's answer: {wrong}")))
}

fn place(request: &Request) -> Option<Place> {
    let number = |name, most: f64| {
        let number: f64 = request.param(name)?.parse().ok()?;
        (-most..=most).contains(&number).then_some(number)
    };
    Some(Place { latitude: number("latitude", 90.0)?, longitude: number("longitude", 180.0)? })
}

#[cfg(test)]
mod tests {
    use lakou_sdk::{http, json, testing::Host};

    use super::Weather;

    fn answer(status: u16, body: &str) -> http::Response<Vec<u8>> {
        http::Response::builder().status(status).body(body.into()).expect("an answer")
    }

    #[test]
    fn the_service_is_asked() {
        let host = Host::new();
        host.configure("service", "http://weather.test");
        host.answer_outgoing(|request| {
            let asked = "http://weather.test/v1/forecast?latitude=18.54&longitude=-72.34&current=temperature_2m";
            assert_eq!(request.uri(), asked);
            answer(200, r#"{"current":{"temperature_2m":31.5}}"#)
        });
        let client = host.connect::<Weather>("/weather/18.54/-72.34").expect("a place");
        client.call("now", json!({}));
        assert_eq!(client.json(), [json!({ "event": "weather", "celsius": 31.5 })]);
    }

    #[test]
    fn without_an_answer_it_is_unknown() {
        let host = Host::new();
        let client = host.connect::<Weather>("/weather/0/0").expect("a place");
        client.call("now", json!({}));
        for (status, body) in [(500, ""), (200, "sunny"), (200, "{}"), (200, "\u{feff}")] {
            host.answer_outgoing(move |_| answer(status, body));
            client.call("now", json!({}));
        }
        assert_eq!(client.json(), vec![json!({ "event": "unknown" }); 5]);
        assert_eq!(host.log().len(), 5, "{:?}", host.log());
    }

    #[test]
    fn a_place_has_a_latitude_and_a_longitude() {
        for path in ["/weather/91/0", "/weather/0/181", "/weather/x/0", "/weather/NaN/0"] {
            assert_eq!(Host::new().connect::<Weather>(path).map(drop).expect_err("nowhere").status(), 400, "{path}");
        }
    }
}
