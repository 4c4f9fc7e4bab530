//! The HTTP surface: router, middleware, extractors, the envelope and the embedded web app.

pub mod assets;
pub mod context;
pub mod envelope;
pub mod extract;
pub mod health;
pub mod limit;
pub mod middleware;
pub mod openapi;
pub mod otlp;
pub mod proxies;
