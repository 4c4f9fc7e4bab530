//! A TCP proxy between Brokle and a service, so that the service can go away and come back without being stopped.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Process;

/// What the proxy does with bytes.
#[derive(Debug, Clone, Default)]
struct Flow {
    /// Connections of an earlier generation end.
    generation: u64,
    /// Nothing is passed on; connections stay open and new ones are taken.
    held: bool,
    /// Hold as soon as a client sends this.
    hold_at: Option<Vec<u8>>,
}

/// A proxy in front of one service.
pub struct Proxy {
    url: reqwest::Url,
    port: u16,
    target: SocketAddr,
    flow: watch::Sender<Flow>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Proxy {
    /// A proxy in front of the service of `url`, which nobody listens at yet.
    pub fn closed(url: &str) -> Self {
        let mut url: reqwest::Url = url.parse().unwrap();
        let target = SocketAddr::from((url.host_str().unwrap().parse::<Ipv4Addr>().unwrap(), url.port_or_known_default().unwrap()));
        let port = Process::free_port();
        url.set_port(Some(port)).unwrap();
        Self { url, port, target, flow: watch::Sender::new(Flow::default()), accepting: Mutex::default() }
    }

    /// A proxy in front of the service of `url`, open.
    pub async fn open_for(url: &str) -> Self {
        let proxy = Self::closed(url);
        proxy.open().await;
        proxy
    }

    /// The URL that leads through the proxy.
    pub fn url(&self) -> String {
        self.url.as_str().trim_end_matches('/').to_owned()
    }

    /// Takes connections, and passes on what was held.
    pub async fn open(&self) {
        self.flow.send_modify(|flow| {
            flow.held = false;
            flow.hold_at = None;
        });
        if self.accepting.lock().unwrap().is_some() {
            return;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        let (target, flow) = (self.target, self.flow.clone());
        let task = tokio::task::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                tokio::task::spawn(connect(client, target, flow.clone()));
            }
        });
        *self.accepting.lock().unwrap() = Some(task);
    }

    /// Ends every connection and refuses new ones: the service is down.
    pub async fn cut(&self) {
        let task = self.accepting.lock().unwrap().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
        self.disconnect();
    }

    /// Ends every connection; new ones are taken at once.
    pub fn disconnect(&self) {
        self.flow.send_modify(|flow| flow.generation += 1);
    }

    /// Passes nothing on, in either direction: the service hangs.
    pub fn hold(&self) {
        self.flow.send_modify(|flow| flow.held = true);
    }

    /// Begins to hold at the moment at which a client sends `text`, which does not arrive.
    pub fn hold_at(&self, text: &str) {
        self.flow.send_modify(|flow| flow.hold_at = Some(text.as_bytes().to_vec()));
    }

    /// Waits until something is held.
    pub async fn wait_until_held(&self, patience: Duration) {
        let mut flow = self.flow.subscribe();
        assert!(tokio::time::timeout(patience, flow.wait_for(|flow| flow.held)).await.is_ok(), "nothing to hold within {patience:?}");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(task) = self.accepting.lock().unwrap().take() {
            task.abort();
        }
        self.disconnect();
    }
}

async fn connect(client: TcpStream, target: SocketAddr, flow: watch::Sender<Flow>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let flow = Arc::new(flow);
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    // When one side ends, so does the connection: no client of ours half-closes.
    tokio::select! {
        () = pump(from_client, to_server, Arc::clone(&flow), true) => {}
        () = pump(from_server, to_client, flow, false) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, flow: Arc<watch::Sender<Flow>>, from_client: bool) {
    let mut changes = flow.subscribe();
    let born = changes.borrow_and_update().generation;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = tokio::select! {
            read = from.read(&mut buffer) => match read { Ok(length) if length > 0 => length, _ => return },
            changed = changes.changed() => {
                if changed.is_err() || changes.borrow_and_update().generation != born { return }
                continue;
            }
        };
        if from_client {
            flow.send_if_modified(|flow| {
                let hit = flow.hold_at.as_ref().is_some_and(|text| buffer[..length].windows(text.len()).any(|window| window == &text[..]));
                flow.held |= hit;
                hit
            });
        }
        if changes.wait_for(|flow| !flow.held || flow.generation != born).await.is_err() || changes.borrow_and_update().generation != born {
            return;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
