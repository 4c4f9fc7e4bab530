//! Times in requests and answers: RFC 3339 or Unix seconds in, RFC 3339 out.

use chrono::{DateTime, SecondsFormat, Utc};

/// RFC 3339 in UTC with nanoseconds, for nanoseconds since the Unix epoch.
#[must_use]
pub fn rfc3339(ns: i64) -> String {
    DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Reads RFC 3339 or Unix seconds (whole or with a fraction) as nanoseconds since the Unix epoch.
///
/// # Errors
/// A sentence that says which forms are understood.
pub fn parse(text: &str) -> Result<i64, String> {
    let wrong =
        || format!("`{}` is not a time: use RFC 3339 (2026-01-31T12:00:00Z) or Unix seconds", text.chars().take(64).collect::<String>());
    if let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(1_000_000_000).ok_or_else(wrong);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        let micros = (seconds * 1e6).round();
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the comparison")]
        return if micros.is_finite() && micros.abs() < 9.0e15 { Ok(micros as i64 * 1_000) } else { Err(wrong()) };
    }
    let parsed: DateTime<Utc> = DateTime::parse_from_rfc3339(text).map_err(|_| wrong())?.to_utc();
    parsed.timestamp_nanos_opt().ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        assert_eq!(parse("1700000000"), Ok(1_700_000_000_000_000_000));
        assert_eq!(parse("1700000000.5"), Ok(1_700_000_000_500_000_000));
        assert_eq!(parse("2023-11-14T22:13:20Z"), Ok(1_700_000_000_000_000_000));
        assert_eq!(parse("2023-11-14T23:13:20.25+01:00"), Ok(1_700_000_000_250_000_000));
        assert!(parse("yesterday").is_err());
        assert!(parse("99999999999999999999").is_err());
        assert!(parse("1e300").is_err());
    }

    #[test]
    fn writes_nanoseconds() {
        assert_eq!(rfc3339(1_700_000_000_000_000_001), "2023-11-14T22:13:20.000000001Z");
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
    }
}
