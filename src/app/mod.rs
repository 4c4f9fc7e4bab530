//! The composition root: what a process is made of, in the order in which it is made.

mod application;
mod backends;
mod bus;
mod first_start;
mod jobs;
mod lifecycle;
mod server;
mod worker;

pub use application::Application;
pub use backends::{
    Backends, Patience, connect_clickhouse, connect_postgres, connect_redis, engine_options, is_installed, pending_migrations,
};
pub use bus::tell_processes;
pub use lifecycle::{Ending, Lifecycle, listen_for_signals};
pub use server::openapi;
