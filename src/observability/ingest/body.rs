//! Request bodies: read within limits of size, time and memory, then decompressed within the same.

use std::pin::pin;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use async_compression::tokio::bufread::{DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

use super::budget::Held;
use crate::error::{ApiError, Code};

/// How long a body may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Between two pieces: then the sender has gone away.
    idle: Duration,
    /// As a whole: a sender that trickles holds memory of others.
    whole: Duration,
}

/// What senders get.
pub const PATIENCE: Patience = Patience { idle: Duration::from_secs(30), whole: Duration::from_secs(120) };

/// Room for the first bytes of a body.
const FIRST: usize = 64 * 1024;
/// Decompression works in steps of this size; memory is asked for before each.
const STEP: usize = 256 * 1024;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Identity,
    Gzip,
    Deflate,
    Zstd,
}

impl Compression {
    /// Reads `Content-Encoding`.
    ///
    /// # Errors
    /// 415 for an encoding that is not understood.
    pub fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Self::Identity) };
        let text = value.to_str().unwrap_or("?").trim().to_ascii_lowercase();
        match text.as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "zstd" => Ok(Self::Zstd),
            other => Err(ApiError::new(
                Code::UnsupportedMediaType,
                format!(
                    "Content-Encoding `{}` is not understood: use gzip, deflate, zstd or none",
                    other.chars().take(40).collect::<String>()
                ),
            )),
        }
    }
}

fn too_large(what: &str, limit: usize, variable: &str) -> ApiError {
    ApiError::new(
        Code::PayloadTooLarge,
        format!("the {what} is larger than {limit} bytes; send smaller batches, or raise {variable} on the server"),
    )
}

pub(super) fn overloaded() -> ApiError {
    ApiError {
        retry_after: Some(1),
        ..ApiError::new(Code::Unavailable, "too many request bodies in memory at once; try again in a second")
    }
}

/// Reads the whole body. Memory is taken as bytes arrive: what is only announced holds nothing.
///
/// # Errors
/// 413 over `limit`, 503 over the memory budget, 400 when the sender stops, goes away or takes too long.
pub async fn read(
    headers: &HeaderMap,
    payload: impl Stream<Item = Result<Bytes, PayloadError>>,
    limit: usize,
    patience: Patience,
    held: &mut Held,
) -> Result<Bytes, ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|value| value.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large("body", limit, "INGEST_MAX_BODY_BYTES"));
    }
    let mut payload = pin!(payload);
    let deadline = Instant::now() + patience.whole;
    let mut body = BytesMut::new();
    loop {
        let wait = patience.idle.min(deadline.saturating_duration_since(Instant::now()));
        let next = tokio::time::timeout(wait, payload.next()).await.map_err(|_| too_slow(patience, deadline))?;
        let Some(piece) = next else { return Ok(body.freeze()) };
        let piece = piece.map_err(|error| ApiError::new(Code::BadRequest, format!("the body ended early: {error}")))?;
        let length = body.len() + piece.len();
        if length > limit {
            return Err(too_large("body", limit, "INGEST_MAX_BODY_BYTES"));
        }
        if length > body.capacity() {
            // Doubled, but not beyond what is to come.
            let room = (2 * body.capacity()).max(FIRST).min(announced.unwrap_or(limit)).max(length);
            if !held.grow(room - body.capacity()) {
                return Err(overloaded());
            }
            body.reserve(room - body.len());
        }
        body.extend_from_slice(&piece);
    }
}

fn too_slow(patience: Patience, deadline: Instant) -> ApiError {
    let message = if Instant::now() >= deadline {
        format!("the body took longer than {:?}", patience.whole)
    } else {
        format!("no more of the body came within {:?}", patience.idle)
    };
    ApiError::new(Code::BadRequest, message)
}

/// Undoes `compression`. Blocks: large bodies belong off the HTTP threads.
///
/// # Errors
/// 400 when the bytes are not what `Content-Encoding` says, 413 over `limit`, 503 over the memory budget.
pub fn decompress(compression: Compression, body: Bytes, limit: usize, held: &mut Held) -> Result<Bytes, ApiError> {
    match compression {
        Compression::Identity => Ok(body),
        Compression::Gzip => {
            let mut decoder = GzipDecoder::new(&body[..]);
            decoder.multiple_members(true);
            inflate(decoder, "gzip", limit, held)
        }
        // RFC 9110 means zlib by `deflate`; some senders leave zlib's header out.
        Compression::Deflate if body.first().is_some_and(|byte| byte & 0x0f == 8) => {
            inflate(ZlibDecoder::new(&body[..]), "deflate", limit, held)
        }
        Compression::Deflate => inflate(DeflateDecoder::new(&body[..]), "deflate", limit, held),
        Compression::Zstd => {
            let mut decoder = ZstdDecoder::new(&body[..]);
            decoder.multiple_members(true);
            inflate(decoder, "zstd", limit, held)
        }
    }
}

