//! Tests against the real engine. They need its library; without it they fail and say how to get it.

#![expect(clippy::disallowed_methods, reason = "tests stand outside of the lifecycle and the configuration")]

mod process;
mod protocol;
mod store;
mod support;
