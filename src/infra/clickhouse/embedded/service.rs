//! ClickHouse's HTTP protocol in front of the engine.
//!
//! Enough of it for the official `clickhouse` crate, for curl and for ordinary HTTP clients: statements in the URL or the
//! body, settings and parameters in the URL or a form, data of an INSERT and answers of a SELECT streamed, ClickHouse's
//! own compressed frames, its headers and its exceptions. Not there: sessions (ids are accepted and mean nothing),
//! external tables, progress headers, and compression by `Content-Encoding`.
//!
//! Source: `src/Server/HTTPHandler.cpp` of ClickHouse, and the crate's `query.rs`, `insert_formatted.rs`, `response.rs`.

use std::{convert::Infallible, sync::Arc};

use bytes::{Bytes, BytesMut};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
    http::request::Parts,
    rt::{Read, Write},
    service::service_fn,
};

use super::{
    super::sql,
    body::{AnswerBody, BlockStream, Event, RequestBody},
    compression,
    connection::Summary,
    engine::Engine,
    exception::{Exception, code},
    request::{Asked, bad_request, multipart_boundary, text_header},
    statement::{self, IDLE_LIMIT, InsertWork, random_mark},
};

/// Longest statement without the data of an INSERT, in bytes.
const MAX_STATEMENT: usize = 16 * 1024 * 1024;
/// How far the head of an INSERT may reach into the body, in bytes.
const MAX_INSERT_HEAD: usize = 1024 * 1024;
/// Longest answer that is held back by `wait_end_of_query`, in bytes.
const MAX_HELD: usize = 256 * 1024 * 1024;
/// How much of a body is read on after a failure, in bytes.
const MAX_DISCARDED: usize = 256 * 1024 * 1024;

/// Who may use the service.
#[derive(Debug, Clone)]
pub(super) enum Access {
    /// This process itself, over memory.
    Trusted,
    /// Anyone who can reach the port, except web pages: their browser says where they come from.
    Local,
    /// Who knows the password.
    Password {
        user: String,
        /// SHA-256 of the password.
        digest: [u8; 32],
    },
}

/// The service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {
    engine: Engine,
    access: Arc<Access>,
}

type Answer = Response<AnswerBody>;

impl Service {
    /// A service for callers inside this process.
    #[must_use]
    pub fn trusted(engine: &Engine) -> Self {
        Self::new(engine, Access::Trusted)
    }

    pub(super) fn new(engine: &Engine, access: Access) -> Self {
        Self { engine: engine.clone(), access: Arc::new(access) }
    }

    /// Serves the requests of one connection until it ends.
    pub async fn serve_connection<I>(&self, io: I)
    where
        I: Read + Write + Unpin + Send + 'static,
    {
        let connection = hyper::server::conn::http1::Builder::new()
            .max_buf_size(1024 * 1024)
            .serve_connection(io, service_fn(|request| self.answer(request)));
        if let Err(error) = connection.await {
            // A client that goes away in the middle is no event.
            tracing::debug!(%error, "a connection to the engine's service ended");
        }
    }

    /// As [`Service::serve_connection`], ending after the request under way once `stop` is done.
    pub(super) async fn serve_until<I>(&self, io: I, stop: tokio_util::sync::WaitForCancellationFutureOwned)
    where
        I: Read + Write + Unpin + Send + 'static,
    {
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(hyper_util::rt::TokioTimer::new())
            .serve_connection(io, service_fn(|request| self.answer(request)));
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            () = stop => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let (parts, incoming) = request.into_parts();
        let mut asked = Asked::from_parts(&parts);
        let query_id = asked.query_id.take().unwrap_or_else(random_mark);
        let mut body = RequestBody::new(incoming, asked.decompress, IDLE_LIMIT);
        let compress = asked.compress;
        let answer = match self.route(&parts, asked, &mut body).await {
            Ok(answer) => answer,
            Err(exception) => {
                body.discard(MAX_DISCARDED).await;
                failure(&exception, compress)
            }
        };
        Ok(with_common_headers(answer, &query_id))
    }

    async fn route(&self, parts: &Parts, asked: Asked, body: &mut RequestBody) -> Result<Answer, Exception> {
        match parts.uri.path() {
            "/ping" | "/replicas_status" => return Ok(Response::new(AnswerBody::full("Ok.\n"))),
            "/" => {}
            path => {
                let mut answer = Response::new(AnswerBody::full(format!(
                    "There is no handle {path}\nUse / or /ping for health checks, and send queries to /.\n"
                )));
                *answer.status_mut() = StatusCode::NOT_FOUND;
                return Ok(answer);
            }
        }
        if ![Method::GET, Method::HEAD, Method::POST, Method::PUT].contains(&parts.method) {
            let mut answer = Response::new(AnswerBody::full("Use GET or POST.\n"));
            *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            return Ok(answer);
        }
        self.check_access(&parts.headers, &asked)?;
        if let Some(encoding) = text_header(&parts.headers, header::CONTENT_ENCODING.as_str())
            && !encoding.eq_ignore_ascii_case("identity")
        {
            return Err(Exception::new(
                code::NOT_IMPLEMENTED,
                "NOT_IMPLEMENTED",
                format_args!("Content-Encoding {encoding} is not supported: send the body as it is, or in frames with decompress=1"),
            ));
        }
        self.execute(parts, asked, body).await
    }

