//! The input and output of a span: taken from one attribute, or put together from several.

use std::borrow::Cow;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::family::Field;
use super::nested::Doubts;
use super::table::{Hit, View};
use super::value::into_text;
use crate::observability::otlp::text::push_json_string;
use crate::observability::rows::{AttributeType, Pairs};

/// Where the text of a side comes from.
pub(super) enum Choice {
    /// The attribute at this position, word for word.
    Attribute {
        position: usize,
        label: &'static str,
    },
    /// Put together; the attributes stay.
    Built {
        text: String,
        label: Cow<'static, str>,
    },
    None,
}

impl Choice {
    pub(super) fn label(&self) -> Option<&str> {
        match self {
            Self::Attribute { label, .. } => Some(label),
            Self::Built { label, .. } => Some(label),
            Self::None => None,
        }
    }

    fn position(&self) -> Option<usize> {
        match self {
            Self::Attribute { position, .. } => Some(*position),
            Self::Built { .. } | Self::None => None,
        }
    }
}

fn first(view: &View<'_>, field: Field) -> Choice {
    match view.hits(field).next() {
        Some((candidate, Hit::Attribute(position, _))) => Choice::Attribute { position, label: &candidate.label },
        Some((candidate, Hit::Built(text))) => Choice::Built { text, label: Cow::Borrowed(&candidate.label) },
        Some((candidate, hit @ Hit::Part(_))) => {
            Choice::Built { text: hit.into_text().into_owned(), label: Cow::Borrowed(&candidate.label) }
        }
        Some((_, Hit::Resource(_))) | None => Choice::None,
    }
}

/// Chooses the output.
pub(super) fn output(view: &View<'_>) -> Choice {
    first(view, Field::Output)
}

/// Chooses the input; system instructions that were sent apart go in front of its messages, unless a system message is there.
pub(super) fn input(view: &View<'_>) -> Choice {
    let choice = first(view, Field::Input);
    let Some((instructions, rule)) = view.text(Field::SystemInstructions) else { return choice };
    let messages = match &choice {
        Choice::Built { .. } => return choice,
        Choice::None => Cow::Borrowed("[]"),
        Choice::Attribute { .. } => match view.text(Field::Input) {
            Some((text, _)) => text,
            None => return choice,
        },
    };
    let Some(rest) = messages.strip_prefix('[').filter(|_| lacks_system_message(&messages)) else { return choice };
    let rest = rest.trim_ascii_start();
    let mut text = String::with_capacity(messages.len() + instructions.len() + 40);
    text.push('[');
    if let Some(messages) = whole_messages(&instructions) {
        text.push_str(messages);
    } else if is_list(&instructions) {
        text.push_str("{\"role\":\"system\",\"parts\":");
        text.push_str(&instructions);
        text.push('}');
    } else {
        text.push_str("{\"role\":\"system\",\"content\":");
        push_json_string(&mut text, &instructions);
        text.push('}');
    }
    text.push_str(if rest.starts_with(']') { "" } else { "," });
    text.push_str(rest);
    let label = match choice.label().and_then(|label| label.split_once(':')) {
        Some((_, key)) => format!("{}+{key}", rule.label),
        None => rule.label.clone(),
    };
    Choice::Built { text, label: Cow::Owned(label) }
}

/// Only the role of a message is read; the rest is passed over without recursion and without building it.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    role: Option<Cow<'a, str>>,
}

/// Whether the text is a JSON list of messages with no system message among them.
fn lacks_system_message(messages: &str) -> bool {
    let Ok(messages) = serde_json::from_str::<Vec<Message<'_>>>(messages) else { return false };
    !messages.iter().any(|message| matches!(message.role.as_deref(), Some("system" | "developer")))
}

/// What is between the brackets of instructions that are a list of whole messages already.
fn whole_messages(instructions: &str) -> Option<&str> {
    let inside = instructions.strip_prefix('[')?.strip_suffix(']')?;
    let messages = serde_json::from_str::<Vec<Message<'_>>>(instructions).ok()?;
    (!messages.is_empty() && messages.iter().all(|message| message.role.is_some())).then_some(inside)
}

fn is_list(text: &str) -> bool {
    text.starts_with('[') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The attributes of a span, after its input and output were taken out.
pub(super) struct Taken {
    pub input: String,
    pub output: String,
    pub attributes: Pairs<String>,
    pub attribute_types: Pairs<u8>,
}

/// Moves the attributes into their maps, and the chosen ones into input and output.
pub(super) fn take(attributes: Vec<KeyValue>, input: Choice, output: Choice) -> Taken {
    let (input_at, output_at) = (input.position(), output.position());
    let built = |choice| if let Choice::Built { text, .. } = choice { text } else { String::new() };
    let mut taken = Taken {
        input: built(input),
        output: built(output),
        attributes: Vec::with_capacity(attributes.len()),
        attribute_types: Vec::with_capacity(8),
    };
    let mut doubts = Doubts::default();
    for (position, KeyValue { key, value, .. }) in attributes.into_iter().enumerate() {
        let (text, kind) = into_text(value, &mut doubts);
        doubts.move_into(&mut taken.attribute_types, &key);
        let is_text = kind == AttributeType::String;
        if Some(position) == input_at || Some(position) == output_at {
            let side = if Some(position) == input_at { &mut taken.input } else { &mut taken.output };
            *side = text;
            if !is_text {
                taken.attribute_types.push((key, kind as u8));
            }
            continue;
        }
        if !is_text {
            taken.attribute_types.push((key.clone(), kind as u8));
        }
        taken.attributes.push((key, text));
    }
    taken
}
