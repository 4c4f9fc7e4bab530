//! Keyset paging: an opaque cursor that carries the sort key of the last row.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// What a list tells about its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Pagination {
    /// Rows asked for at most.
    pub limit: u32,
    /// Hand this back as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_next: bool,
}

impl Pagination {
    /// A page of `limit` rows that ends at `next_cursor`.
    #[must_use]
    pub fn new(limit: u32, next_cursor: Option<String>) -> Self {
        Self { limit, has_next: next_cursor.is_some(), next_cursor }
    }
}

/// Writes a sort key as a cursor.
///
/// # Errors
/// When the key cannot be written as JSON.
pub fn encode_cursor<K: Serialize>(key: &K) -> Result<String, serde_json::Error> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(key)?))
}

/// Reads a cursor back. `None` for anything this server did not write.
#[must_use]
pub fn decode_cursor<K: DeserializeOwned>(cursor: &str) -> Option<K> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cursors_read_back(time in any::<i64>(), id in ".*") {
            let cursor = encode_cursor(&(time, &id)).unwrap();
            prop_assert_eq!(decode_cursor::<(i64, String)>(&cursor), Some((time, id)));
        }

        #[test]
        fn foreign_cursors_are_refused_without_panic(text in ".*") {
            let _ = decode_cursor::<(i64, String)>(&text);
        }
    }
}