    fn check_access(&self, headers: &HeaderMap, asked: &Asked) -> Result<(), Exception> {
        match &*self.access {
            Access::Local if headers.contains_key(header::ORIGIN) => Err(Exception::new(
                code::AUTHENTICATION_FAILED,
                "AUTHENTICATION_FAILED",
                "Requests of web pages are refused while no password is set",
            )),
            Access::Trusted | Access::Local => Ok(()),
            Access::Password { user, digest } => {
                let (given_user, given) = credentials(headers, asked).ok_or_else(|| {
                    Exception::new(
                        code::REQUIRED_PASSWORD,
                        "REQUIRED_PASSWORD",
                        "Authentication is required: send X-ClickHouse-User and X-ClickHouse-Key, or HTTP basic authentication",
                    )
                })?;
                if given_user == *user && same_digest(digest, &digest_of(&given)) {
                    return Ok(());
                }
                Err(Exception::new(
                    code::AUTHENTICATION_FAILED,
                    "AUTHENTICATION_FAILED",
                    "Authentication failed: password is incorrect, or there is no user with such name",
                ))
            }
        }
    }

    async fn execute(&self, parts: &Parts, mut asked: Asked, body: &mut RequestBody) -> Result<Answer, Exception> {
        if let Some(boundary) = multipart_boundary(&parts.headers) {
            let form = body.collect(BytesMut::new(), MAX_STATEMENT).await?.freeze();
            asked.take_multipart(&boundary, &form)?;
        }
        // As a server does, the statement is what the URL says followed by what the body says.
        let mut text = BytesMut::from(asked.statement.as_bytes());
        let from_url = text.len();
        if from_url > 0 {
            if !text.ends_with(b"\n") {
                text.extend_from_slice(b"\n");
            }
        } else {
            if parts.method == Method::GET || parts.method == Method::HEAD {
                return Ok(Response::new(AnswerBody::full("Ok.\n")));
            }
            self.read_head(&mut text, body).await?;
        }
        let head = match sql::insert_head(&text) {
            Some(sql::Insert::Data(head)) => head,
            // The statement ends with the URL and names no format: the data is all of the body.
            Some(sql::Insert::Open) if from_url > 0 => sql::InsertHead {
                statement: asked.statement.trim_end().trim_end_matches(';').to_owned(),
                format: None,
                data_at: text.len(),
            },
            Some(sql::Insert::Open | sql::Insert::Select) | None => {
                let text = body.collect(text, MAX_STATEMENT).await?;
                asked.statement = String::from_utf8(text.into()).map_err(|_| bad_request("The statement is not valid UTF-8"))?;
                return self.run(&parts.method, asked).await;
            }
        };
        let format = head.format.clone().or_else(|| asked.default_format.clone()).unwrap_or_else(|| "Values".to_owned());
        let mut begun = text.freeze().split_off(head.data_at);
        if begun.as_ref() == b"\n" {
            // Only what was put between URL and body.
            begun.clear();
        }
        let work = InsertWork { asked, statement: head.statement, format, begun };
        let summary = statement::insert(&self.engine, work, body).await?;
        let mut answer = Response::new(AnswerBody::full(Bytes::new()));
        put(answer.headers_mut(), "x-clickhouse-summary", &summary_text(&summary));
        Ok(answer)
    }

    /// Reads as much of the body as it takes to tell an INSERT with data from other statements.
    async fn read_head(&self, text: &mut BytesMut, body: &mut RequestBody) -> Result<(), Exception> {
        while let Some(data) = body.next().await? {
            text.extend_from_slice(&data);
            let keyword = sql::first_keyword(text);
            let cut_off = keyword.as_ref().is_none_or(|keyword| keyword.len() == text.trim_ascii().len());
            match keyword.as_deref() {
                _ if cut_off && text.len() < MAX_INSERT_HEAD => {}
                Some("INSERT") if sql::insert_head(text) == Some(sql::Insert::Open) && text.len() < MAX_INSERT_HEAD => {}
                _ => break,
            }
        }
        Ok(())
    }

