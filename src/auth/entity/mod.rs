pub mod api_keys;
pub mod auth_sessions;
pub mod login_attempts;
pub mod user_recovery_codes;
pub mod user_second_factors;
pub mod user_tokens;
