//! The rows of this slice. Nothing else touches them.

pub mod api_keys;
pub mod attempts;
pub mod second_factors;
pub mod sessions;
pub mod user_tokens;
