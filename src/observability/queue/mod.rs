//! Between an accepted request and the store: gathering into blocks, directly (standalone) or through Redis Streams.

mod consumer;
mod direct;
mod entry;
mod gather;
mod scripts;
mod streams;

pub use consumer::{Consumer, ConsumerSettings};
pub use direct::Direct;
pub use entry::{Entry, EntryError};
pub use gather::{GatherLimits, Gatherer, Retry, WriteError, WriteJob, Writers};
pub use streams::{Keys, Streams, StreamsLimits};
