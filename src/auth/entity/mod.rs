pub mod api_keys;
pub mod auth_sessions;
