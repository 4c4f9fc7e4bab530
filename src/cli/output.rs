//! What commands print.

use std::io::Write;

/// A line to standard output. A closed pipe is no error.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A line to standard error.
pub fn error(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
