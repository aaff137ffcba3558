//! Several servers on one Redis, also when servers, Redis and the networks between them fail.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `servers` | several servers on one Redis: who is reached, in which order, and what is left when one stops |
//! | `killed_servers` | servers that are killed: who learns it, and what is left of them |
//! | `outages` | Redis and networks that fail: nothing that was accepted is lost |
//! | `topologies` | passwords, TLS, sentinels, a cluster; masters that fail |
//! | `failovers` | values and mailboxes in a cluster and behind sentinels, when a master fails |
//! | `foreign_writes` | other programs that spoil streams, numbers and leases in Redis, and that servers go on |
//! | `other_programs` | other programs emit through Redis, by the documented commands; what is not understood there |
//! | `unusable` | what is said of a Redis that can not be worked with |
//! | `test_servers` | that the Redis servers of the tests, and the networks before them, fail as they are told to |

mod failovers;
mod foreign_writes;
mod killed_servers;
mod other_programs;
mod outages;
mod servers;
mod test_servers;
mod topologies;
mod unusable;
