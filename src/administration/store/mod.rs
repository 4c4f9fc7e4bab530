//! Rows of several slices, as administrators list them.

pub mod organizations;
pub mod users;

/// What a list is narrowed to.
#[derive(Debug, Default)]
pub struct Filter {
    /// Part of a name or an address, in any case.
    pub search: Option<String>,
    pub status: Option<String>,
    /// The id that the page before ended with.
    pub before: Option<String>,
    pub limit: u32,
}

impl Filter {
    /// As `$1` to `$4` of a query: where it starts, the status, the pattern (each empty for any), and the number of rows.
    fn values(&self) -> [sea_orm::Value; 4] {
        let text = |text: &Option<String>| sea_orm::Value::from(text.clone().unwrap_or_default());
        let pattern = self.search.as_deref().filter(|search| !search.is_empty()).map(pattern);
        [text(&self.before), text(&self.status), text(&pattern), i64::from(self.limit).into()]
    }
}

/// `LIKE … ESCAPE '!'` for a text that stands somewhere in a lower-case one.
fn pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for character in search.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// `$1, $2, …`
fn places(count: usize) -> String {
    (1..=count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}
