//! The program: its command line, its signals, its end.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `command_line` | settings, their precedence, and what is said of wrong ones |
//! | `signals` | signals that are no wish for the end, limits of the process, a log that can not be written |
//! | `shutdown` | the end of the server, by signal |

mod command_line;
mod shutdown;
mod signals;
