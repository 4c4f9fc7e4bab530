//! The processes under measurement: started here, watched through /proc, ended here whatever happens.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How long a process may take to stop before it is ended hard.
const GRACE: Duration = Duration::from_secs(30);
/// What children get of our own environment: enough to find the engine library, nothing that configures Brokle.
const INHERITED: [&str; 5] = ["HOME", "PATH", "XDG_CACHE_HOME", "BROKLE_ENGINE_LIB", "TMPDIR"];

/// A child that ends when this is dropped.
#[derive(Debug)]
pub struct Process {
    pub name: &'static str,
    child: Child,
    log: PathBuf,
    started: Instant,
}

/// What a process has used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Processor seconds, user and system.
    pub cpu: f64,
    /// Bytes in memory now.
    pub rss: u64,
    /// Most bytes in memory since the last reset.
    pub peak: u64,
}

/// A port that is free now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

impl Process {
    /// Starts `binary`; its output goes to a log in `directory`.
    pub fn start(
        name: &'static str,
        binary: &Path,
        arguments: &[&str],
        environment: &BTreeMap<String, String>,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let inherited = INHERITED.iter().filter_map(|name| Some((*name, std::env::vars_os().find(|(known, _)| known == name)?.1)));
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .env_clear()
            .envs(inherited)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C goes to the benchmark, which then stops its children in order.
            .process_group(0);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        Ok(Self { name, child, log, started })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `url` answers 200; returns the time since the start.
    pub async fn ready(&mut self, client: &reqwest::Client, url: &str, patience: Duration) -> anyhow::Result<Duration> {
        loop {
            self.alive()?;
            if client.get(url).send().await.is_ok_and(|response| response.status().is_success()) {
                return Ok(self.started.elapsed());
            }
            if self.started.elapsed() > patience {
                bail!("{} was not ready within {} s:\n{}", self.name, patience.as_secs(), self.tail());
            }
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
    }

    /// An error, with the end of its log, if the process has ended.
    pub fn alive(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("{} has ended ({status}):\n{}", self.name, self.tail()),
            None => Ok(()),
        }
    }

    fn tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Lines of the log that report an error.
    pub fn errors(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().filter(|line| line.contains("\"ERROR\"") || line.contains("panicked")).map(str::to_owned).collect()
    }

    /// Asks the process to stop and waits. Returns whether it did so by itself.
    pub fn stop(&mut self) -> bool {
        if let Ok(Some(status)) = self.child.try_wait() {
            return status.success();
        }
        signal(self.child.id(), libc::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

fn signal(pid: u32, signal: i32) {
    if let Ok(pid) = i32::try_from(pid) {
        // SAFETY: kill(2) takes any numbers; the id is that of a child that was not waited for, so it is still ours.
        unsafe { libc::kill(pid, signal) };
    }
}

fn ticks_per_second() -> f64 {
    // SAFETY: sysconf(3) reads a constant of the system.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u32::try_from(ticks).map_or(100.0, f64::from)
}

/// What process `pid` has used. Source: proc(5), `stat` and `status`.
pub fn usage(pid: u32) -> anyhow::Result<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
    // The name in brackets may hold spaces; what follows does not.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u32>().ok()).map_or(0.0, f64::from);
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    Ok(Usage { cpu: (ticks(11) + ticks(12)) / ticks_per_second(), rss: kilobytes("VmRSS:"), peak: kilobytes("VmHWM:") })
}

/// Seconds for which the machine's processors, all together, were taken, by whomever, or withheld by its host.
/// Source: proc(5), `/proc/stat`.
pub fn machine_cpu() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let mut ticks = text.lines().next().unwrap_or_default().split_whitespace().skip(1).map(|field| field.parse::<f64>().unwrap_or(0.0));
    // user, nice, system, (idle, iowait,) irq, softirq, steal
    let busy: f64 = ticks.by_ref().take(3).sum();
    (busy + ticks.skip(2).take(3).sum::<f64>()) / ticks_per_second()
}

/// Starts the peak of memory anew. Where the system does not allow it, the peak is that of the whole life.
pub fn reset_peak(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}
