//! Bodies of requests and answers.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::mpsc;

use super::{
    compression::{self, Decoder},
    connection::Summary,
    exception::{Exception, code},
    request::bad_request,
};

/// The body of a request, read in pieces and taken out of its frames.
pub(super) struct RequestBody {
    incoming: Incoming,
    decoder: Option<Decoder>,
    idle_limit: Duration,
    ended: bool,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, decompress: bool, idle_limit: Duration) -> Self {
        Self { incoming, decoder: decompress.then(Decoder::default), idle_limit, ended: false }
    }

    /// The next piece, or nothing at the end. A client that stops sending is an error.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Exception> {
        while !self.ended {
            let frame = tokio::time::timeout(self.idle_limit, self.incoming.frame())
                .await
                .map_err(|_| Exception::new(209, "SOCKET_TIMEOUT", format_args!("No data for {} s", self.idle_limit.as_secs())))?;
            let data = match frame {
                None => {
                    self.ended = true;
                    if let Some(decoder) = &self.decoder {
                        decoder.finish()?;
                    }
                    return Ok(None);
                }
                Some(Err(error)) => return Err(bad_request(format_args!("The request's body broke off: {error}"))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_trailers) => continue,
                },
            };
            let data = match &mut self.decoder {
                Some(decoder) => decoder.push(&data)?,
                None => data,
            };
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The rest of the body, up to `limit` bytes.
    pub(super) async fn collect(&mut self, mut begun: BytesMut, limit: usize) -> Result<BytesMut, Exception> {
        while let Some(data) = self.next().await? {
            begun.extend_from_slice(&data);
            if begun.len() > limit {
                return Err(Exception::new(
                    code::QUERY_IS_TOO_LARGE,
                    "QUERY_IS_TOO_LARGE",
                    format_args!("The statement is larger than {limit} bytes"),
                ));
            }
        }
        Ok(begun)
    }

    /// Reads on without keeping anything, so that the answer reaches a client that is still sending.
    pub(super) async fn discard(&mut self, limit: usize) {
        let mut seen = 0;
        self.decoder = None;
        while seen <= limit
            && let Ok(Some(data)) = self.next().await
        {
            seen += data.len();
        }
    }
}

/// What the engine's thread reports about a statement.
#[derive(Debug)]
pub(super) enum Event {
    Block(Bytes),
    End(Summary),
    Failed(Exception),
}

/// The body of an answer.
pub(super) enum AnswerBody {
    Full(Option<Bytes>),
    Stream(Box<BlockStream>),
}

/// Blocks as the engine makes them; the first is there already.
pub(super) struct BlockStream {
    pub(super) first: Option<Bytes>,
    pub(super) events: mpsc::Receiver<Event>,
    /// Marks an exception within the body; also sent as `X-ClickHouse-Exception-Tag`.
    pub(super) tag: String,
    pub(super) compress: bool,
    pub(super) ended: bool,
    /// Ends the statement when the client has gone away.
    pub(super) guard: super::statement::StatementGuard,
}

impl AnswerBody {
    pub(super) fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::Full((!bytes.is_empty()).then_some(bytes))
    }
}

impl BlockStream {
    fn frame(&self, data: Bytes) -> Frame<Bytes> {
        Frame::data(if self.compress { compression::compress(&data) } else { data })
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let stream = match self.get_mut() {
            Self::Full(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(stream) => stream,
        };
        if let Some(first) = stream.first.take() {
            return Poll::Ready(Some(Ok(stream.frame(first))));
        }
        if stream.ended {
            return Poll::Ready(None);
        }
        let event = ready!(stream.events.poll_recv(context));
        if let Some(Event::Block(data)) = event {
            return Poll::Ready(Some(Ok(stream.frame(data))));
        }
        stream.ended = true;
        stream.guard.disarm();
        let exception = match event {
            Some(Event::Failed(exception)) => exception,
            // The thread never drops its end without a word, except in a panic.
            None => Exception::new(code::UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", "The statement broke off"),
            _ => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(stream.frame(exception_block(&exception, &stream.tag)))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_none(),
            Self::Stream(stream) => stream.ended && stream.first.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// An exception after data, as ClickHouse 25.11 and newer mark it.
///
/// Source: `WriteBufferFromHTTPServerResponse.cpp`; read by the official client's `response.rs`.
fn exception_block(exception: &Exception, tag: &str) -> Bytes {
    let message = format!("{exception}\n");
    Bytes::from(format!("\r\n__exception__\r\n{tag}\r\n{message}{} {tag}\r\n__exception__\r\n", message.len()))
}
