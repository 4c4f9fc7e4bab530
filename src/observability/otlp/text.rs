//! Writing JSON text by hand: strings, doubles and bytes as OTLP/JSON and the attribute maps spell them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Appends `text` as a JSON string, quotes included.
pub fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut clean_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0x00..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[clean_from..at]);
        if escape.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        clean_from = at + 1;
    }
    out.push_str(&text[clean_from..]);
    out.push('"');
}

/// A double as text: the shortest form that reads back to the same bits, or `NaN`, `Infinity`, `-Infinity`.
#[must_use]
pub fn double_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{value:?}")
    }
}

/// Appends a double as JSON: a number (always with a point or an exponent), or a quoted name where JSON has no number for it.
pub fn push_json_double(out: &mut String, value: f64) {
    if value.is_finite() {
        let _ = write!(out, "{value:?}");
    } else {
        push_json_string(out, &double_text(value));
    }
}

/// Standard, padded base64.
#[must_use]
pub fn base64_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Text from bytes that should be UTF-8: what is not becomes U+FFFD, a lone surrogate exactly one of them.
#[must_use]
pub fn lossy_text(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                out.push_str(text);
                return out;
            }
            Err(error) => {
                let (valid, broken) = rest.split_at(error.valid_up_to());
                // The prefix was just found to be valid; the lossy form of valid text is that text.
                out.push_str(&String::from_utf8_lossy(valid));
                out.push('\u{FFFD}');
                let surrogate = matches!(broken, [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..]);
                let skip = if surrogate { 3 } else { error.error_len().unwrap_or(broken.len()) };
                rest = broken.get(skip..).unwrap_or_default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_serde_json_reads_them() {
        for text in ["", "plain", "\"\\\n\r\t\u{8}\u{c}\u{1}", "é\u{2028}😀"] {
            let mut out = String::new();
            push_json_string(&mut out, text);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn broken_text_is_replaced_once_for_each_fault() {
        assert_eq!(lossy_text(b"a\xED\xA0\x80b"), "a\u{FFFD}b");
        assert_eq!(lossy_text(b"a\xFFb"), "a\u{FFFD}b");
        assert_eq!(lossy_text(b"a\xE2\x82"), "a\u{FFFD}");
        assert_eq!(lossy_text("żółw".as_bytes()), "żółw");
    }

    #[test]
    fn doubles_keep_their_bits() {
        for value in [0.0, -0.0, 1.0, 0.1, 1e300, 5e-324, f64::MAX] {
            assert_eq!(double_text(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
        assert_eq!(double_text(f64::NEG_INFINITY), "-Infinity");
    }
}
