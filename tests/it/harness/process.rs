//! The program itself, as its users start it.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A `brokle` process; killed when dropped.
pub struct Process {
    child: Child,
    log: tempfile::NamedTempFile,
}

impl Process {
    /// `brokle` with these arguments and nothing in its environment but these variables.
    fn command(arguments: &[&str], environment: &[(String, String)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brokle"));
        command
            .args(arguments)
            .env_clear()
            .envs(super::environment_variable("HOME").map(|home| ("HOME".to_owned(), home)))
            .envs(super::environment_variable("XDG_CACHE_HOME").map(|home| ("XDG_CACHE_HOME".to_owned(), home)))
            .envs(super::environment_variable("BROKLE_ENGINE_LIB").map(|path| ("BROKLE_ENGINE_LIB".to_owned(), path)))
            .envs(environment.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Starts `brokle` with these arguments and nothing in its environment but these variables.
    pub fn start(arguments: &[&str], environment: &[(String, String)]) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Self::command(arguments, environment);
        // Both streams at the end of one file, whoever wrote last.
        let append = || std::fs::OpenOptions::new().append(true).open(log.path()).unwrap();
        let child = command.stdout(append()).stderr(append()).spawn().unwrap();
        Self { child, log }
    }

    /// Runs `brokle` to its end.
    pub fn run(arguments: &[&str], environment: &[(String, String)]) -> Output {
        Self::command(arguments, environment).output().unwrap()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far, both streams.
    pub fn output(&self) -> String {
        let mut text = String::new();
        self.log.reopen().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// Sends a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: a signal to a child that has not been waited for.
        unsafe { libc::kill(i32::try_from(self.child.id()).unwrap(), signal) };
    }

    /// Ends it as a power cut would: SIGKILL, then waits.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has printed `text`; fails with everything that it printed.
    pub async fn wait_for_output(&mut self, text: &str, patience: Duration) {
        let started = Instant::now();
        while !self.output().contains(text) {
            assert!(self.is_running(), "ended before it said {text:?}:\n{}", self.output());
            assert!(started.elapsed() < patience, "did not say {text:?} within {patience:?}:\n{}", self.output());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until it has ended, and tells its exit code (none: a signal ended it); fails with what it printed.
    pub async fn exit_code(&mut self, patience: Duration) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(started.elapsed() < patience, "still running after {patience:?}:\n{}", self.output());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until `url` answers 200; fails with the log when it does not or when the process ends.
    pub async fn wait_until_ready(&mut self, url: &str, patience: Duration) {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).no_proxy().build().unwrap();
        let started = Instant::now();
        while started.elapsed() < patience {
            if client.get(format!("{url}/health/ready")).send().await.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "the process ended:\n{}", self.output());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        panic!("not ready within {patience:?}:\n{}", self.output());
    }

    /// A port that is free now, below the range from which the kernel takes the ports of outgoing connections: one of those must
    /// not take it before the process does. Tests that run at the same time get others.
    pub fn free_port() -> u16 {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = std::process::id().wrapping_mul(41).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = u16::try_from(10_000 + number % 10_000).unwrap();
            if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
                return port;
            }
        }
    }

    /// The most memory it has used, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join("status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
