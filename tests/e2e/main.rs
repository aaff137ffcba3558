//! The end-to-end tests: the real host, real guests, real sockets. Where a new test goes:
//!
//! | module | what it shows |
//! | --- | --- |
//! | `examples` | every example does what its header says; a folder without a scenario fails |
//! | `readme` | the first page of the README, and the grants, followed by the letter |
//! | `loading` | which files are mounted, where, and what is said of the others |
//! | `cache` | compiled code is kept, checked and private |
//! | `routing` | which controller a path reaches, and what the guest is told of it |
//! | `requests` | the answers to plain and to wrong requests, as a table; plain HTTP through a guest |
//! | `bodies` | bodies of plain requests and answers that stall or break off |
//! | `static_files` | what is served from the public folder, how, and what never is |
//! | `handshake` | what `connect` can answer: subprotocols, header fields, refusals |
//! | `hosts` | whom a request is for, names that are not this server's, and which pages may connect |
//! | `sessions` | one open connection: pings, time-outs, closing, limits |
//! | `delivery` | who gets a multicast, broadcast or unicast, and in which order, on each bus |
//! | `topics` | who gets a publication, on each bus |
//! | `addressees` | whom a controller may address, by itself and by grant |
//! | `outgoing` | HTTP requests of guests: where they may go, and where never |
//! | `outward` | WebSockets of guests to other servers: where they may go, what fails, who hears of it |
//! | `crooked_servers` | servers elsewhere that break the WebSocket protocol |
//! | `services` | objects without a client: what they hear, and that they come back |
//! | `values` | keys and values of guests, in each store |
//! | `host_services` | configuration, log, variables and folders, as granted |
//! | `client_events` | JSON messages of clients as calls of methods, and those that are none |
//! | `misbehaving` | guests that fail in every way, and who suffers |
//! | `floods` | guests that produce without end, and that the host stays small |
//! | `capacity` | as many instances as there may be, and that room comes back |
//! | `churn` | everything at once, and that nothing is left behind |
//! | `hostile_guests` | components that try what they must not be able to do: what stops them, and who notices |
//! | `hostile` | clients that break the protocol, or hold on without using it |
//! | `besieged` | hostile clients, one scenario each: the limit that stops it, its counter and log line, and a prompt bystander |
//! | `unread` | clients that read nothing: what is owed to them does not pile up |
//! | `closing` | the host closes, and the client does not make it easy |
//! | `silence` | who counts as idle, and who does not |
//! | `answers` | what stock guests answer, who is at fault when they end, and what is no answer |
//! | `broken_answers` | half a plain answer does not pass for a whole one |
//! | `kept_sockets` | a socket that outlives its connection is gone |
//! | `overrides` | settings of one controller, and settings that are too much |
//! | `refusals` | header fields of a refusal |
//! | `misfits` | what the log says of a message that fits no method |
//! | `odd_mounts` | paths beyond ASCII, and files that are none |
//! | `shutdown` | the end of the server, by signal |
//! | `signals` | signals that are no wish for the end, limits of the process, a log that can not be written |
//! | `command_line` | settings, their precedence, and what is said of wrong ones |
//! | `servers` | several servers on one Redis: who is reached, in which order, and what is left when one stops |
//! | `redis_deaths` | servers that are killed: who learns it, and what is left of them |
//! | `redis_programs` | other programs emit through Redis, by the documented commands; what is not understood there |
//! | `redis_topologies` | passwords, TLS, sentinels, a cluster; masters that fail |
//! | `redis_failovers` | values and mailboxes in a cluster and behind sentinels, when a master fails |
//! | `redis_neighbours` | other programs that spoil streams, numbers and leases in Redis, and that servers go on |
//! | `redis_wrong` | what is said of a Redis that can not be worked with |
//! | `redis_trouble` | Redis and networks that fail: nothing that was accepted is lost |
//! | `identities` | who is registered, and what is notified: on every store, across servers, and when things fail |
//! | `redis_harness` | that the Redis servers of the tests, and the networks before them, fail as they are told to |
//! | `documents` | what the documents say of the code: settings, counters, walks, links |
//! | `dependencies` | that wasmtime is compiled once |
//! | `tidy` | the style that a program can check |
//!
//! `harness` is what they are written with. A test waits for a condition, with a bound; it never rests for a fixed time.

mod harness;

mod addressees;
mod answers;
mod besieged;
mod bodies;
mod broken_answers;
mod cache;
mod capacity;
mod churn;
mod client_events;
mod closing;
mod command_line;
mod crooked_servers;
mod delivery;
mod dependencies;
mod documents;
mod examples;
mod floods;
mod handshake;
mod host_services;
mod hostile;
mod hostile_guests;
mod hosts;
mod identities;
mod kept_sockets;
mod loading;
mod misbehaving;
mod misfits;
mod odd_mounts;
mod outgoing;
mod outward;
mod overrides;
mod readme;
mod redis_deaths;
mod redis_failovers;
mod redis_harness;
mod redis_neighbours;
mod redis_programs;
mod redis_topologies;
mod redis_trouble;
mod redis_wrong;
mod refusals;
mod requests;
mod routing;
mod servers;
mod services;
mod sessions;
mod shutdown;
mod signals;
mod silence;
mod static_files;
mod tidy;
mod topics;
mod unread;
mod values;
