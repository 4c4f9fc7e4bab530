//! What a list shows of an input or output: for people, so the words of a message rather than the JSON around them.

use serde::Deserialize;

/// Characters of a preview.
const CHARACTERS: usize = 200;
/// Places looked at, from the end, for a message that has text.
const TRIES: usize = 8;
const CONTENT: &str = "\"content\":";

/// The text of the last message where `text` is a list of messages (OpenAI's `content`, or `content` of GenAI's `parts`), else the
/// beginning of `text`; 200 characters at most.
pub(super) fn of(text: &str) -> String {
    let messages = (text.starts_with("[{") || text.starts_with("{\"messages\"")) && text.contains("\"role\":");
    let words = if messages { last_content(text) } else { None };
    match words {
        Some(words) => first(&words),
        None => first(text),
    }
}

/// Searched from the end, so that a long conversation costs no more than a short one. The quote before the colon cannot be part of
/// a text: there it would be escaped.
fn last_content(text: &str) -> Option<String> {
    let mut before = text;
    for _ in 0..TRIES {
        let at = before.rfind(CONTENT)?;
        let value = text[at + CONTENT.len()..].trim_start();
        if value.starts_with('"')
            && let Ok(words) = String::deserialize(&mut serde_json::Deserializer::from_str(value))
            && !words.trim().is_empty()
        {
            return Some(words);
        }
        before = &text[..at];
    }
    None
}

fn first(text: &str) -> String {
    // Most texts begin in ASCII, where characters are bytes.
    if let Some((start, _)) = text.as_bytes().split_at_checked(CHARACTERS)
        && start.is_ascii()
    {
        return text[..CHARACTERS].to_owned();
    }
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shows_the_words_of_the_last_message() {
        assert_eq!(
            of(r#"[{"role":"system","content":"Be kind"},{"role":"user","content":"What is \"up\"?\nTell me"}]"#),
            "What is \"up\"?\nTell me"
        );
        assert_eq!(of(r#"[{"role":"user","parts":[{"type":"text","content": "Weather in Bern?"}]}]"#), "Weather in Bern?");
        assert_eq!(of(r#"[{"role":"user","content":"Sum up"},{"role":"assistant","content":null,"tool_calls":[]}]"#), "Sum up");
        assert_eq!(of(r#"[{"role":"user","content":"say \"content\": now"}]"#), "say \"content\": now");
    }

    #[test]
    fn shows_anything_else_from_its_beginning() {
        for text in
            ["plain words", "{\"query\":\"x\",\"content\":\"y\"}", "[{\"role\":\"assistant\",\"parts\":[]}]", "[{\"content\":\"cut o", ""]
        {
            assert_eq!(of(text), text);
        }
        assert_eq!(of(&"é".repeat(300)), "é".repeat(200));
    }

    proptest! {
        #[test]
        fn never_is_longer_than_a_preview(text in "\\PC*", messages in any::<bool>()) {
            let text = if messages { serde_json::json!([{"role": "user", "content": text}]).to_string() } else { text };
            prop_assert!(of(&text).chars().count() <= CHARACTERS);
        }
    }
}
