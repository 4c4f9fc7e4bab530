//! Telling the operator what was made: on the terminal, or in a file that only the operator can read. Never in the log.
//!
//! What is to be told is on the disk (`first-start.pending`) before the database knows of it, and becomes `first-start.txt` or
//! is shown afterwards. A process that dies in between tells it at its next start.

use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::secrets::write_private;
use crate::auth::SecretKey;

const PENDING: &str = "first-start.pending";
const FILE: &str = "first-start.txt";

/// Where the operator is.
pub(super) struct Place<'a> {
    pub terminal: bool,
    pub out: Box<dyn Write + Send + 'a>,
}

impl Place<'_> {
    pub fn of_process() -> Self {
        let out = std::io::stdout();
        Self { terminal: out.is_terminal(), out: Box::new(out) }
    }
}

/// A new administrator.
pub(super) struct Login {
    pub email: String,
    /// None when the operator chose it.
    pub password: Option<String>,
}

/// What was made.
pub(super) struct Announcement {
    pub url: String,
    pub login: Option<Login>,
    pub key: Option<SecretKey>,
    pub made_at: DateTime<Utc>,
}

impl Announcement {
    pub fn is_empty(&self) -> bool {
        self.login.is_none() && self.key.is_none()
    }

    fn text(&self) -> String {
        let mut text = format!("Brokle is ready: {}\n", self.url);
        if let Some(login) = &self.login {
            let password = login.password.as_deref().unwrap_or("(the one in BROKLE_INIT_USER_PASSWORD)");
            let _ = write!(text, "\n  log in as   {}\n  password    {password}\n", login.email);
        }
        if let Some(key) = &self.key {
            let _ = write!(text, "  API key     {}\n\n{}", key.expose(), snippets(&self.url, key.expose(), self.made_at));
        }
        text.push_str("\nThis is shown once. New passwords and keys: brokle admin --help\n");
        text
    }
}

/// Puts what is to be told on the disk; `mark` is what the database will know it by.
pub(super) fn write_pending(dir: &Path, mark: &str, news: &Announcement) -> anyhow::Result<()> {
    let write = || {
        let aside = write_private(dir, PENDING, &format!("{mark}\n{}", news.text()))?;
        fs::rename(aside, dir.join(PENDING))
    };
    write().with_context(|| format!("cannot write {}", dir.join(PENDING).display()))
}

/// Tells what a process before this one made and could not tell; true when there was something.
pub(super) fn resume(dir: &Path, committed: Option<&str>, place: &mut Place<'_>) -> anyhow::Result<bool> {
    let path = dir.join(PENDING);
    match fs::read_to_string(&path) {
        Ok(text) if text.lines().next() == committed && committed.is_some() => publish(dir, place).map(|()| true),
        // Its transaction never ended: none of this exists.
        Ok(_) => fs::remove_file(&path).map(|()| false).with_context(|| format!("cannot remove {}", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Tells what is pending.
pub(super) fn publish(dir: &Path, place: &mut Place<'_>) -> anyhow::Result<()> {
    let (pending, file) = (dir.join(PENDING), dir.join(FILE));
    let text = fs::read_to_string(&pending).with_context(|| format!("cannot read {}", pending.display()))?;
    let (_mark, text) = text.split_once('\n').unwrap_or_default();
    if place.terminal && place.out.write_all(format!("\n{text}\n").as_bytes()).and_then(|()| place.out.flush()).is_ok() {
        return fs::remove_file(&pending).with_context(|| format!("cannot remove {}", pending.display()));
    }
    let write = || {
        fs::rename(write_private(dir, FILE, text)?, &file)?;
        fs::remove_file(&pending)
    };
    write().with_context(|| format!("cannot write {}", file.display()))?;
    tracing::info!(file = %file.display(), "first start: the login and the API key are in this file; delete it once you have read it");
    Ok(())
}

/// What to paste: a request that works as it stands, and the same from Python.
fn snippets(url: &str, key: &str, now: DateTime<Utc>) -> String {
    format!(
        "Send a first trace:\n\n\
curl -sS {url}/v1/traces -H 'Content-Type: application/json' -H 'X-API-Key: {key}' -d '{body}'\n\n\
Or from Python (pip install brokle):\n\n\
from brokle import Brokle\n\n\
client = Brokle(api_key=\"{key}\", base_url=\"{url}\")\n\
with client.start_as_current_generation(\n    \
name=\"chat\", model=\"gpt-4o-mini\", provider=\"openai\",\n    \
input_messages=[{{\"role\": \"user\", \"content\": \"Which planet is the largest?\"}}],\n\
) as span:\n    \
span.set_attribute(\"gen_ai.usage.input_tokens\", 14)\n    \
span.set_attribute(\"gen_ai.usage.output_tokens\", 3)\n\
client.flush()\n",
        body = first_trace(now),
    )
}

/// OTLP/JSON of a question and its answer. Source of the form: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>.
fn first_trace(now: DateTime<Utc>) -> Value {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let number = |key: &str, value: i64| json!({"key": key, "value": {"intValue": value.to_string()}});
    let at = |before_ms: i64| (now - TimeDelta::milliseconds(before_ms)).timestamp_nanos_opt().unwrap_or_default().to_string();
    let id = |bytes: &[u8]| hex::encode(bytes);
    let (trace, root, call) = (id(&rand::random::<[u8; 16]>()), id(&rand::random::<[u8; 8]>()), id(&rand::random::<[u8; 8]>()));
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", "first-trace")]},
        "scopeSpans": [{"scope": {"name": "curl"}, "spans": [
            {"traceId": trace, "spanId": root, "name": "answer a question", "kind": 1,
             "startTimeUnixNano": at(1400), "endTimeUnixNano": at(100),
             "attributes": [text("input.value", "Which planet is the largest?"), text("output.value", "Jupiter.")]},
            {"traceId": trace, "spanId": call, "parentSpanId": root, "name": "chat gpt-4o-mini", "kind": 3,
             "startTimeUnixNano": at(1300), "endTimeUnixNano": at(200),
             "attributes": [
                text("gen_ai.operation.name", "chat"), text("gen_ai.provider.name", "openai"),
                text("gen_ai.request.model", "gpt-4o-mini"),
                number("gen_ai.usage.input_tokens", 14), number("gen_ai.usage.output_tokens", 3),
                text("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"Which planet is the largest?"}]}]"#),
                text("gen_ai.output.messages", r#"[{"role":"assistant","parts":[{"type":"text","content":"Jupiter."}],"finish_reason":"stop"}]"#),
             ]},
        ]}],
    }]})
}
