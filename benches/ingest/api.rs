//! Brokle's API as the benchmark uses it: log in, find a trace, count what is listed.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// A signed-in client of one project.
#[derive(Debug, Clone)]
pub struct Api {
    client: reqwest::Client,
    root: String,
    token: String,
    pub project: String,
}

/// A client for checks and reads.
pub fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?)
}

impl Api {
    pub async fn log_in(client: &reqwest::Client, address: SocketAddr, email: &str, password: &str) -> anyhow::Result<Self> {
        let root = format!("http://{address}");
        let response = client.post(format!("{root}/api/v1/auth/login")).json(&json!({"email": email, "password": password})).send().await?;
        let status = response.status();
        let answer: Value = response.json().await.context("the answer to the log-in is no JSON")?;
        let Some(token) = answer["data"]["access_token"].as_str() else { bail!("cannot log in ({status}): {answer}") };
        let mut api = Self { client: client.clone(), root, token: token.to_owned(), project: String::new() };
        let me = api.get("/api/v1/users/me", &[]).await?;
        let project = me["data"]["organizations"][0]["projects"][0]["id"].as_str();
        project.context("the user has no project")?.clone_into(&mut api.project);
        Ok(api)
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<(StatusCode, Value)> {
        let url = reqwest::Url::parse_with_params(&format!("{}{path}", self.root), query)?;
        let response = self.client.get(url).bearer_auth(&self.token).send().await?;
        let status = response.status();
        Ok((status, response.json().await.with_context(|| format!("the answer of {path} is no JSON"))?))
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let (status, answer) = self.ask(path, query).await?;
        ensure!(status.is_success(), "{path} answered {status}: {answer}");
        Ok(answer)
    }

    /// How many spans the API counts in a trace; `None` while it does not know the trace.
    pub async fn spans_of(&self, trace: &str) -> anyhow::Result<Option<u64>> {
        let path = format!("/api/v1/traces/{trace}");
        let (status, answer) = self.ask(&path, &[("project_id", &self.project)]).await?;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        ensure!(status.is_success(), "{path} answered {status}: {answer}");
        Ok(answer["data"]["span_count"].as_u64())
    }

    /// Traces and spans that the list shows from `from` to `to` (RFC 3339), page by page.
    pub async fn listed(&self, from: &str, to: &str) -> anyhow::Result<(u64, u64)> {
        let (mut traces, mut spans) = (0, 0);
        let mut cursor = None::<String>;
        loop {
            let mut query = vec![("project_id", self.project.as_str()), ("start_time", from), ("end_time", to), ("limit", "100")];
            if let Some(cursor) = &cursor {
                query.push(("cursor", cursor));
            }
            let page = self.get("/api/v1/traces", &query).await?;
            let rows = page["data"].as_array().context("the list of traces is no list")?;
            traces += rows.len() as u64;
            spans += rows.iter().filter_map(|row| row["span_count"].as_u64()).sum::<u64>();
            cursor = page["meta"]["pagination"]["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok((traces, spans));
            }
        }
    }
}
