//! Sends OTLP to a running Brokle and says in plain words what went wrong if it did.

use std::time::Duration;

use anyhow::{Context, bail};
use async_compression::tokio::write::GzipEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;
use reqwest::{Client, Response, StatusCode, header};
use tokio::io::AsyncWriteExt;

use crate::http::otlp::Status;

/// Tries of a request that the server cannot take right now.
const TRIES: u32 = 5;
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Where the traces go.
#[derive(Debug)]
pub(super) struct Target {
    client: Client,
    url: String,
    api_key: String,
}

/// What the server said to a request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    /// Bytes on the wire.
    pub bytes: usize,
    pub rejected: i64,
    pub message: String,
}

impl Target {
    /// A target at `url`, which may end with a slash.
    pub(super) fn new(url: &str, api_key: &str) -> anyhow::Result<Self> {
        let parsed = reqwest::Url::parse(url).with_context(|| format!("`{url}` is no URL; it should look like http://localhost:8080"))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            bail!("`{url}` is no HTTP address; it should look like http://localhost:8080");
        }
        let local = parsed.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
        let mut builder = Client::builder().connect_timeout(Duration::from_secs(5)).timeout(Duration::from_mins(1));
        if local {
            // A proxy for the outside world does not lead to this machine.
            builder = builder.no_proxy();
        }
        let client = builder.build().context("cannot prepare an HTTP client")?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), api_key: api_key.to_owned() })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Asks whether the key is good. Returns the id of its project, where the server tells it.
    pub(super) async fn project(&self) -> anyhow::Result<Option<String>> {
        let url = format!("{}/v1/auth/validate-key", self.url);
        let request = self.client.post(url).header(header::CONTENT_TYPE, "application/json").bearer_auth(&self.api_key).body("{}");
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        let answer: serde_json::Value = match response.json().await {
            Ok(answer) => answer,
            Err(_) => bail!("{} answers, but not as Brokle does; is another program listening there?", self.url),
        };
        Ok(answer["data"]["project_id"].as_str().map(str::to_owned))
    }

    /// Sends one request, again when the server is too busy.
    pub(super) async fn send(&self, request: &ExportTraceServiceRequest) -> anyhow::Result<Taken> {
        let body = gzip(&request.encode_to_vec()).await?;
        let mut attempt = 1;
        loop {
            let response = self
                .client
                .post(format!("{}/v1/traces", self.url))
                .header(header::CONTENT_TYPE, "application/x-protobuf")
                .header(header::CONTENT_ENCODING, "gzip")
                .bearer_auth(&self.api_key)
                .body(body.clone())
                .send()
                .await
                .map_err(|error| self.unreachable(&error))?;
            let status = response.status();
            if status.is_success() {
                let bytes = response.bytes().await.context("the answer ended early")?;
                let answer = ExportTraceServiceResponse::decode(bytes)
                    .with_context(|| format!("{} answers, but not as Brokle does; is another program listening there?", self.url))?;
                let partial = answer.partial_success.unwrap_or_default();
                return Ok(Taken { bytes: body.len(), rejected: partial.rejected_spans, message: partial.error_message });
            }
            let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            if !busy || attempt == TRIES {
                return Err(self.refused(response).await);
            }
            tokio::time::sleep(pause(&response, attempt)).await;
            attempt += 1;
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> anyhow::Error {
        let cause = crate::error::chain(error);
        if error.is_connect() {
            anyhow::anyhow!("cannot connect to {}: {cause}; start Brokle there, or give its address with --url (BROKLE_BASE_URL)", self.url)
        } else if error.is_timeout() {
            anyhow::anyhow!("{} did not answer in time; look at its log and at {}/health/ready", self.url, self.url)
        } else {
            anyhow::anyhow!("the request to {} failed: {cause}", self.url)
        }
    }

    async fn refused(&self, response: Response) -> anyhow::Error {
        let status = response.status();
        let protobuf = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().ends_with(b"protobuf"));
        let body = response.bytes().await.unwrap_or_default();
        let said = reason(&body, protobuf);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => anyhow::anyhow!(
                "{} does not take this API key ({status}): {said}; give one with --api-key (BROKLE_API_KEY), `brokle admin create-key` makes a new one",
                self.url
            ),
            StatusCode::NOT_FOUND => anyhow::anyhow!("there is no Brokle at {} ({status}); check --url (BROKLE_BASE_URL)", self.url),
            _ => anyhow::anyhow!("{} did not take the traces ({status}): {said}", self.url),
        }
    }
}

