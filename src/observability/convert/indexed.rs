//! Lists and trees that conventions spell as many attributes with numbered keys, such as `llm.input_messages.0.message.role`.

use std::collections::{BTreeMap, btree_map};

use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::value::{as_text, is_blank, push_json};
use crate::observability::otlp::text::push_json_string;

/// An attribute under a prefix: what follows the prefix in its key, and its value.
pub(super) struct Entry<'a> {
    pub path: &'a str,
    pub value: &'a Value,
}

/// Deeper parts of a key are taken as one name.
const MAX_DEPTH: usize = 12;

/// Names that only wrap what is in a list, and say nothing.
const WRAPPERS: [&str; 4] = ["message", "message_content", "tool_call", "document"];

/// A tree of what numbered keys spell. Numbers are keys of a sorted map, so a huge index costs nothing.
enum Node<'a> {
    Leaf(&'a Value),
    List(BTreeMap<u64, Node<'a>>),
    Object(Vec<(&'a str, Node<'a>)>),
}

impl<'a> Node<'a> {
    fn new(path: &'a str, value: &'a Value, depth: usize) -> Self {
        let (head, rest) = split(path, depth);
        let child = rest.map_or(Node::Leaf(value), |rest| Node::new(rest, value, depth + 1));
        if WRAPPERS.contains(&head) && rest.is_some() {
            return child;
        }
        match index(head) {
            Some(at) => Node::List(BTreeMap::from([(at, child)])),
            None => Node::Object(vec![(head, child)]),
        }
    }

    fn insert(&mut self, path: &'a str, value: &'a Value, depth: usize) {
        let (head, rest) = split(path, depth);
        if WRAPPERS.contains(&head)
            && let Some(rest) = rest
        {
            return self.insert(rest, value, depth + 1);
        }
        let node = || rest.map_or(Node::Leaf(value), |rest| Node::new(rest, value, depth + 1));
        let there = match (&mut *self, index(head)) {
            (Node::List(items), Some(at)) => match items.entry(at) {
                btree_map::Entry::Vacant(place) => {
                    place.insert(node());
                    return;
                }
                btree_map::Entry::Occupied(place) => place.into_mut(),
            },
            (Node::Object(fields), _) => {
                let Some(place) = fields.iter().position(|(name, _)| *name == head) else {
                    fields.push((head, node()));
                    return;
                };
                &mut fields[place].1
            }
            // The same place spelled as a value, a list and an object at once: the first spelling stays.
            _ => return,
        };
        if let Some(rest) = rest {
            there.insert(rest, value, depth + 1);
        }
    }

    fn push_json(&self, out: &mut String) {
        match self {
            Node::Leaf(value) => push_json(out, Some(value)),
            Node::List(items) => {
                out.push('[');
                for (place, item) in items.values().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.push_json(out);
                }
                out.push(']');
            }
            Node::Object(fields) => {
                out.push('{');
                for (place, (name, field)) in fields.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    let both = || fields.iter().any(|(name, _)| *name == "content");
                    // Contents in parts are what every other convention calls the content.
                    push_json_string(out, if *name == "contents" && !both() { "content" } else { name });
                    out.push(':');
                    field.push_json(out);
                }
                out.push('}');
            }
        }
    }
}

fn split(path: &str, depth: usize) -> (&str, Option<&str>) {
    if depth >= MAX_DEPTH {
        return (path, None);
    }
    match path.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    }
}

/// A part of a key that is an index. Only plain digits: `+1` and ` 1` are names.
fn index(part: &str) -> Option<u64> {
    (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok()).flatten()
}

/// The list that the entries spell, as JSON; nothing when no entry has an index.
fn list(entries: &[Entry<'_>]) -> Option<String> {
    let mut root = Node::List(BTreeMap::new());
    for entry in entries {
        root.insert(entry.path, entry.value, 0);
    }
    match &root {
        Node::List(items) if items.is_empty() => None,
        _ => {
            let mut out = String::new();
            root.push_json(&mut out);
            Some(out)
        }
    }
}

/// `N.message.role`, `N.message.contents.M.message_content.text`, `N.message.tool_calls.M.tool_call.function.name`, … as a list of messages.
pub(super) fn messages(entries: &[Entry<'_>]) -> Option<String> {
    list(entries)
}

/// `N.document.content`, `N.document.score`, … as a list of documents.
pub(super) fn documents(entries: &[Entry<'_>]) -> Option<String> {
    list(entries)
}

/// The texts of `N.embedding.text` as a list; the vectors stay attributes.
pub(super) fn embedded_texts(entries: &[Entry<'_>]) -> Option<String> {
    let texts: BTreeMap<u64, &Value> =
        entries.iter().filter_map(|entry| Some((index(entry.path.strip_suffix(".embedding.text")?)?, entry.value))).collect();
    if texts.is_empty() {
        return None;
    }
    let mut out = String::from("[");
    for (place, text) in texts.values().enumerate() {
        if place > 0 {
            out.push(',');
        }
        push_json_string(&mut out, &as_text(text));
    }
    out.push(']');
    Some(out)
}

/// `temperature`, `max_tokens`, … as a JSON object: what was asked of the model, without which model and for whom.
pub(super) fn parameters(entries: &[Entry<'_>]) -> Option<String> {
    object(entries, &["model", "user", ""])
}

/// What follows the prefix in each key, with its value, as a JSON object.
pub(super) fn settings(entries: &[Entry<'_>]) -> Option<String> {
    object(entries, &[""])
}

fn object(entries: &[Entry<'_>], without: &[&str]) -> Option<String> {
    let mut out = String::new();
    for entry in entries {
        if without.contains(&entry.path) || is_blank(entry.value) {
            continue;
        }
        out.push(if out.is_empty() { '{' } else { ',' });
        push_json_string(&mut out, entry.path);
        out.push(':');
        push_json(&mut out, Some(entry.value));
    }
    if out.is_empty() {
        return None;
    }
    out.push('}');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observability::convert::testing::value;

    fn built(paths: &[&str]) -> Option<String> {
        let values: Vec<Value> = (0..).take(paths.len()).filter_map(|at: i64| value(at).value).collect();
        let entries: Vec<Entry<'_>> = paths.iter().zip(&values).map(|(path, value)| Entry { path, value }).collect();
        list(&entries)
    }

    #[test]
    fn indices_sort_and_gaps_close() {
        assert_eq!(built(&["7.a", "0.a", "7.b"]).unwrap(), r#"[{"a":1},{"a":0,"b":2}]"#);
        assert_eq!(built(&["999999999.a", "18446744073709551615.a"]).unwrap(), r#"[{"a":0},{"a":1}]"#);
    }

    #[test]
    fn what_is_no_list_is_nothing() {
        assert_eq!(built(&["count", "", "-1.a", "18446744073709551616.a"]), None);
    }

    #[test]
    fn conflicting_spellings_keep_the_first() {
        assert_eq!(built(&["0", "0.a", "0.0"]).unwrap(), "[0]");
        assert_eq!(built(&["0.a", "0", "0.a.b", "0.0"]).unwrap(), r#"[{"a":0,"0":3}]"#);
    }

    #[test]
    fn names_of_the_language_are_only_names() {
        assert_eq!(built(&["0.__proto__.x", "0.constructor"]).unwrap(), r#"[{"__proto__":{"x":0},"constructor":1}]"#);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("0{}", ".0".repeat(100_000));
        let json = built(&[deep.as_str()]).unwrap();
        assert_eq!(json.matches('[').count(), MAX_DEPTH);
    }
}
