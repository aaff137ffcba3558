//! Clients that break the protocol (`frames`), that write what is too large (`sizes`), or that hold on without using
//! it (`leeches`). Each is cut off, with the close code that says why, and nobody else notices.

mod frames;
mod leeches;
mod sizes;
