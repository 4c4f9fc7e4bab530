//! OpenLIT.
//!
//! Source: its semantic conventions. It follows OpenTelemetry's, and adds its own idea of where a span comes from.

use super::{Family, Field, Read, attribute};

const OPERATIONS: &[(&str, &str)] = &[
    ("vectordb", "retrieval"),
    ("framework", "span"),
    ("agent", "agent"),
    ("image", "generation"),
    ("audio", "generation"),
    ("graph_execution", "workflow"),
];

pub(super) const FAMILY: Family = Family {
    name: "openlit",
    marks: &[],
    rules: &[
        attribute(Field::Type, "gen_ai.operation.name").read(Read::Words(OPERATIONS)),
        attribute(Field::Environment, "gen_ai.environment").late(),
        attribute(Field::TotalTokens, "gen_ai.client.token.usage"),
        attribute(Field::Input, "gen_ai.content.prompt"),
        attribute(Field::Output, "gen_ai.content.completion"),
        attribute(Field::Output, "gen_ai.workflow.output"),
        attribute(Field::Input, "gen_ai.workflow.input"),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{attribute, fixture_rows, row, value};

    #[test]
    fn a_real_call_is_priced_by_its_client() {
        let row = fixture_rows("openlit-openai.json").remove(0);
        assert_eq!((row.r#type.as_str(), row.provider.as_str(), row.environment.as_str()), ("generation", "openai", "default"));
        assert_eq!((row.input_tokens, row.output_tokens, row.client_total_tokens), (14, 96, Some(110)));
        assert_eq!((row.total_cost, row.cost_source.as_str()), (Some(151_000_000), "client"));
        assert_eq!(row.input, "user: What is LLM Observability?");
        assert!(row.output.starts_with("LLM Observability stands for"));
        assert_eq!(attribute(&row, "gen_ai.request.max_tokens"), Some("-1"));
    }

    #[test]
    fn its_environment_comes_last() {
        assert_eq!(row(&[("gen_ai.environment", value("staging"))]).environment, "staging");
        let both = row(&[("gen_ai.environment", value("staging")), ("deployment.environment.name", value("production"))]);
        assert_eq!(both.environment, "production");
    }
}
