//! What a request of ClickHouse's HTTP protocol asks for.

use bytes::Bytes;
use hyper::{HeaderMap, Method, header::CONTENT_TYPE, http::request::Parts};

use super::{
    connection::{Pairs, Session},
    exception::{Exception, code},
};

/// Parameters of the protocol itself, which are no settings of the engine.
///
/// Sessions are accepted and have no effect, as every statement carries its own settings: many clients send an id with
/// each request without ever relying on it. What would need a session is refused when it is run.
const PROTOCOL: &[&str] = &[
    "add_http_cors_header",
    "buffer_size",
    "cancel_http_readonly_queries_on_client_close",
    "client_protocol_version",
    "close_session",
    "enable_http_compression",
    "http_headers_progress_interval_ms",
    "http_response_buffer_size",
    "http_wait_end_of_query",
    "http_zlib_compression_level",
    "quota_key",
    "role",
    "send_progress_in_http_headers",
    "session_check",
    "session_id",
    "session_timeout",
    "stacktrace",
];

/// One request, its body apart.
#[derive(Debug, Default, Clone)]
pub(super) struct Asked {
    pub(super) statement: String,
    pub(super) session: Session,
    pub(super) parameters: Pairs,
    pub(super) default_format: Option<String>,
    pub(super) query_id: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// Answers in ClickHouse's own compressed frames.
    pub(super) compress: bool,
    /// The body is in ClickHouse's own compressed frames.
    pub(super) decompress: bool,
    /// The answer is held back until the statement has ended.
    pub(super) wait_end: bool,
    /// Nothing may be changed: asked for, or implied by GET.
    pub(super) read_only: bool,
}

impl Asked {
    pub(super) fn from_parts(parts: &Parts) -> Self {
        let mut asked = Self { read_only: parts.method == Method::GET || parts.method == Method::HEAD, ..Self::default() };
        let header = |name: &str| text_header(&parts.headers, name);
        asked.session.database = header("x-clickhouse-database").unwrap_or_default();
        asked.default_format = header("x-clickhouse-format");
        asked.user = header("x-clickhouse-user");
        asked.password = header("x-clickhouse-key");
        for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            asked.take(&name, value.into_owned());
        }
        asked
    }

    fn take(&mut self, name: &str, value: String) {
        match name {
            "query" => self.statement = value,
            "database" => self.session.database = value,
            "default_format" => self.default_format = Some(value),
            "query_id" => self.query_id = Some(value),
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            "compress" => self.compress = is_on(&value),
            "decompress" => self.decompress = is_on(&value),
            "wait_end_of_query" => self.wait_end = is_on(&value),
            "readonly" => self.read_only |= is_on(&value),
            _ if PROTOCOL.contains(&name) => {}
            _ => {
                if let Some(parameter) = name.strip_prefix("param_") {
                    self.parameters.push((parameter.to_owned(), value));
                } else {
                    self.session.settings.retain(|(known, _)| known != name);
                    self.session.settings.push((name.to_owned(), value));
                }
            }
        }
    }

    /// Takes the fields of a `multipart/form-data` body: the statement and its parameters.
    pub(super) fn take_multipart(&mut self, boundary: &str, body: &Bytes) -> Result<(), Exception> {
        for (name, value) in multipart_fields(boundary, body)? {
            let value = String::from_utf8(value).map_err(|_| bad_request(format_args!("The form field {name} is not valid UTF-8")))?;
            self.take(&name, value);
        }
        Ok(())
    }
}

/// The boundary of a `multipart/form-data` body, if the request has one.
pub(super) fn multipart_boundary(headers: &HeaderMap) -> Option<String> {
    let content_type = text_header(headers, CONTENT_TYPE.as_str())?;
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    })
}

pub(super) fn text_header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn is_on(value: &str) -> bool {
    !matches!(value, "" | "0" | "false")
}

pub(super) fn bad_request(text: impl std::fmt::Display) -> Exception {
    Exception::new(code::BAD_ARGUMENTS, "BAD_ARGUMENTS", text)
}

fn multipart_fields(boundary: &str, body: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Exception> {
    let broken = || bad_request("The multipart body is malformed");
    let first = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(first.as_bytes()).ok_or_else(broken)?;
    let mut fields = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(fields);
        }
        rest = rest.strip_prefix(b"\r\n").ok_or_else(broken)?;
        let head_end = position(rest, b"\r\n\r\n").ok_or_else(broken)?;
        let head = std::str::from_utf8(&rest[..head_end]).map_err(|_| broken())?;
        rest = &rest[head_end + 4..];
        let end = position(rest, between.as_bytes()).ok_or_else(broken)?;
        if let Some(name) = field_name(head) {
            fields.push((name, rest[..end].to_vec()));
        }
        rest = &rest[end + between.len()..];
    }
}

fn field_name(head: &str) -> Option<String> {
    let line = head.lines().find(|line| line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:")))?;
    line.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("name").then(|| value.trim().trim_matches('"').to_owned())
    })
}

pub(super) fn position(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use hyper::{HeaderMap, Request, header::HeaderValue};

    use super::{Asked, multipart_boundary, multipart_fields};

    fn asked(uri: &str) -> Asked {
        let (parts, ()) = Request::post(uri).header("X-ClickHouse-Database", "h").body(()).unwrap().into_parts();
        Asked::from_parts(&parts)
    }

    #[test]
    fn tells_parameters_settings_and_protocol_apart() {
        let asked =
            asked("http://x/?database=a%60b&query=SELECT+1&param_x=1%2C2&max_threads=1&max_threads=2&session_id=s&compress=1&readonly=2");
        assert_eq!(asked.session.database, "a`b");
        assert_eq!(asked.statement, "SELECT 1");
        assert_eq!(asked.parameters, [("x".to_owned(), "1,2".to_owned())]);
        assert_eq!(asked.session.settings, [("max_threads".to_owned(), "2".to_owned())]);
        assert!(asked.compress && asked.read_only && !asked.decompress);
    }

    #[test]
    fn the_database_may_come_in_a_header() {
        assert_eq!(asked("http://x/").session.database, "h");
    }

    #[test]
    fn reads_forms() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("multipart/form-data; boundary=\"b-1\""));
        assert_eq!(multipart_boundary(&headers).as_deref(), Some("b-1"));
        let body = b"--b-1\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT\r\n1\r\n--b-1\r\nContent-Disposition: form-data; name=\"param_x\"\r\n\r\n\r\n--b-1--\r\n";
        assert_eq!(
            multipart_fields("b-1", body).unwrap(),
            [("query".to_owned(), b"SELECT\r\n1".to_vec()), ("param_x".to_owned(), Vec::new())]
        );
        assert!(multipart_fields("b-1", b"--b-1\r\nno end").is_err());
    }
}
