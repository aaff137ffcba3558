//! An auction: of two bids at the same time, on whatever server, one is first, and the other is compared with it. Of a sale,
//! the listeners of the controller `announce` are told, and every connection that has a method `lot_sold`. The operator
//! grants the bucket and who may be told, in `lakou.toml`; without the second, bidders are, and the log says what is missing:
//!
//! ```toml
//! [controller.auction]
//! keyvalue = true
//! messaging = ["controller:announce", "all"]
//! ```
//!
//! Try it: with the example `announce` beside this one, connect a WebSocket client to `/announce` and two, which offer the
//! subprotocol `auction.v1`, to `/auction/vase?name=ann` and `/auction/vase?name=ben`. Send `{"event":"bid","amount":20}`,
//! and `{"event":"hammer"}` to sell. Who may sell is for a real application to decide; here, anybody may.

use lakou_sdk::{
    Acceptance, Controller, Event, Fault, Refusal, Request, Result, Socket, controller, json, log, messaging,
};

use lot::{Lot, Outcome};

mod lot;

/// How clients and this version of the controller speak. Another version would be accepted beside it.
const PROTOCOL: &str = "auction.v1";
/// Longer names of lots and bidders are refused, in characters.
const LONGEST_NAME: usize = 24;

/// Somebody who bids for a lot.
pub struct Auction {
    socket: Socket,
    lot: String,
    name: String,
    /// The highest bid that the client has been told of.
    told: u64,
}

#[controller(path = "/auction/{lot}")]
impl Controller for Auction {
    fn connect(request: &Request) -> Result<Acceptance, Refusal> {
        if !request.subprotocols().iter().any(|offered| offered == PROTOCOL) {
            return Err(Refusal::new(400, format!("Offer {PROTOCOL} in sec-websocket-protocol.\n")));
        }
        if names(request).is_none() {
            let wanted = format!("A lot, and who you are by ?name=, have 1 to {LONGEST_NAME} characters.\n");
            return Err(Refusal::new(400, wanted));
        }
        // Without this a browser that has offered something closes the connection.
        Ok(Acceptance::new().with_subprotocol(PROTOCOL))
    }

    fn open(socket: Socket, request: Request) -> Self {
        let (lot, name) = names(&request).expect("`connect` has looked at it");
        let mut auction = Self { socket, lot, name, told: 0 };
        if let Err(fault) = auction.show_as_it_is() {
            log::warn(format!("{}: a newcomer does not see it: {fault}", auction.lot));
        }
        auction
    }

    #[client]
    fn bid(&mut self, amount: u64) -> Result {
        let raise = |lot: &Lot| {
            let higher = !lot.sold && amount > lot.amount;
            higher.then(|| Lot { amount, bidder: self.name.clone(), sold: false })
        };
        match self.changed(lot::update(&self.lot, raise))? {
            Some(lot) => messaging::broadcast_own(AuctionEvents::raised(&self.lot, &lot.bidder, lot.amount)),
            None => Ok(()),
        }
    }

    /// Of all who let the hammer fall, one has changed the lot: a sale is told once.
    #[client]
    fn hammer(&mut self) -> Result {
        let sell = |lot: &Lot| (!lot.sold && lot.amount > 0).then(|| Lot { sold: true, ..lot.clone() });
        match self.changed(lot::update(&self.lot, sell))? {
            Some(lot) => self.tell(&lot),
            None => Ok(()),
        }
    }

    /// Events of different senders come in any order: a lower bid is old news.
    #[event]
    fn raised(&mut self, lot: &str, bidder: &str, amount: u64) -> Result {
        if lot == self.lot && amount > self.told { self.show("bid", bidder, amount) } else { Ok(()) }
    }

    /// It calls the method of every controller that has one, so that its name says more than those of others.
    #[event]
    fn lot_sold(&mut self, lot: &str, bidder: &str, amount: u64) -> Result {
        if lot == self.lot { self.show("sold", bidder, amount) } else { Ok(()) }
    }

    /// What has been bid is in the bucket; whoever comes back, to whatever server, goes on from there.
    fn shutdown(&mut self) -> Result {
        self.socket.send(json!({ "event": "come_back" }))
    }
}

impl Auction {
    fn show_as_it_is(&mut self) -> Result {
        let Lot { amount, bidder, sold } = lot::look(&self.lot)?;
        self.show(if sold { "sold" } else { "bid" }, &bidder, amount)
    }

    fn show(&mut self, event: &str, bidder: &str, amount: u64) -> Result {
        self.told = amount;
        self.socket.send(json!({ "event": event, "bidder": bidder, "amount": amount }))
    }

    /// The lot, if it was changed. If not, the client is told what is known of it.
    fn changed(&self, outcome: Result<Outcome>) -> Result<Option<Lot>> {
        let answer = match outcome {
            Ok(Outcome::Changed(lot)) => return Ok(Some(lot)),
            Ok(Outcome::Refused(Lot { amount, bidder, sold })) => {
                json!({ "event": "refused", "sold": sold, "bidder": bidder, "amount": amount })
            }
            Err(fault) => {
                log::warn(format!("{}: {fault}", self.lot));
                // It may have been changed all the same. To try again does no harm, and tells.
                json!({ "event": "try_again" })
            }
        };
        self.socket.send(answer).map(|()| None)
    }

    /// Tells of a lot that is sold.
    fn tell(&self, Lot { amount, bidder, .. }: &Lot) -> Result {
        let sold = AuctionEvents::lot_sold(&self.lot, bidder, *amount);
        match messaging::multicast(sold.clone()) {
            // Those of one's own need no grant.
            Err(Fault::Denied(_)) => messaging::broadcast_own(sold)?,
            outcome => outcome?,
        }
        // The method is in another crate: its event is made by name.
        let news = format!("{}: sold to {bidder} for {amount}", self.lot);
        messaging::broadcast("announce", Event::new("announced", (news,)))
    }
}

/// The lot and the bidder that a request names, if both are names.
fn names(request: &Request) -> Option<(String, String)> {
    let name = |text: &str| {
        let fits = (1..=LONGEST_NAME).contains(&text.chars().count()) && !text.contains(char::is_control);
        fits.then(|| text.to_owned())
    };
    Some((name(request.param("lot")?)?, name(request.query_param("name")?.trim())?))
}

#[cfg(test)]
mod tests;
