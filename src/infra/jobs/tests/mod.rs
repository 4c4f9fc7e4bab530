//! The queue on both databases.

mod lease;
mod outcome;
mod queue;
mod schedule;
mod support;
