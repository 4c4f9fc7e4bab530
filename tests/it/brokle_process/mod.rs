//! The program as its users start, stop and ask it: real processes, what they print, and how they end.

mod commands;
mod first_start;
mod memory;
mod observed;
mod services;
mod start;
mod stop;

use std::process::Output;

/// Everything a command printed.
fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Fails unless the command ended with an error that says all of `parts`, without a panic.
fn assert_refused(output: &Output, parts: &[&str]) {
    let printed = text(output);
    assert!(output.status.code().is_some_and(|code| code != 0), "{:?}: {printed}", output.status);
    for part in parts {
        assert!(printed.contains(part), "says nothing of {part:?}: {printed}");
    }
    assert!(!printed.contains("panicked") && !printed.contains("RUST_BACKTRACE"), "{printed}");
}