    async fn run(&self, method: &Method, asked: Asked) -> Result<Answer, Exception> {
        let (wait_end, compress) = (asked.wait_end, asked.compress);
        let mut running = statement::run(&self.engine, asked).await?;
        let mut held = BytesMut::new();
        let mut first = None;
        let summary = loop {
            match running.events.recv().await {
                Some(Event::Failed(exception)) => {
                    running.guard.disarm();
                    return Err(exception);
                }
                Some(Event::End(summary)) => {
                    running.guard.disarm();
                    break Some(summary);
                }
                Some(Event::Block(block)) if wait_end => {
                    held.extend_from_slice(&block);
                    if held.len() > MAX_HELD {
                        return Err(bad_request("The answer is too large for wait_end_of_query"));
                    }
                }
                Some(Event::Block(block)) => {
                    first = Some(block);
                    break None;
                }
                None => {
                    return Err(Exception::new(code::UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", "The statement broke off"));
                }
            }
        };
        let tag = random_mark();
        let mut headers = HeaderMap::new();
        put(&mut headers, "x-clickhouse-format", &running.format);
        put(&mut headers, "x-clickhouse-exception-tag", &tag);
        put(&mut headers, header::CONTENT_TYPE.as_str(), content_type(&running.format));
        let body = match summary {
            Some(summary) => {
                put(&mut headers, "x-clickhouse-summary", &summary_text(&summary));
                let held = held.freeze();
                AnswerBody::full(if compress { compression::compress(&held) } else { held })
            }
            None => AnswerBody::Stream(Box::new(BlockStream {
                first,
                events: running.events,
                tag,
                compress,
                ended: false,
                guard: running.guard,
            })),
        };
        let body = if method == Method::HEAD { AnswerBody::full(Bytes::new()) } else { body };
        let mut answer = Response::new(body);
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

fn with_common_headers(mut answer: Answer, query_id: &str) -> Answer {
    let headers = answer.headers_mut();
    put(headers, "x-clickhouse-query-id", query_id);
    put(headers, "x-clickhouse-server-display-name", "brokle-engine");
    put(headers, "x-clickhouse-timezone", "UTC");
    if !headers.contains_key(header::CONTENT_TYPE) {
        put(headers, header::CONTENT_TYPE.as_str(), "text/plain; charset=UTF-8");
    }
    answer
}

fn failure(exception: &Exception, compress: bool) -> Answer {
    let text = Bytes::from(format!("{exception}\n"));
    let mut answer = Response::new(AnswerBody::full(if compress { compression::compress(&text) } else { text }));
    *answer.status_mut() = exception.status();
    put(answer.headers_mut(), "x-clickhouse-exception-code", &exception.code().to_string());
    if exception.code() == code::REQUIRED_PASSWORD {
        put(answer.headers_mut(), header::WWW_AUTHENTICATE.as_str(), "Basic realm=\"ClickHouse server HTTP API\"");
    }
    answer
}

/// Sets a header; a value that is no header text is left out.
fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

fn summary_text(summary: &Summary) -> String {
    format!(
        "{{\"read_rows\":\"{}\",\"read_bytes\":\"{}\",\"written_rows\":\"{}\",\"written_bytes\":\"{}\",\"total_rows_to_read\":\"0\",\"result_rows\":\"{}\",\"result_bytes\":\"{}\",\"elapsed_ns\":\"{:.0}\"}}",
        summary.read_rows,
        summary.read_bytes,
        summary.written_rows,
        summary.written_bytes,
        summary.result_rows,
        summary.result_bytes,
        summary.elapsed_seconds * 1e9,
    )
}

fn content_type(format: &str) -> &'static str {
    let is = |prefix: &str| format.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if is("JSONEachRow") || is("JSONLines") || is("NDJSON") || is("JSONCompactEachRow") {
        "application/x-ndjson; charset=UTF-8"
    } else if is("JSON") {
        "application/json; charset=UTF-8"
    } else if is("CSV") {
        "text/csv; charset=UTF-8; header=absent"
    } else if is("TabSeparated") || is("TSV") {
        "text/tab-separated-values; charset=UTF-8"
    } else if is("RowBinary") || is("Native") || is("Parquet") || is("Arrow") {
        "application/octet-stream"
    } else {
        "text/plain; charset=UTF-8"
    }
}

/// User and password of a request, from whichever place has them.
fn credentials(headers: &HeaderMap, asked: &Asked) -> Option<(String, String)> {
    use base64::Engine as _;
    let basic = text_header(headers, header::AUTHORIZATION.as_str()).and_then(|value| {
        let encoded = value.strip_prefix("Basic ").or_else(|| value.strip_prefix("basic "))?.to_owned();
        let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
    });
    basic.or_else(|| {
        let password = asked.password.clone()?;
        Some((asked.user.clone().unwrap_or_else(|| "default".to_owned()), password))
    })
}

pub(super) fn digest_of(password: &str) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(password.as_bytes()).into()
}

/// Compares without telling by its time where the difference is.
fn same_digest(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
}
