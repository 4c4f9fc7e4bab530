//! Lists of models and their prices, read once into look-up tables.

use std::collections::HashMap;
use std::sync::Arc;

use super::files::{CatalogueFile, PriceFile};
use super::names::{key, matches_pattern, parse, strip_suffix};
use super::price::Model;

/// Why a catalogue or an own price cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("the price catalogue is not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the price of {model} for {kind} is not an amount of US dollars: {amount}")]
    Amount { model: String, kind: String, amount: String },
    #[error("the price of {model} names an unknown kind of usage: {kind}")]
    Kind { model: String, kind: String },
    #[error("the price of {model} has a date that is not YYYY-MM-DD: {date}")]
    Date { model: String, date: String },
}

/// How the name of a model led to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchRule {
    /// The entry has this very name, whatever its case and separators.
    Exact,
    /// Without what of the name says no model: a router's path, a region, a date, an edition.
    Normalised,
    /// By a pattern with `*`.
    Pattern,
}

impl MatchRule {
    /// Its name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Normalised => "normalised",
            Self::Pattern => "pattern",
        }
    }
}

/// A model that a name leads to.
#[derive(Debug, Clone)]
struct Named {
    model: Arc<Model>,
    /// The name is the entry's own, not one that was shortened.
    own: bool,
}

/// Models by provider and name.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    exact: HashMap<String, HashMap<String, Named>>,
    patterns: Vec<(String, String, Arc<Model>)>,
    /// Every entry once, with its other names.
    entries: Vec<(Arc<Model>, Vec<String>)>,
}

/// Providers that make the models they serve: a bare model name may be theirs.
const HOMES: [&str; 8] = ["openai", "anthropic", "google", "mistral", "cohere", "deepseek", "xai", "voyage"];

/// Where else a provider's models may be priced, when its own list lacks them.
fn relatives(provider: &str) -> &'static [&'static str] {
    match provider {
        "azure_openai" | "azure_ai" => &["openai", "mistral", "cohere"],
        "bedrock" => &["anthropic", "cohere", "mistral"],
        "vertex_ai" => &["google", "anthropic", "mistral"],
        "google" => &["vertex_ai"],
        // Routers sell other providers' models at their prices; no provider at all is a bare model name.
        "" | "openrouter" | "litellm" | "portkey" | "helicone" | "vercel" | "gateway" | "brokle" | "custom" | "langchain" => &HOMES,
        // Everyone else sets prices of their own, or runs open weights for nothing.
        _ => &[],
    }
}

impl Catalogue {
    /// Reads a catalogue file.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, CatalogueError> {
        let file: CatalogueFile = serde_json::from_slice(json)?;
        let mut catalogue = Self::default();
        for entry in file.models {
            let id = format!("{}/{}", entry.provider, entry.name);
            let model = Arc::new(Model::build(&id, &entry.provider, &entry.name, entry.prices)?);
            let names = catalogue.exact.entry(entry.provider.clone()).or_default();
            for name in [&entry.name].into_iter().chain(&entry.also) {
                names.insert(key(name), Named { model: Arc::clone(&model), own: true });
            }
            for pattern in &entry.patterns {
                catalogue.patterns.push((entry.provider.clone(), key(pattern), Arc::clone(&model)));
            }
            catalogue.entries.push((model, entry.also));
        }
        // A name without its date is the newest model with a date, unless it is a model of its own.
        let mut models: Vec<&Arc<Model>> = catalogue.entries.iter().map(|(model, _)| model).collect();
        models.sort_by(|one, other| other.name.cmp(&one.name));
        for model in models {
            let names = catalogue.exact.entry(model.provider.clone()).or_default();
            let mut name = key(&model.name);
            while let Some(shorter) = strip_suffix(&name) {
                names.entry(shorter.clone()).or_insert_with(|| Named { model: Arc::clone(model), own: false });
                name = shorter;
            }
        }
        Ok(catalogue)
    }

    /// Adds an own price for a name or a pattern, at one provider or (empty) at any. Of patterns that match alike the first counts.
    pub(super) fn add(&mut self, id: &str, provider: &str, name: &str, prices: Vec<PriceFile>) -> Result<(), CatalogueError> {
        let model = Arc::new(Model::build(id, provider, name, prices)?);
        if name.contains('*') {
            self.patterns.push((provider.to_owned(), key(name), Arc::clone(&model)));
        } else {
            let named = Named { model: Arc::clone(&model), own: true };
            self.exact.entry(provider.to_owned()).or_default().insert(key(name), named);
        }
        self.entries.push((model, Vec::new()));
        Ok(())
    }

    /// The model that a name means: exact names, from the fullest to the barest, before patterns. What an entry for the provider
    /// says counts before what one for any provider does.
    pub(super) fn find(&self, provider: &str, name: &str) -> Option<(Arc<Model>, MatchRule)> {
        if self.entries.is_empty() {
            return None;
        }
        let parsed = parse(name);
        let mut providers: Vec<&str> = Vec::with_capacity(12);
        let named = parsed.provider.as_deref();
        for provider in [Some(provider), named].into_iter().flatten() {
            providers.push(provider);
        }
        let routed = relatives(provider).len() == HOMES.len();
        let more = named.filter(|_| routed).unwrap_or(provider);
        providers.extend(relatives(more));
        providers.push("");
        let exact = |(at, name): (usize, &String)| {
            let found = providers.iter().find_map(|provider| self.exact.get(*provider)?.get(name))?;
            let rule = if at == 0 && found.own { MatchRule::Exact } else { MatchRule::Normalised };
            Some((Arc::clone(&found.model), rule))
        };
        let pattern = |name: &String| {
            providers.iter().find_map(|provider| {
                let mut own = self.patterns.iter().filter(|(of, ..)| of == provider);
                own.find(|(_, pattern, _)| matches_pattern(pattern, name)).map(|(.., model)| (Arc::clone(model), MatchRule::Pattern))
            })
        };
        parsed.candidates.iter().enumerate().find_map(exact).or_else(|| parsed.candidates.iter().find_map(pattern))
    }

    /// Every entry with its other names, in the order of the file.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Model, &[String])> {
        self.entries.iter().map(|(model, also)| (&**model, also.as_slice()))
    }

    /// How many names have a price.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.exact.values().map(HashMap::len).sum()
    }
}
