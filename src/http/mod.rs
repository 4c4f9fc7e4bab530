//! The HTTP surface: router, middleware, extractors, the envelope and the embedded web app.

pub mod context;
pub mod envelope;
pub mod extract;
