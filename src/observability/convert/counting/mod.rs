//! Usage: from what the conventions report to one canonical meaning, each token counted exactly once.
//!
//! Two conventions are about. *Inclusive*: the input contains what was read from and written to a cache, the output contains
//! the reasoning. *Exclusive*: Anthropic's own API (and Bedrock's, which follows it) gives the input without the cached part.
//! OpenInference and the current GenAI names are inclusive by definition; the older GenAI names carry what the provider gave.

#[cfg(test)]
mod conventions;
#[cfg(test)]
mod tests;

use super::family::{Field, Read};
use super::table::{Candidate, View};
use super::value::{Refused, as_count};
use crate::observability::usage::{Tokens, UsageKind};

/// The counts of a span.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub tokens: Tokens,
    /// The total as the client gave it, whether or not it agrees.
    pub client_total: Option<u64>,
    pub flags: Vec<&'static str>,
    /// The label of the rule that gave the input, or else the output.
    pub label: Option<&'static str>,
}

/// A count that a rule gave.
#[derive(Clone, Copy)]
struct Reading {
    tokens: u64,
    candidate: &'static Candidate,
}

impl Reading {
    /// Whether its convention says that totals include all details.
    fn is_inclusive(&self) -> bool {
        matches!(self.candidate.read, Read::Inclusive)
    }

    /// Whether its convention says that no total includes a detail.
    fn is_exclusive(&self) -> bool {
        matches!(self.candidate.read, Read::Exclusive)
    }
}

/// Scopes whose instrumentation adds the cached tokens to Anthropic's input before it reports it.
const INCLUSIVE_SCOPES: [&str; 2] = ["opentelemetry.instrumentation.", "pydantic-ai"];

/// Scopes whose instrumentation passes on what the provider's API counted, also under the names that are to include what is cached.
const RAW_SCOPES: [&str; 1] = ["openlit."];

/// Reads and normalises the counts. `provider` is normalised, `model` as sent.
pub(super) fn count(view: &View<'_>, provider: &str, model: &str, scope: &str) -> Counted {
    let mut counted = Counted::default();
    let mut refused = false;
    let mut read = |field| {
        let mut first = None;
        for (candidate, hit) in view.hits(field) {
            let Some(value) = hit.value() else { continue };
            match as_count(value) {
                Ok(tokens) => {
                    first = Some(Reading { tokens, candidate });
                    break;
                }
                Err(Refused) => refused = true,
            }
        }
        first
    };

    let input = read(Field::InputTokens);
    let cache_read = read(Field::CacheReadTokens);
    let cache_write = read(Field::CacheWriteTokens);
    let write_5m = read(Field::CacheWrite5mTokens);
    let write_1h = read(Field::CacheWrite1hTokens);
    let input_audio = read(Field::InputAudioTokens);
    let input_image = read(Field::InputImageTokens);
    let output = read(Field::OutputTokens);
    let reasoning = read(Field::ReasoningTokens);
    let output_audio = read(Field::OutputAudioTokens);
    counted.client_total = read(Field::TotalTokens).map(|reading| reading.tokens);
    if refused {
        counted.flags.push("usage_refused");
    }

    let tokens = |reading: Option<Reading>| reading.map_or(0, |reading| reading.tokens);
    let (write_5m, write_1h) = match (write_5m, write_1h) {
        (None, None) => (tokens(cache_write), 0),
        (None, Some(long)) => (tokens(cache_write).saturating_sub(long.tokens), long.tokens),
        (short, long) => (tokens(short), tokens(long)),
    };
    let cached = tokens(cache_read).saturating_add(write_5m).saturating_add(write_1h);

    if let Some(input) = input {
        let cached_apart = if input.is_exclusive() {
            // Unless a detail's own convention says that it is part of the total.
            !is_any_inclusive(&[cache_read, cache_write])
        } else {
            let given = Given {
                input: input.tokens,
                cached,
                output: tokens(output),
                client_total: counted.client_total,
                inclusive: is_any_inclusive(&[Some(input), cache_read, cache_write]),
                strictly_inclusive: input.is_inclusive(),
            };
            given.cached_is_apart(provider, model, scope)
        };
        let media_apart = input.is_exclusive() && !is_any_inclusive(&[input_audio, input_image]);
        let media = tokens(input_audio).saturating_add(tokens(input_image));
        let details = if cached_apart { 0 } else { cached }.saturating_add(if media_apart { 0 } else { media });
        if details > input.tokens {
            counted.flags.push("usage_clamped");
        }
        counted.tokens.set(UsageKind::Input, input.tokens.saturating_sub(details));
        let details = [
            (UsageKind::InputCacheRead, tokens(cache_read)),
            (UsageKind::InputCacheWrite5m, write_5m),
            (UsageKind::InputCacheWrite1h, write_1h),
            (UsageKind::InputAudio, tokens(input_audio)),
            (UsageKind::InputImage, tokens(input_image)),
        ];
        set_details(&mut counted.tokens, details);
    } else if cached > 0 || tokens(input_audio) > 0 || tokens(input_image) > 0 {
        // A detail without its total does not invent one: it stays an attribute.
        counted.flags.push("usage_detail_without_total");
    }

    if let Some(output) = output {
        let beside = [reasoning, output_audio].iter().flatten().any(Reading::is_exclusive);
        let apart = if output.is_exclusive() || beside {
            !is_any_inclusive(&[reasoning, output_audio])
        } else {
            reasoning_is_apart(output.tokens, tokens(reasoning), tokens(input), counted.client_total, provider)
        };
        let (reasoning, audio) = (tokens(reasoning), tokens(output_audio));
        let details = if apart { 0 } else { reasoning.saturating_add(audio) };
        if details > output.tokens {
            counted.flags.push("usage_clamped");
        }
        counted.tokens.set(UsageKind::Output, output.tokens.saturating_sub(details));
        set_details(&mut counted.tokens, [(UsageKind::OutputReasoning, reasoning), (UsageKind::OutputAudio, audio)]);
    } else if tokens(reasoning) > 0 || tokens(output_audio) > 0 {
        counted.flags.push("usage_detail_without_total");
    }
    counted.flags.dedup();
    counted.label = input.or(output).map(|reading| reading.candidate.label.as_str());
    counted
}

