//! Rows of `auth_sessions` and `api_keys`. The only place that touches them.

pub mod api_keys;
pub mod sessions;
