//! The load: connections that each send the next request as soon as the last was answered, with as little work of their own as possible.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use brokle::common::clock::{Clock, SystemClock};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::template::{Ids, Sequence};

/// Connections that send at the same time.
pub const CONNECTIONS: usize = 8;
/// Threads of the load.
const THREADS: usize = 2;
/// The pause after an answer that asks for one, unless it names its own.
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// An acknowledged trace, for whoever looks whether it can be read.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    pub trace_id: String,
    /// Spans of it that were acknowledged so far.
    pub spans: u64,
    pub at: Instant,
}

/// Hands the next acknowledged trace to a sampler that asked for one.
#[derive(Debug, Clone)]
pub struct Samples {
    wanted: Arc<AtomicUsize>,
    sender: mpsc::Sender<Acknowledged>,
}

impl Samples {
    pub fn new() -> (Self, mpsc::Receiver<Acknowledged>) {
        let (sender, receiver) = mpsc::channel(16);
        (Self { wanted: Arc::default(), sender }, receiver)
    }

    pub fn want_one(&self) {
        self.wanted.fetch_add(1, Ordering::Relaxed);
    }

    fn offer(&self, sample: impl FnOnce() -> Acknowledged) {
        let taken = self.wanted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |wanted| wanted.checked_sub(1)).is_ok();
        if taken {
            let _ = self.sender.try_send(sample());
        }
    }
}

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub api_key: String,
}

/// What to send.
#[derive(Debug, Clone)]
pub enum Bodies {
    /// Ids and times are put in as each is sent.
    Templates(Arc<Vec<Sequence>>),
    /// Compressed before the clock starts, each sent once.
    Gzip(Arc<Mutex<Vec<Compressed>>>),
}

/// Keeps a connection to its share of a rate.
#[derive(Debug)]
struct Pace {
    every: Duration,
    next: tokio::time::Instant,
}

impl Pace {
    /// The share of connection `number` in `requests_per_second`.
    fn new(requests_per_second: f64, number: usize) -> Self {
        // The connections take turns.
        let turn = Duration::from_secs_f64(1.0 / requests_per_second.max(0.1));
        let turns = |count: usize| turn * u32::try_from(count).unwrap_or(u32::MAX);
        Self { every: turns(CONNECTIONS), next: tokio::time::Instant::now() + turns(number) }
    }

    async fn turn(&mut self) {
        tokio::time::sleep_until(self.next).await;
        // What was missed is not made up for in a burst.
        self.next = (self.next + self.every).max(tokio::time::Instant::now());
    }
}

/// A request that was compressed in advance.
#[derive(Debug)]
pub struct Compressed {
    pub body: Bytes,
    pub trace_id: String,
    pub spans: usize,
}

/// What came of a load.
#[derive(Debug, Default)]
pub struct Sent {
    pub requests: usize,
    /// Spans that the answers acknowledged.
    pub acknowledged: u64,
    pub rejected: u64,
    /// Answers that asked to come back later; the same request was sent again.
    pub busy: usize,
    pub bytes: u64,
    /// From sending a request to its answer, in seconds, sorted.
    pub latencies: Vec<f64>,
    /// From the start to the last answer.
    pub elapsed: Duration,
}

struct Connection {
    target: Target,
    sender: SendRequest<Full<Bytes>>,
    gzip: bool,
    pace: Option<Pace>,
    sent: Sent,
}

async fn connect(target: &Target) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(target.address).await.context("cannot connect")?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends by itself when the sender is dropped.
    drop(tokio::task::spawn_local(connection));
    Ok(sender)
}

