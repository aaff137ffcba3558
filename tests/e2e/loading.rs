//! From files to mounted controllers.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `files` | which files are mounted, where, and what is said of the others; paths beyond ASCII, and files that are none |
//! | `cache` | compiled code is kept, checked and private |

mod cache;
mod files;