fn inflate(mut decoder: impl AsyncRead + Unpin, name: &str, limit: usize, held: &mut Held) -> Result<Bytes, ApiError> {
    let mut out = BytesMut::new();
    loop {
        if out.capacity() - out.len() < STEP {
            // While the contents move, both the old room and the new are in memory.
            let room = (2 * out.capacity()).min(limit.saturating_add(STEP)).max(out.len() + STEP);
            if !held.grow(room) {
                return Err(overloaded());
            }
            let mut larger = BytesMut::with_capacity(room);
            larger.extend_from_slice(&out);
            held.shrink(out.capacity());
            out = larger;
        }
        // The source is memory, so reading never has to wait; unconstrained, because the runtime would make a long read of a task
        // pause to let others run, and a pause must not pass for the end.
        // At most a step at once, so that the limit is looked at in between.
        let mut step = (&mut decoder).take(STEP as u64);
        let read = tokio::task::unconstrained(step.read_buf(&mut out))
            .now_or_never()
            .ok_or_else(|| ApiError::internal("reading from memory had to wait"))?
            .map_err(|error| ApiError::new(Code::BadRequest, format!("the body is not valid {name}, as Content-Encoding says: {error}")))?;
        if out.len() > limit {
            return Err(too_large("decompressed body", limit, "INGEST_MAX_DECODED_BYTES"));
        }
        if read == 0 {
            return Ok(out.freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use async_compression::tokio::write::{DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
    use tokio::io::AsyncWriteExt;

    use super::super::budget::Budget;
    use super::*;

    macro_rules! packed {
        ($encoder:ident, $data:expr) => {{
            let mut encoder = $encoder::new(Vec::new());
            encoder.write_all($data).await.unwrap();
            encoder.shutdown().await.unwrap();
            Bytes::from(encoder.into_inner())
        }};
    }

    fn unpack(compression: Compression, body: Bytes, limit: usize) -> Result<Bytes, ApiError> {
        decompress(compression, body, limit, &mut Budget::new(usize::MAX / 2, None).hold())
    }

    #[tokio::test]
    async fn undoes_each_compression() {
        let data = b"spans ".repeat(100_000);
        for (compression, body) in [
            (Compression::Identity, Bytes::from(data.clone())),
            (Compression::Gzip, packed!(GzipEncoder, &data)),
            (Compression::Deflate, packed!(ZlibEncoder, &data)),
            (Compression::Deflate, packed!(DeflateEncoder, &data)),
            (Compression::Zstd, packed!(ZstdEncoder, &data)),
        ] {
            assert_eq!(unpack(compression, body, 1 << 20).unwrap(), data, "{compression:?}");
        }
    }

    #[tokio::test]
    async fn stops_at_the_limit_without_unpacking_a_bomb() {
        let bomb = packed!(GzipEncoder, &vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000);
        let budget = Budget::new(4 << 20, None);
        let error = decompress(Compression::Gzip, bomb.clone(), 1 << 20, &mut budget.hold()).unwrap_err();
        assert_eq!(error.code, Code::PayloadTooLarge);
        let error = decompress(Compression::Gzip, bomb, 1 << 30, &mut budget.hold()).unwrap_err();
        assert_eq!(error.code, Code::Unavailable, "the memory budget ends first");
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn says_what_is_wrong_with_damaged_bytes() {
        for (compression, name) in [(Compression::Gzip, "gzip"), (Compression::Zstd, "zstd")] {
            let error = unpack(compression, Bytes::from_static(b"plain text"), 1 << 20).unwrap_err();
            assert_eq!(error.code, Code::BadRequest);
            assert!(error.message.contains(name), "{}", error.message);
        }
    }

    fn announcing(length: usize) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, length.into());
        headers
    }

    #[tokio::test]
    async fn what_is_only_announced_holds_no_memory() {
        let budget = Budget::new(1 << 20, None);
        let used = Budget::clone(&budget);
        let pieces = [1_000, 500_000, 400_000].into_iter().scan(0, move |arrived, piece| {
            assert!(used.used() <= 2 * *arrived + FIRST, "{} held for {arrived}", used.used());
            *arrived += piece;
            Some(Ok(Bytes::from(vec![7; piece])))
        });
        let mut held = budget.hold();
        let body = read(&announcing(901_000), futures_util::stream::iter(pieces), 1 << 20, PATIENCE, &mut held).await.unwrap();
        assert_eq!((body.len(), budget.used()), (901_000, 901_000));
        let endless = futures_util::stream::repeat_with(|| Ok(Bytes::from_static(&[0; 10_000])));
        let error = read(&HeaderMap::new(), endless, 1 << 30, PATIENCE, &mut held).await.unwrap_err();
        assert_eq!(error.code, Code::Unavailable);
    }

    #[tokio::test]
    async fn a_body_that_trickles_comes_to_an_end() {
        let patience = Patience { idle: Duration::from_millis(200), whole: Duration::from_millis(300) };
        let trickle = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok(Bytes::from_static(b"x")), ()))
        });
        let error = read(&announcing(1_000), trickle, 1 << 20, patience, &mut Budget::new(1 << 20, None).hold()).await.unwrap_err();
        assert!(error.message.contains("longer than 300ms"), "{}", error.message);
        let nothing = futures_util::stream::pending();
        let error = read(&announcing(1), nothing, 1, patience, &mut Budget::new(1, None).hold()).await.unwrap_err();
        assert!(error.message.contains("within 200ms"), "{}", error.message);
    }
}