impl Connection {
    /// Sends one request until it is taken; returns how many of its spans were.
    async fn send(&mut self, body: Bytes, spans: usize) -> anyhow::Result<u64> {
        if let Some(pace) = &mut self.pace {
            pace.turn().await;
        }
        loop {
            let mut request = Request::post("/v1/traces")
                .header(header::HOST, self.target.address.to_string())
                .header(header::CONTENT_TYPE, "application/x-protobuf")
                .header(header::AUTHORIZATION, format!("Bearer {}", self.target.api_key));
            if self.gzip {
                request = request.header(header::CONTENT_ENCODING, "gzip");
            }
            let begin = Instant::now();
            self.sender.ready().await.context("the server closed the connection")?;
            let response = self.sender.send_request(request.body(Full::new(body.clone()))?).await.context("the connection broke")?;
            let status = response.status();
            let pause = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let answer = response.into_body().collect().await?.to_bytes();
            if status == StatusCode::OK {
                self.sent.latencies.push(begin.elapsed().as_secs_f64());
                let rejected = ExportTraceServiceResponse::decode(answer)?.partial_success.map_or(0, |partial| partial.rejected_spans);
                let rejected = u64::try_from(rejected).unwrap_or(0);
                self.sent.requests += 1;
                self.sent.bytes += body.len() as u64;
                self.sent.rejected += rejected;
                let taken = (spans as u64).saturating_sub(rejected);
                self.sent.acknowledged += taken;
                return Ok(taken);
            }
            if !matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
                bail!("the server answered {status}: {}", String::from_utf8_lossy(&answer));
            }
            self.sent.busy += 1;
            tokio::time::sleep(pause.map_or(BUSY_PAUSE, Duration::from_secs)).await;
        }
    }

    async fn run(mut self, number: usize, load: Load) -> anyhow::Result<Sent> {
        let Load { bodies, ids, stop, samples, .. } = load;
        match bodies {
            Bodies::Templates(sequences) => {
                let mut next = number * sequences.len() / CONNECTIONS;
                while !stop.load(Ordering::Relaxed) {
                    let sequence = &sequences[next % sequences.len()];
                    next += 1;
                    let base = ids.take(sequence, u64::try_from(SystemClock.now_ns())?);
                    let mut of_trace = 0;
                    for part in &sequence.parts {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let taken = self.send(part.fill(&base).into(), part.spans).await?;
                        of_trace = if sequence.parts.len() == 1 { crate::corpus::TRACE_SPANS as u64 } else { of_trace + taken };
                        samples.offer(|| Acknowledged { trace_id: base.trace_id(0), spans: of_trace, at: Instant::now() });
                    }
                }
            }
            Bodies::Gzip(bodies) => {
                while !stop.load(Ordering::Relaxed) {
                    let next = bodies.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    // Everything that was compressed is sent: the rate counts over the time that it took.
                    let Some(next) = next else { break };
                    self.send(next.body, next.spans).await?;
                    samples.offer(|| Acknowledged {
                        trace_id: next.trace_id,
                        spans: crate::corpus::TRACE_SPANS as u64,
                        at: Instant::now(),
                    });
                }
            }
        }
        Ok(self.sent)
    }
}

/// A load: where to, what, how fast, until when.
#[derive(Debug, Clone)]
pub struct Load {
    pub target: Target,
    pub bodies: Bodies,
    pub ids: Arc<Ids>,
    /// Requests a second; as fast as the answers come where there is none.
    pub pace: Option<f64>,
    /// Set to end the load early, and by the load when it ends.
    pub stop: Arc<AtomicBool>,
    pub samples: Samples,
}

impl Sent {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.acknowledged += other.acknowledged;
        self.rejected += other.rejected;
        self.busy += other.busy;
        self.bytes += other.bytes;
        self.latencies.extend(other.latencies);
    }
}

impl Load {
    /// Sends for `duration` over [`CONNECTIONS`] connections, spread over two threads. Blocks.
    pub fn run(&self, duration: Duration) -> anyhow::Result<Sent> {
        let begin = Instant::now();
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let load = self.clone();
                std::thread::spawn(move || load.run_thread(thread))
            })
            .collect();
        while begin.elapsed() < duration && !self.stop.load(Ordering::Relaxed) && threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.stop.store(true, Ordering::Relaxed);
        let mut total = Sent::default();
        for thread in threads {
            let Ok(sent) = thread.join() else { bail!("a load thread panicked") };
            total.add(sent?);
        }
        total.elapsed = begin.elapsed();
        total.latencies.sort_by(f64::total_cmp);
        Ok(total)
    }

    fn run_thread(&self, thread: usize) -> anyhow::Result<Sent> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let mut connections = JoinSet::new();
            for number in (0..CONNECTIONS).filter(|number| number % THREADS == thread) {
                let connection = Connection {
                    sender: connect(&self.target).await?,
                    target: self.target.clone(),
                    gzip: matches!(self.bodies, Bodies::Gzip(_)),
                    pace: self.pace.map(|rate| Pace::new(rate, number)),
                    sent: Sent::default(),
                };
                connections.spawn_local(connection.run(number, self.clone()));
            }
            let mut total = Sent::default();
            while let Some(sent) = connections.join_next().await {
                total.add(sent?.inspect_err(|_| self.stop.store(true, Ordering::Relaxed))?);
            }
            Ok(total)
        })
    }
}
