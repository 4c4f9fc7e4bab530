//! Looking through the catalogue.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::PriceVersion;
use super::{PriceBook, Prices};
use crate::observability::pricing::{Listed, PriceFile};

/// Which entries are shown.
#[derive(Debug, Clone, Default)]
pub struct CatalogueFilter {
    /// Part of a name, in any case.
    pub search: String,
    /// One provider; empty: all.
    pub provider: String,
}

/// A price of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CataloguePrice {
    #[serde(flatten)]
    pub version: PriceVersion,
    pub id: String,
    /// The day on which it was taken from its source.
    pub seen: Option<String>,
}

/// A model of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CatalogueModel {
    pub provider: String,
    pub model: String,
    /// Its other names.
    pub also: Vec<String>,
    /// Where its newest price was taken from.
    pub source: String,
    /// Oldest first.
    pub prices: Vec<CataloguePrice>,
}

impl From<Listed<'_>> for CatalogueModel {
    fn from(listed: Listed<'_>) -> Self {
        let price = |(id, file): (&std::sync::Arc<str>, &PriceFile)| CataloguePrice {
            version: file.clone().into(),
            id: id.to_string(),
            seen: file.seen.clone(),
        };
        Self {
            provider: listed.provider.to_owned(),
            model: listed.name.to_owned(),
            also: listed.also.to_vec(),
            source: listed.prices().last().and_then(|(_, file)| file.source.clone()).unwrap_or_default(),
            prices: listed.prices().map(price).collect(),
        }
    }
}

impl Prices {
    /// A page of the catalogue, and whether there are more. Pages are counted from 1.
    #[must_use]
    pub fn catalogue(&self, filter: &CatalogueFilter, page: u32, limit: u32) -> (Vec<CatalogueModel>, bool) {
        listed(&self.book, filter, page, limit)
    }
}

fn listed(book: &PriceBook, filter: &CatalogueFilter, page: u32, limit: u32) -> (Vec<CatalogueModel>, bool) {
    let search = filter.search.to_lowercase();
    let names = |entry: &Listed<'_>| {
        let mut names = std::iter::once(entry.name).chain(entry.also.iter().map(String::as_str));
        search.is_empty() || names.any(|name| name.to_lowercase().contains(&search)) || entry.provider.contains(&search)
    };
    let shown = |entry: &Listed<'_>| (filter.provider.is_empty() || entry.provider == filter.provider) && names(entry);
    let before = (page.max(1) as usize - 1).saturating_mul(limit as usize);
    let mut found = book.catalogue().catalogue().filter(shown).skip(before);
    let models: Vec<CatalogueModel> = found.by_ref().take(limit as usize).map(CatalogueModel::from).collect();
    (models, found.next().is_some())
}
