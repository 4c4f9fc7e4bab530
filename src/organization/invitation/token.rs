//! The secret in an invitation's link.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// 256 random bits as text for a link.
pub fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of it. There is nothing to guess in 256 random bits, so a plain hash is enough.
pub fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
