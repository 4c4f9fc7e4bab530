//! Errors of the engine in the words and numbers of ClickHouse.

use std::fmt;

use hyper::StatusCode;

/// An exception of ClickHouse: its number and its text.
///
/// Displays as a server would write it into an answer: `Code: 60. DB::Exception: Table … does not exist. (UNKNOWN_TABLE)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    code: u32,
    message: String,
}

/// Numbers of ClickHouse's exceptions that this module raises itself. Source: `src/Common/ErrorCodes.cpp`.
pub(super) mod code {
    pub(crate) const BAD_ARGUMENTS: u32 = 36;
    pub(crate) const NOT_IMPLEMENTED: u32 = 48;
    pub(crate) const UNKNOWN_DATABASE: u32 = 81;
    pub(crate) const SYNTAX_ERROR: u32 = 62;
    pub(crate) const READONLY: u32 = 164;
    pub(crate) const REQUIRED_PASSWORD: u32 = 194;
    pub(crate) const TOO_MANY_SIMULTANEOUS_QUERIES: u32 = 202;
    pub(crate) const QUERY_IS_TOO_LARGE: u32 = 223;
    pub(crate) const CANNOT_DECOMPRESS: u32 = 271;
    pub(crate) const ABORTED: u32 = 236;
    pub(crate) const QUERY_WAS_CANCELLED: u32 = 394;
    pub(crate) const AUTHENTICATION_FAILED: u32 = 516;
    pub(crate) const UNKNOWN_EXCEPTION: u32 = 1002;
}

impl Exception {
    pub(super) fn new(code: u32, name: &str, text: impl fmt::Display) -> Self {
        Self { code, message: format!("{text}. ({name})") }
    }

    /// Reads the engine's text, which nests the prefix once per layer it passed through.
    pub(super) fn parse(text: &str) -> Self {
        let mut message = text.trim();
        let mut code = None;
        while let Some((number, rest)) = split_prefix(message) {
            code = Some(number);
            message = rest;
        }
        Self { code: code.unwrap_or(code::UNKNOWN_EXCEPTION), message: message.to_owned() }
    }

    /// ClickHouse's number for it, as in `X-ClickHouse-Exception-Code`.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.code
    }

    /// The text after `DB::Exception: `.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP status a ClickHouse server answers with. Source: `src/Server/HTTP/exceptionCodeToHTTPStatus.cpp`.
    pub(super) fn status(&self) -> StatusCode {
        match self.code {
            code::REQUIRED_PASSWORD => StatusCode::UNAUTHORIZED,
            192 | 193 | code::AUTHENTICATION_FAILED | 497 => StatusCode::FORBIDDEN,
            6 | 25 | 26 | 27 | 33 | 38 | 41 | 53 | code::SYNTAX_ERROR | 72 | 117 | 321 | 427 | 441 | 456 | 457 | 675 | 676 => {
                StatusCode::BAD_REQUEST
            }
            16 | 46 | 47 | 50 | 56 | 60 | code::UNKNOWN_DATABASE | 115 => StatusCode::NOT_FOUND,
            159 => StatusCode::REQUEST_TIMEOUT,
            code::QUERY_IS_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
            code::NOT_IMPLEMENTED => StatusCode::NOT_IMPLEMENTED,
            code::TOO_MANY_SIMULTANEOUS_QUERIES | code::ABORTED => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Code: {}. DB::Exception: {}", self.code, self.message)
    }
}

impl std::error::Error for Exception {}

fn split_prefix(text: &str) -> Option<(u32, &str)> {
    let rest = text.strip_prefix("Code: ")?;
    let (number, rest) = rest.split_once(". ")?;
    let rest = rest.strip_prefix("DB::Exception: ").or_else(|| rest.strip_prefix("DB::NetException: "))?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::Exception;

    #[test]
    fn collapses_nested_prefixes() {
        let exception =
            Exception::parse("Code: 241. DB::Exception: Code: 241. DB::Exception: Query memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)");
        assert_eq!(exception.code(), 241);
        assert_eq!(exception.to_string(), "Code: 241. DB::Exception: Query memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)");
    }

    #[test]
    fn keeps_text_without_a_code() {
        let exception = Exception::parse("std::exception: out of luck");
        assert_eq!((exception.code(), exception.message()), (1002, "std::exception: out of luck"));
    }
}
