//! Tests against the real engine. They need its library; without it they fail and say how to get it.

mod process;
mod protocol;
mod store;
mod support;
