//! Brokle: see, control and pay for what LLM applications do.

pub mod observability;
