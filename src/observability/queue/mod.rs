//! Between an accepted request and the store: gathering into blocks, directly (standalone) or through Redis Streams.

mod consumer;
mod direct;
mod entry;
mod gather;
mod preparing;
mod scripts;
mod slices;
mod streams;

pub use consumer::{Consumer, ConsumerSettings};
pub use direct::Direct;
pub use entry::{Entry, EntryError};
pub use gather::{GatherLimits, Gatherer, Retry, WriteError, WriteJob, Writers};
pub use preparing::Preparing;
pub use slices::{Slices, memory_to_store};
pub use streams::{Keys, Streams, StreamsLimits};
