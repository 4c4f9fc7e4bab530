//! Spring AI.
//!
//! Source: its observability reference. Model calls follow OpenTelemetry's conventions.

use super::{Family, Field, Read, attribute};

const KINDS: &[(&str, &str)] = &[("chat_client", "chain"), ("advisor", "span"), ("tool_call", "tool"), ("vector_store", "retrieval")];

pub(super) const FAMILY: Family = Family {
    name: "spring-ai",
    marks: &[],
    rules: &[
        attribute(Field::Type, "spring.ai.kind").read(Read::Words(KINDS)),
        attribute(Field::Type, "db.vector.query.content").read(Read::Told("retrieval")).late(),
        attribute(Field::ToolName, "spring.ai.tool.definition.name"),
        attribute(Field::Session, "spring.ai.chat.client.conversation.id"),
        attribute(Field::Input, "spring.ai.tool.call.arguments"),
        attribute(Field::Input, "spring.ai.chat.client.input"),
        attribute(Field::Input, "spring.ai.model.request.messages"),
        attribute(Field::Input, "db.vector.query.content"),
        attribute(Field::Output, "spring.ai.tool.call.result"),
        attribute(Field::Output, "spring.ai.chat.client.output"),
        attribute(Field::Output, "spring.ai.model.response.messages"),
        attribute(Field::Output, "db.vector.query.response.documents"),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{row, value};

    #[test]
    fn tools_clients_and_stores_have_their_sides() {
        let tool = row(&[
            ("spring.ai.kind", value("tool_call")),
            ("spring.ai.tool.definition.name", value("weather")),
            ("spring.ai.tool.call.arguments", value("{}")),
            ("spring.ai.tool.call.result", value("rain")),
        ]);
        assert_eq!(
            (tool.r#type.as_str(), tool.name.as_str(), tool.input.as_str(), tool.output.as_str()),
            ("tool", "weather", "{}", "rain")
        );
        let client = row(&[
            ("spring.ai.kind", value("chat_client")),
            ("gen_ai.operation.name", value("framework")),
            ("spring.ai.chat.client.conversation.id", value("c")),
        ]);
        assert_eq!((client.r#type.as_str(), client.session_id.as_str()), ("chain", "c"));
        let store = row(&[
            ("spring.ai.kind", value("vector_store")),
            ("db.vector.query.content", value("q")),
            ("db.vector.query.response.documents", value("[\"d\"]")),
        ]);
        assert_eq!((store.r#type.as_str(), store.input.as_str(), store.output.as_str()), ("retrieval", "q", "[\"d\"]"));
    }
}
