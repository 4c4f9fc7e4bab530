//! Running the installation: what platform administrators see and do.

mod error;
pub mod http;
mod operations;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use operations::Operations;
