//! The program itself, as its users start it.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A `brokle` process; killed when dropped.
pub struct Process {
    child: Child,
    log: tempfile::NamedTempFile,
}

impl Process {
    /// Starts `brokle` with these arguments and nothing in its environment but these variables.
    pub fn start(arguments: &[&str], environment: &[(String, String)]) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_brokle"))
            .args(arguments)
            .env_clear()
            .envs(super::environment_variable("HOME").map(|home| ("HOME".to_owned(), home)))
            .envs(super::environment_variable("XDG_CACHE_HOME").map(|home| ("XDG_CACHE_HOME".to_owned(), home)))
            .envs(super::environment_variable("BROKLE_ENGINE_LIB").map(|path| ("BROKLE_ENGINE_LIB".to_owned(), path)))
            .envs(environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.reopen().unwrap())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        Self { child, log }
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

    /// How it ended, if it does within `patience`.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        while started.elapsed() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
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

    /// A port that is free now.
    pub fn free_port() -> u16 {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    /// The most memory it has used, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join("status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("VmHWM: 0 kB");
        line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
