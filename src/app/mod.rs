//! The composition root: what a process is made of, in the order in which it is made.

mod application;
mod backends;
mod first_start;
mod lifecycle;
mod revocations;
mod server;
mod worker;

pub use application::Application;
pub use backends::{Backends, Patience, engine_options};
pub use lifecycle::{Ending, Lifecycle, listen_for_signals};
pub use server::openapi;
