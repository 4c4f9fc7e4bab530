//! One name for each provider of models, whichever way an SDK spells it.

use std::borrow::Cow;

/// Spellings in lower case, and the name that is stored and priced by.
///
/// Sources: `gen_ai.provider.name` and the older `gen_ai.system` of the OpenTelemetry registry, `llm.provider` and
/// `llm.system` of OpenInference, and both generations of Brokle's SDKs.
const SPELLINGS: &[(&str, &str)] = &[
    ("openai", "openai"),
    ("open_ai", "openai"),
    ("azure_openai", "azure_openai"),
    ("azure.ai.openai", "azure_openai"),
    ("az.ai.openai", "azure_openai"),
    ("azure", "azure_openai"),
    ("azure-openai", "azure_openai"),
    ("azureopenai", "azure_openai"),
    ("azure.ai.inference", "azure_ai"),
    ("az.ai.inference", "azure_ai"),
    ("azure_ai", "azure_ai"),
    ("anthropic", "anthropic"),
    ("bedrock", "bedrock"),
    ("aws.bedrock", "bedrock"),
    ("aws_bedrock", "bedrock"),
    ("amazon_bedrock", "bedrock"),
    ("amazonbedrock", "bedrock"),
    ("amazon-bedrock", "bedrock"),
    ("bedrock_converse", "bedrock"),
    ("aws", "bedrock"),
    ("amazon", "bedrock"),
    ("google", "google"),
    ("gemini", "google"),
    ("gcp.gemini", "google"),
    ("gcp.gen_ai", "google"),
    ("gcp.vertex.agent", "google"),
    ("googleai", "google"),
    ("google_genai", "google"),
    ("google-gla", "google"),
    ("google.generative-ai", "google"),
    ("vertex_ai", "vertex_ai"),
    ("vertexai", "vertex_ai"),
    ("gcp.vertex_ai", "vertex_ai"),
    ("google-vertex", "vertex_ai"),
    ("google.vertex", "vertex_ai"),
    ("mistral", "mistral"),
    ("mistral_ai", "mistral"),
    ("mistralai", "mistral"),
    ("cohere", "cohere"),
    ("deepseek", "deepseek"),
    ("x_ai", "xai"),
    ("xai", "xai"),
    ("x-ai", "xai"),
    ("groq", "groq"),
    ("meta", "meta"),
    ("meta-llama", "meta"),
    ("perplexity", "perplexity"),
    ("ibm.watsonx.ai", "watsonx"),
    ("watsonx", "watsonx"),
    ("together", "together"),
    ("together_ai", "together"),
    ("togetherai", "together"),
    ("fireworks", "fireworks"),
    ("fireworks_ai", "fireworks"),
];

/// The one name of a provider; a provider that is not listed keeps its own, in lower case.
#[must_use]
pub fn normalise_provider(given: &str) -> Cow<'_, str> {
    let given = given.trim();
    let known = SPELLINGS.iter().find(|(spelling, _)| spelling.eq_ignore_ascii_case(given)).map(|(_, name)| *name);
    // "openai.responses" and "anthropic.messages" name the interface beside the provider.
    let known = known.or_else(|| {
        let (head, interface) = given.split_once('.')?;
        matches!(interface, "chat" | "responses" | "messages" | "completion" | "embedding" | "embeddings" | "image")
            .then(|| SPELLINGS.iter().find(|(spelling, _)| spelling.eq_ignore_ascii_case(head)).map(|(_, name)| *name))
            .flatten()
    });
    match known {
        Some(name) => Cow::Borrowed(name),
        None if given.bytes().any(|byte| byte.is_ascii_uppercase()) => Cow::Owned(given.to_ascii_lowercase()),
        None => Cow::Borrowed(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_of_names_meet() {
        for (given, name) in [
            ("OpenAI", "openai"),
            ("gcp.gemini", "google"),
            ("google", "google"),
            ("azure.ai.openai", "azure_openai"),
            ("azure_openai", "azure_openai"),
            ("aws.bedrock", "bedrock"),
            ("mistral_ai", "mistral"),
            ("x_ai", "xai"),
            ("anthropic.messages", "anthropic"),
            ("openai.responses", "openai"),
            ("My.Own", "my.own"),
            ("", ""),
        ] {
            assert_eq!(normalise_provider(given), name);
        }
    }
}