/// The message of an error answer: `google.rpc.Status`, or Brokle's JSON, or the text itself.
fn reason(body: &[u8], protobuf: bool) -> String {
    if protobuf && let Ok(status) = Status::decode(body) {
        return status.message;
    }
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let message = json.as_ref().and_then(|json| json["error"]["message"].as_str().or_else(|| json["message"].as_str()));
    let text = message.map_or_else(|| String::from_utf8_lossy(body).chars().take(200).collect(), str::to_owned);
    if text.trim().is_empty() { "no reason given".to_owned() } else { text }
}

fn pause(response: &Response, attempt: u32) -> Duration {
    let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    asked.map_or(Duration::from_millis(300) * attempt, Duration::from_secs).min(LONGEST_PAUSE)
}

async fn gzip(bytes: &[u8]) -> anyhow::Result<bytes::Bytes> {
    let mut encoder = GzipEncoder::new(Vec::with_capacity(bytes.len() / 3));
    encoder.write_all(bytes).await.context("cannot compress the traces")?;
    encoder.shutdown().await.context("cannot compress the traces")?;
    Ok(encoder.into_inner().into())
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    fn target(server: &MockServer) -> Target {
        Target::new(&format!("{}/", server.uri()), "bk_test").unwrap()
    }

    #[tokio::test]
    async fn reports_what_was_rejected() {
        use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
        let server = MockServer::start().await;
        let partial = ExportTracePartialSuccess { rejected_spans: 2, error_message: "2 spans refused".into() };
        let answer = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        Mock::given(method("POST"))
            .and(path("/v1/traces"))
            .and(header("authorization", "Bearer bk_test"))
            .and(header("content-type", "application/x-protobuf"))
            .and(header("content-encoding", "gzip"))
            .respond_with(ResponseTemplate::new(200).set_body_raw(answer, "application/x-protobuf"))
            .mount(&server)
            .await;
        let taken = target(&server).send(&ExportTraceServiceRequest::default()).await.unwrap();
        assert_eq!((taken.rejected, taken.message.as_str()), (2, "2 spans refused"));
    }

    #[tokio::test]
    async fn a_refused_key_is_named_with_the_remedy() {
        let server = MockServer::start().await;
        let status = Status { code: 16, message: "unknown API key".into() }.encode_to_vec();
        Mock::given(path("/v1/traces"))
            .respond_with(ResponseTemplate::new(401).set_body_raw(status, "application/x-protobuf"))
            .mount(&server)
            .await;
        let json =
            serde_json::json!({"success": false, "data": null, "error": {"code": "UNAUTHORIZED_ERROR", "message": "unknown API key"}});
        Mock::given(path("/v1/auth/validate-key")).respond_with(ResponseTemplate::new(401).set_body_json(json)).mount(&server).await;
        let target = target(&server);
        for error in [target.send(&ExportTraceServiceRequest::default()).await.unwrap_err(), target.project().await.unwrap_err()] {
            let text = error.to_string();
            assert!(text.contains("401") && text.contains("unknown API key") && text.contains("--api-key"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_again() {
        let server = MockServer::start().await;
        let busy = ResponseTemplate::new(503).insert_header("retry-after", "0");
        Mock::given(path("/v1/traces")).respond_with(busy).up_to_n_times(2).mount(&server).await;
        Mock::given(path("/v1/traces")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        let taken = target(&server).send(&ExportTraceServiceRequest::default()).await.unwrap();
        assert_eq!(taken.rejected, 0);
    }

    #[tokio::test]
    async fn nobody_there_is_said_plainly() {
        let target = Target::new("http://127.0.0.1:1", "bk_test").unwrap();
        let text = target.project().await.unwrap_err().to_string();
        assert!(text.contains("cannot connect to http://127.0.0.1:1") && text.contains("--url"), "{text}");
    }

    #[tokio::test]
    async fn another_program_is_recognised() {
        let server = MockServer::start().await;
        Mock::given(path("/v1/auth/validate-key")).respond_with(ResponseTemplate::new(200).set_body_string("hello")).mount(&server).await;
        let text = target(&server).project().await.unwrap_err().to_string();
        assert!(text.contains("not as Brokle does"), "{text}");
    }

    #[test]
    fn a_wrong_address_is_refused() {
        for url in ["localhost:8080", "ftp://localhost", "not a url"] {
            assert!(Target::new(url, "bk_test").unwrap_err().to_string().contains("http://localhost:8080"), "{url}");
        }
    }
}
