//! Spellings that OpenTelemetry's conventions for generative AI have given up, in use nevertheless.

use super::genai_events::{deprecated_input, deprecated_output};
use super::{Family, Field, attribute, events};

pub(super) const FAMILY: Family = Family {
    name: "genai-deprecated",
    marks: &[],
    rules: &[
        attribute(Field::Provider, "gen_ai.system"),
        attribute(Field::Input, "gen_ai.prompt"),
        attribute(Field::Output, "gen_ai.completion"),
        events(Field::Input, deprecated_input),
        events(Field::Output, deprecated_output),
        attribute(Field::InputTokens, "gen_ai.usage.prompt_tokens").as_provider(),
        attribute(Field::OutputTokens, "gen_ai.usage.completion_tokens").as_provider(),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{fixture_attributes, mapped, row, row_of, value};

    #[test]
    fn the_deprecated_form_says_the_same() {
        let now = row_of(fixture_attributes("genai-client-tool-calls.json"));
        let before = row_of(fixture_attributes("genai-deprecated-tool-calls.json"));
        assert_eq!(before.input, now.input);
        assert_eq!(mapped(&before, "input"), Some("genai-deprecated:gen_ai.prompt"));
        assert_eq!((before.r#type, before.model, before.provider), (now.r#type, now.model, now.provider));
        assert_eq!((before.usage_details, before.total_cost), (now.usage_details, now.total_cost));
        assert_eq!(before.model_parameters, now.model_parameters);
    }

    #[test]
    fn old_and_new_counts_together_are_one() {
        let row = row(&[
            ("gen_ai.system", value("openai")),
            ("gen_ai.usage.prompt_tokens", value(10)),
            ("gen_ai.usage.input_tokens", value(10)),
            ("gen_ai.usage.completion_tokens", value(5)),
            ("gen_ai.usage.output_tokens", value(5)),
        ]);
        assert_eq!((row.total_tokens, mapped(&row, "usage")), (15, Some("genai:gen_ai.usage.input_tokens")));
        assert_eq!(mapped(&row, "provider"), Some("genai-deprecated:gen_ai.system"));
    }
}
