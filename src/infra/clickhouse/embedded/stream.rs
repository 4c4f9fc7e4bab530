//! The official client, connected to the service without a socket.

use std::{
    future::{Ready, ready},
    io,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::{
    Uri,
    rt::{Read, ReadBufCursor, Write},
};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::io::DuplexStream;

use super::{engine::Engine, service::Service};

/// Opens in-memory streams to the service; a connector for hyper's client.
#[derive(Debug, Clone)]
pub struct DuplexConnector {
    engine: Engine,
    service: Service,
}

impl DuplexConnector {
    /// Bytes that may be under way in each direction. Blocks of rows are written in pieces of 256 KiB.
    const BUFFER: usize = 512 * 1024;

    /// A connector to `engine`.
    #[must_use]
    pub fn new(engine: &Engine) -> Self {
        Self { engine: engine.clone(), service: Service::trusted(engine) }
    }
}

impl tower_service::Service<Uri> for DuplexConnector {
    type Response = EngineStream;
    type Error = io::Error;
    type Future = Ready<Result<EngineStream, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (ours, theirs) = tokio::io::duplex(Self::BUFFER);
        let service = self.service.clone();
        self.engine.tasks().spawn(async move {
            service.serve_connection(TokioIo::new(theirs)).await;
        });
        ready(Ok(EngineStream(TokioIo::new(ours))))
    }
}

/// The client's end of a stream.
#[derive(Debug)]
pub struct EngineStream(TokioIo<DuplexStream>);

impl Connection for EngineStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for EngineStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for EngineStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
