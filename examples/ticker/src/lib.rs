//! Prices by topic: the host hands a published message to every subscriber, on every server, without a call of the
//! controller. Thousands of watchers cost one call.
//!
//! Try it: connect two WebSocket clients to `/ticker/ABC` and send `{"event":"quote","price":12.5}` from one.

use lakou_sdk::{Controller, Request, Result, Socket, controller, json, messaging};

/// A watcher of one symbol, who may quote a price for it.
pub struct Ticker {
    symbol: String,
}

#[controller(path = "/ticker/{symbol}")]
impl Controller for Ticker {
    fn open(socket: Socket, request: Request) -> Self {
        let symbol = request.param("symbol").unwrap_or_default().to_owned();
        // From here on the client gets prices; the socket itself is not needed any more.
        if let Err(fault) = socket.subscribe(&topic(&symbol)) {
            eprintln!("subscribe to {symbol}: {fault}");
        }
        Self { symbol }
    }

    #[client]
    fn quote(&mut self, price: f64) -> Result {
        messaging::publish(&topic(&self.symbol), json!({ "symbol": self.symbol, "price": price }))
    }
}

/// Topics belong to the whole application, so a controller's own begin with its name.
fn topic(symbol: &str) -> String {
    format!("ticker/{symbol}")
}

#[cfg(test)]
mod tests {
    use lakou_sdk::{json, testing::Host};

    use super::Ticker;

    #[test]
    fn a_quote_reaches_the_watchers_of_its_symbol() {
        let host = Host::new();
        let [one, two] = [(), ()].map(|()| host.connect::<Ticker>("/ticker/ABC").expect("open to all"));
        let other = host.connect::<Ticker>("/ticker/XYZ").expect("open to all");

        one.call("quote", json!({ "price": 12.5 }));

        let quote = [json!({ "symbol": "ABC", "price": 12.5 })];
        assert_eq!(one.json(), quote);
        assert_eq!(two.json(), quote);
        assert!(other.received().is_empty());
    }
}
