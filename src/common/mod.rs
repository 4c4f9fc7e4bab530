//! Vocabulary that every slice shares. No I/O.

pub mod clock;
pub mod id;
pub mod money;
pub mod net;
pub mod origin;
pub mod page;
pub mod time;
