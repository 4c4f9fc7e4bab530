//! Threads that each own one connection, and the lanes they wait in.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    connection::Connection,
    exception::{Exception, code},
    library::leave_without_destructors,
};

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Connections of one kind and the queue in front of them.
///
/// Waiting is first come, first served, and bounded: who comes when `max_waiting` others already wait is refused at
/// once, so an overload shows as an error and not as ever longer answers.
pub(super) struct Lane {
    name: &'static str,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<mpsc::Sender<Job>>>,
    size: usize,
    waiting: AtomicUsize,
    max_waiting: usize,
    served: AtomicUsize,
}

impl Lane {
    /// Starts one thread per connection. `held` is dropped by each thread after its connection is closed.
    pub(super) fn start(
        name: &'static str,
        connections: Vec<Connection>,
        max_waiting: usize,
        held: &Arc<impl Send + Sync + 'static>,
    ) -> std::io::Result<(Arc<Self>, Vec<JoinHandle<()>>)> {
        let size = connections.len();
        let mut idle = Vec::with_capacity(size);
        let mut threads = Vec::with_capacity(size);
        for (index, mut connection) in connections.into_iter().enumerate() {
            let (sender, jobs) = mpsc::channel::<Job>();
            let held = Arc::clone(held);
            let thread = std::thread::Builder::new().name(format!("engine-{name}-{index}")).spawn(move || {
                while let Ok(job) = jobs.recv() {
                    // A panic in a job must not take the connection away from everyone else.
                    if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
                        tracing::error!(lane = name, "a statement panicked; its connection stays in use");
                    }
                }
                drop(connection);
                drop(held);
            })?;
            idle.push(sender);
            threads.push(thread);
        }
        let lane = Self {
            name,
            permits: Arc::new(Semaphore::new(size)),
            idle: Mutex::new(idle),
            size,
            waiting: AtomicUsize::new(0),
            max_waiting,
            served: AtomicUsize::new(0),
        };
        Ok((Arc::new(lane), threads))
    }

    /// Waits for a free connection.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, Exception> {
        let permit = if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            permit
        } else {
            let _place = Place::take(self)?;
            Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closing())?
        };
        let worker = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().ok_or_else(closing)?;
        Ok(Lease { lane: Arc::clone(self), worker: Some(worker), _permit: permit })
    }

    /// Refuses everyone who waits or comes from now on.
    pub(super) fn close(&self) {
        self.permits.close();
    }

    /// Lets the idle threads end; those at work end when their lease comes back.
    ///
    /// Returns how many are still at work.
    pub(super) fn dismiss(&self) -> usize {
        self.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.size - self.permits.available_permits()
    }
}

/// A place in the queue, given back when dropped.
struct Place<'l>(&'l AtomicUsize);

impl<'l> Place<'l> {
    fn take(lane: &'l Lane) -> Result<Self, Exception> {
        let before = lane.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(&lane.waiting);
        if before < lane.max_waiting {
            return Ok(place);
        }
        Err(Exception::new(
            code::TOO_MANY_SIMULTANEOUS_QUERIES,
            "TOO_MANY_SIMULTANEOUS_QUERIES",
            format_args!("Too many statements wait for a connection ({}): {before}, maximum: {}", lane.name, lane.max_waiting),
        ))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection, for one job.
pub(super) struct Lease {
    lane: Arc<Lane>,
    worker: Option<mpsc::Sender<Job>>,
    // Given back after the worker, so that who gets it finds one.
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// Runs a job on the connection's thread; the lease ends with the job.
    pub(super) fn run(self, job: impl FnOnce(&mut Connection) + Send + 'static) {
        let Some(worker) = self.worker.clone() else { return };
        let lease = self;
        // Cannot fail: a worker's thread runs as long as a sender to it exists. Were it to, the lease ends here.
        let _ = worker.send(Box::new(move |connection| {
            // Given back at the end, whether the job ends well or not.
            let lease = lease;
            job(connection);
            if (lease.lane.served.fetch_add(1, Ordering::Relaxed) + 1).is_power_of_two() {
                leave_without_destructors();
            }
        }));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take()
            && !self.lane.permits.is_closed()
        {
            self.lane.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        }
    }
}

fn closing() -> Exception {
    Exception::new(code::ABORTED, "ABORTED", "the engine is shutting down")
}
