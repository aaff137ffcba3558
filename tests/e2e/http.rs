//! Plain HTTP: which controller a request reaches, what the guest is told of it, and what the client is answered.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `routing` | which controller a path reaches, and what the guest is told of it |
//! | `requests` | the answers to plain and to wrong requests, as a table; plain HTTP through a guest |
//! | `bodies` | bodies of plain requests and answers that stall or break off |
//! | `hosts` | whom a request is for, names that are not this server's, and which pages may connect |
//! | `answers` | what stock guests answer, who is at fault when they end, and what is no answer; half a plain answer does not pass for a whole one |

mod answers;
mod bodies;
mod hosts;
mod requests;
mod routing;
