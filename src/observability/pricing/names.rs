//! Names of models: what of a name says which model it is, and what only says where, when or in which wrapping.

use std::borrow::Cow;

use crate::observability::convert::provider::normalise_provider;

/// Longer names are no models; they are not looked up.
pub const MAX_NAME_BYTES: usize = 256;

/// Regions that cross-region profiles put in front of a name.
const REGIONS: [&str; 12] = ["us", "eu", "apac", "ap", "global", "us-gov", "jp", "au", "ca", "sa", "me", "af"];

/// Vendors that Bedrock puts in front of a name.
const VENDORS: [&str; 14] = [
    "anthropic",
    "meta",
    "mistral",
    "cohere",
    "amazon",
    "ai21",
    "deepseek",
    "openai",
    "google",
    "qwen",
    "stability",
    "writer",
    "xai",
    "moonshot",
];

/// Words at the end of a name that name an edition, not a model.
const EDITIONS: [&str; 8] = ["latest", "preview", "exp", "experimental", "beta", "free", "thinking", "nitro"];

/// The form in which names are compared: lower case, with `-` for every separator (`gpt-3.5-turbo` and `gpt-35-turbo` stay two names).
#[must_use]
pub fn key(name: &str) -> String {
    name.trim().chars().map(|c| if matches!(c, '.' | '_' | ' ') { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// A model name taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Names to look for, the fullest first, each a [`key`].
    pub candidates: Vec<String>,
    /// The provider that a prefix such as `openai/` names.
    pub provider: Option<String>,
}

/// Takes a name apart: `us.anthropic.claude-3-5-sonnet-20241022-v2:0`, `models/gemini-1.5-pro`, `openai/gpt-4o`, `gpt-4o-2024-08-06`.
#[must_use]
pub fn parse(name: &str) -> Parsed {
    let mut candidates: Vec<String> = Vec::new();
    let mut add = |candidate: String| {
        if !candidate.is_empty() && !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    };
    let name = name.trim();
    add(key(name));
    // The path of a router, a resource name or an ARN: the last part is the model, an early one may be its provider.
    let path: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
    let provider = path.split_last().and_then(|(_, before)| before.iter().find_map(|part| known_provider(part)));
    let mut rest = path.last().copied().unwrap_or(name);
    if path.len() > 2 {
        add(key(&path[path.len() - 2..].join("/")));
    }
    add(key(rest));
    if let Some((region, after)) = rest.split_once('.')
        && REGIONS.iter().any(|known| known.eq_ignore_ascii_case(region))
    {
        rest = after;
        add(key(rest));
    }
    let mut bedrock = false;
    if let Some((vendor, after)) = rest.split_once('.')
        && VENDORS.iter().any(|known| known.eq_ignore_ascii_case(vendor))
    {
        bedrock = true;
        rest = after;
        add(key(rest));
    }
    let mut shorter = key(rest);
    while let Some(stripped) = strip_suffix(&shorter) {
        shorter = stripped;
        add(shorter.clone());
    }
    Parsed { candidates, provider: provider.or_else(|| bedrock.then(|| "bedrock".to_owned())) }
}

fn known_provider(part: &str) -> Option<String> {
    const KNOWN: [&str; 15] = [
        "openai",
        "azure_openai",
        "azure_ai",
        "anthropic",
        "bedrock",
        "google",
        "vertex_ai",
        "mistral",
        "cohere",
        "deepseek",
        "xai",
        "groq",
        "perplexity",
        "together",
        "fireworks",
    ];
    let name: Cow<'_, str> = normalise_provider(part);
    KNOWN.contains(&name.as_ref()).then(|| name.into_owned())
}

/// Cuts one suffix that names a date, a version or an edition off a [`key`].
#[must_use]
pub fn strip_suffix(name: &str) -> Option<String> {
    // A fine-tuned model is "ft:", its base, and after the next colon whose it is.
    let (tuned, name) = name.strip_prefix("ft:").map_or(("", name), |base| ("ft:", base));
    if let Some((before, after)) = name.split_once(['@', ':'])
        && !before.is_empty()
        && !after.is_empty()
    {
        return Some(format!("{tuned}{before}"));
    }
    let mut parts: Vec<&str> = name.split('-').collect();
    let digits = |part: &str, lengths: &[usize]| lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let cut = match parts.as_slice() {
        // -2024-08-06
        [_, .., year, month, day] if digits(year, &[4]) && digits(month, &[2]) && digits(day, &[2]) => 3,
        // -08-2024
        [_, .., month, year] if digits(month, &[2]) && digits(year, &[4]) && year.starts_with("20") => 2,
        // -preview-09-25
        [_, .., edition, month, day] if EDITIONS.contains(edition) && digits(month, &[2]) && digits(day, &[2]) => 3,
        // -20241022, -241022
        [_, .., date] if digits(date, &[8, 6]) && date.starts_with("20") | (date.len() == 6) => 1,
        // -0613 and -2402; -001
        [_, .., date] if digits(date, &[4]) => 1,
        [_, .., number] if digits(number, &[3]) && number.starts_with('0') => 1,
        // -20241022-v2; elsewhere a version is another model
        [_, .., date, version] if digits(date, &[8]) && version.strip_prefix('v').is_some_and(|number| digits(number, &[1, 2])) => 1,
        [_, .., edition] if EDITIONS.contains(edition) => 1,
        _ => return None,
    };
    parts.truncate(parts.len() - cut);
    Some(format!("{tuned}{}", parts.join("-")))
}

/// Whether a pattern with `*` for any characters matches all of `name`; both are [`key`]s.
#[must_use]
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(name: &str) -> (String, Option<String>) {
        let parsed = parse(name);
        (parsed.candidates.last().unwrap().clone(), parsed.provider)
    }

    #[test]
    fn what_is_no_part_of_the_model_is_stripped() {
        for (name, model, provider) in [
            ("gpt-4o-2024-08-06", "gpt-4o", None),
            ("openai/gpt-4o", "gpt-4o", Some("openai")),
            ("models/gemini-1.5-pro", "gemini-1-5-pro", None),
            ("gemini-1.5-pro-002", "gemini-1-5-pro", None),
            ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet", Some("bedrock")),
            ("claude-3-5-sonnet@20241022", "claude-3-5-sonnet", None),
            ("claude-3-5-sonnet-latest", "claude-3-5-sonnet", None),
            ("gpt-4-0613", "gpt-4", None),
            ("gpt-3.5-turbo-0125", "gpt-3-5-turbo", None),
            ("command-r-08-2024", "command-r", None),
            ("gemini-2.5-flash-preview-09-2025", "gemini-2-5-flash", None),
            ("gemini-2.5-pro-preview-05-06", "gemini-2-5-pro", None),
            ("openrouter/anthropic/claude-3.5-sonnet:beta", "claude-3-5-sonnet", Some("anthropic")),
            ("publishers/google/models/gemini-2.0-flash-001", "gemini-2-0-flash", Some("google")),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
                "claude-sonnet-4",
                Some("bedrock"),
            ),
            ("mistral-large-2411", "mistral-large", None),
            ("o3", "o3", None),
            ("gpt-4", "gpt-4", None),
            ("text-embedding-3-small", "text-embedding-3-small", None),
            ("deepseek-v3", "deepseek-v3", None),
            ("ft:gpt-4o-mini-2024-07-18:acme::x1", "ft:gpt-4o-mini", None),
        ] {
            assert_eq!(last(name), (model.to_owned(), provider.map(str::to_owned)), "{name}");
        }
    }

    #[test]
    fn the_fullest_name_comes_first() {
        assert_eq!(
            parse("eu.anthropic.claude-3-haiku-20240307-v1:0").candidates,
            [
                "eu-anthropic-claude-3-haiku-20240307-v1:0",
                "anthropic-claude-3-haiku-20240307-v1:0",
                "claude-3-haiku-20240307-v1:0",
                "claude-3-haiku-20240307-v1",
                "claude-3-haiku-20240307",
                "claude-3-haiku"
            ]
        );
    }

    #[test]
    fn odd_names_end() {
        for name in ["", "/", "//", ":", "@", "-", "ft:gpt-4o:org", "2024-08-06", "....", "-latest", "us.", "a/b/c/d/e/f"] {
            assert!(parse(name).candidates.len() < 10, "{name}");
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        assert!(matches_pattern("ft:gpt-4o*", "ft:gpt-4o-2024-08-06:acme"));
        assert!(matches_pattern("*-turbo", "gpt-4-turbo"));
        assert!(matches_pattern("a*b*c", "a--b--c"));
        assert!(matches_pattern("gpt-4o", "gpt-4o"));
        assert!(!matches_pattern("gpt-4o", "gpt-4o-mini"));
        assert!(!matches_pattern("a*b*c", "a--c"));
        assert!(!matches_pattern("ab*bc", "abc"));
    }
}