fn is_any_inclusive(readings: &[Option<Reading>]) -> bool {
    readings.iter().flatten().any(Reading::is_inclusive)
}

/// Whether the reasoning is beside the output: some pass on the counts of Google's API, whose candidates do not contain the
/// thoughts. The client's own total tells, and so does more reasoning than output.
fn reasoning_is_apart(output: u64, reasoning: u64, input: u64, client_total: Option<u64>, provider: &str) -> bool {
    let sum = input.saturating_add(output).saturating_add(reasoning);
    reasoning > 0 && (client_total == Some(sum) || (reasoning > output && matches!(provider, "google" | "vertex_ai")))
}

fn set_details<const N: usize>(tokens: &mut Tokens, details: [(UsageKind, u64); N]) {
    for (kind, count) in details {
        if count > 0 {
            tokens.set(kind, count);
        }
    }
}

/// What decides whether the cached tokens are beside the input or part of it.
struct Given {
    input: u64,
    cached: u64,
    output: u64,
    client_total: Option<u64>,
    /// Some name among those used is of a convention that includes the cached tokens.
    inclusive: bool,
    /// The input itself is reported under such a name.
    strictly_inclusive: bool,
}

impl Given {
    fn cached_is_apart(&self, provider: &str, model: &str, scope: &str) -> bool {
        let raw_api_excludes = matches!(provider, "anthropic" | "bedrock") || model.contains("claude");
        if self.strictly_inclusive || !raw_api_excludes || self.cached == 0 {
            return false;
        }
        if RAW_SCOPES.iter().any(|prefix| scope.starts_with(prefix)) {
            return true;
        }
        // What cannot be part of the input is beside it, and so is what the client's own total counts on top.
        let sum = self.input.saturating_add(self.output).saturating_add(self.cached);
        if self.cached > self.input || self.client_total == Some(sum) {
            return true;
        }
        !self.inclusive && !INCLUSIVE_SCOPES.iter().any(|prefix| scope.starts_with(prefix))
    }
}
