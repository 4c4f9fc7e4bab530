//! ClickHouse inside this process.
//!
//! libchdb, a build of ClickHouse as a shared library, is opened at run time ([`library`]), so a process that talks to a
//! ClickHouse server starts without it. [`engine`] owns its connections and the threads they block. In front of it
//! [`service`] speaks ClickHouse's HTTP protocol, and [`stream`] connects the official client to that service without a
//! socket; [`listen`] offers the same service on TCP, for tests and for looking at the data by hand.
//!
//! Facts of libchdb 26.7.3 that shape this code, each one measured:
//!
//! - One process per data directory and one data directory per process; a second process is not refused by the library
//!   itself in words anyone would understand, so a lock file of our own comes first.
//! - A connection runs one statement at a time and blocks its thread while it does.
//! - A streamed SELECT arrives as complete documents, one per block: a format with a header repeats the header in every
//!   one. Only formats whose documents can be joined are streamed.
//! - `readonly = 2` cannot be taken back on a connection, so connections for reads are set up apart from the others.
//! - Settings given as arguments of a connection do not reach its session; `SET` does.
//! - A statement cannot be interrupted by a handle while it computes its first block, but `KILL QUERY` from another
//!   connection ends it. `KILL QUERY … SYNC` waits for a streamed statement whose handle is still alive and would then
//!   wait for ever: always `ASYNC`.

pub mod engine;
pub mod library;
pub mod listen;
pub mod service;
pub mod stream;

mod body;
mod compression;
mod connection;
mod exception;
mod lock;
mod pool;
mod request;
mod statement;

#[cfg(test)]
mod tests;

pub use engine::{Engine, EngineError, EngineOptions};
pub use library::{LibraryError, LibrarySearch};
pub use listen::{EngineServer, ListenError, ListenOptions, serve_engine};
