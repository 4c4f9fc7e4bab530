//! The service on a TCP port: `brokle engine`.

use std::{net::SocketAddr, time::Duration};

use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    engine::{Engine, EngineError, EngineOptions},
    service::{Access, Service, digest_of},
};

/// Why the service does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The port would be reachable from elsewhere without a password.
    #[error("refusing to listen on {0} without a password: set one, or listen on 127.0.0.1")]
    PasswordNeeded(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The engine did not open or close.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// How to offer the engine on TCP.
#[derive(Debug)]
pub struct ListenOptions {
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Name that goes with the password; ClickHouse's own is `default`.
    pub user: String,
    /// Without one, only addresses of this machine are listened on.
    pub password: Option<SecretString>,
    /// The engine itself.
    pub engine: EngineOptions,
    /// How long statements get to end at shutdown.
    pub grace: Duration,
}

/// The engine on a bound port, not yet serving.
#[derive(Debug)]
pub struct EngineServer {
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
    engine: Engine,
    grace: Duration,
}

impl EngineServer {
    /// Binds the port and opens the engine.
    ///
    /// # Errors
    ///
    /// [`ListenError`], each variant with what to do about it.
    pub async fn bind(options: ListenOptions) -> Result<Self, ListenError> {
        let address = options.listen;
        if options.password.is_none() && !address.ip().is_loopback() {
            return Err(ListenError::PasswordNeeded(address));
        }
        let bind = |source| ListenError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let engine = Engine::open(options.engine).await?;
        let access = match options.password {
            Some(password) => Access::Password { user: options.user, digest: digest_of(password.expose_secret()) },
            None => Access::Local,
        };
        let service = Service::new(&engine, access);
        Ok(Self { listener, address, service, engine, grace: options.grace })
    }

    /// The address that is listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, then closes connections and engine.
    ///
    /// # Errors
    ///
    /// [`ListenError::Engine`] when statements do not end.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ListenError> {
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: wait for some to come back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps its delay");
            }
            let service = self.service.clone();
            let stop = shutdown.clone().cancelled_owned();
            self.engine.tasks().spawn(async move { service.serve_until(TokioIo::new(stream), stop).await });
        }
        drop(self.listener);
        self.engine.shutdown(self.grace).await?;
        Ok(())
    }
}

/// Offers the engine on TCP until `shutdown`; says in the log when it is ready.
///
/// # Errors
///
/// [`ListenError`], each variant with what to do about it.
pub async fn serve_engine(options: ListenOptions, shutdown: CancellationToken) -> Result<(), ListenError> {
    let server = EngineServer::bind(options).await?;
    tracing::info!(address = %server.address(), "the ClickHouse engine listens on http://{}", server.address());
    server.run(shutdown).await
}
