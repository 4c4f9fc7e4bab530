//! What the processes of an installation tell each other: revocations, changed settings, jobs that wait.
//!
//! Messages are hints, never the truth: one may be lost while Redis is away, and then every listener hears [`Heard::Missed`] and
//! has to assume the worst. In a standalone process the bus goes no further than the process.

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Something is valid no more: a key, a session.
    Revocation,
    /// Settings of a scope have changed.
    Settings,
    /// An organisation, or a project of it, was archived, deleted, or brought back; the body is the organisation's id.
    Tenants,
    /// A job may be run.
    Jobs,
    /// Own prices of a project or an organisation have changed.
    Prices,
    /// What a newer process says and this one does not know.
    #[serde(other)]
    Unknown,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub topic: Topic,
    pub body: String,
}

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Notice(Notice),
    /// Messages were missed, nobody knows which.
    Missed,
}

/// The bus; a clone is the same bus.
#[derive(Debug, Clone)]
pub struct Bus {
    heard: broadcast::Sender<Heard>,
    sent: broadcast::Sender<Notice>,
}

impl Bus {
    /// A bus inside this process.
    #[must_use]
    pub fn new() -> Self {
        Self { heard: broadcast::Sender::new(1024), sent: broadcast::Sender::new(1024) }
    }

    /// Tells every listener of every process, this one included.
    pub fn publish(&self, topic: Topic, body: impl Into<String>) {
        let notice = Notice { topic, body: body.into() };
        // No listener is no error.
        let _ = self.heard.send(Heard::Notice(notice.clone()));
        let _ = self.sent.send(notice);
    }

    /// What is said from now on, here and by other processes.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener(self.heard.subscribe())
    }

    /// What this process says from now on: for whoever carries it to the others.
    #[must_use]
    pub fn outgoing(&self) -> broadcast::Receiver<Notice> {
        self.sent.subscribe()
    }

    /// Hands on what another process said, or that something was missed.
    pub fn deliver(&self, heard: Heard) {
        let _ = self.heard.send(heard);
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

/// Hears what is said on a bus.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Heard>);

impl Listener {
    /// The next that is heard; none once the bus is gone.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(heard) => Some(heard),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Heard::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
