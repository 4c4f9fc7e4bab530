//! LiveKit Agents.
//!
//! Source: the attribute names of its telemetry module.

use super::{Family, Field, Read, attribute};

pub(super) const FAMILY: Family = Family {
    name: "livekit",
    marks: &[],
    rules: &[
        attribute(Field::Type, "lk.function_tool.name").read(Read::Told("tool")).late(),
        attribute(Field::Type, "lk.chat_ctx").read(Read::Told("generation")).late(),
        attribute(Field::Type, "lk.instructions").read(Read::Told("agent")).late(),
        attribute(Field::ToolName, "lk.function_tool.name"),
        attribute(Field::FirstToken, "lk.response.ttft").read(Read::Seconds),
        attribute(Field::Input, "lk.function_tool.arguments"),
        attribute(Field::Input, "lk.chat_ctx"),
        attribute(Field::Input, "lk.user_input"),
        attribute(Field::Input, "lk.input_text"),
        attribute(Field::Input, "lk.pii.input_text"),
        attribute(Field::Output, "lk.function_tool.output"),
        attribute(Field::Output, "lk.pii.function_tool.output"),
        attribute(Field::Output, "lk.response.text"),
        attribute(Field::Output, "lk.response.function_calls"),
        attribute(Field::Output, "lk.user_transcript"),
        attribute(Field::Output, "lk.pii.user_transcript"),
        attribute(Field::Session, "lk.session_id"),
        attribute(Field::Session, "lk.room_name").late(),
        attribute(Field::User, "lk.participant_identity").late(),
        attribute(Field::User, "lk.participant_id").late(),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{row, value};

    #[test]
    fn each_kind_of_span_has_its_sides() {
        let tool = row(&[
            ("lk.function_tool.name", value("lookup_order")),
            ("lk.function_tool.arguments", value("{\"id\":\"A1\"}")),
            ("lk.function_tool.output", value("404")),
        ]);
        assert_eq!((tool.r#type.as_str(), tool.name.as_str()), ("tool", "lookup_order"));
        assert_eq!((tool.input.as_str(), tool.output.as_str()), ("{\"id\":\"A1\"}", "404"));
        let node = row(&[
            ("lk.chat_ctx", value("{\"items\":[]}")),
            ("lk.response.text", value("hello")),
            ("lk.response.ttft", value(0.25)),
            ("lk.room_name", value("room-1")),
        ]);
        assert_eq!((node.r#type.as_str(), node.input.as_str(), node.output.as_str()), ("generation", "{\"items\":[]}", "hello"));
        assert_eq!(node.completion_start_time.map(|time| time - node.start_time), Some(250_000_000));
        assert_eq!(node.session_id, "room-1");
        let turn = row(&[("lk.user_transcript", value("Where is it?"))]);
        assert_eq!((turn.r#type.as_str(), turn.output.as_str()), ("span", "Where is it?"));
    }
}
