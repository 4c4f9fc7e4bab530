//! What a setting is.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use super::Level;

/// A setting as a type.
pub trait Setting: 'static {
    /// `group.name`
    const KEY: &'static str;
    /// One line for people.
    const DESCRIPTION: &'static str;
    /// Where it can be set.
    const LEVELS: &'static [Level];
    /// What changing it takes.
    const GUARD: Guard = Guard::Write;
    type Value: SettingValue;

    /// What counts where nobody set anything.
    fn default() -> Self::Value;

    /// Whether a value makes sense.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(_value: &Self::Value) -> Result<(), String> {
        Ok(())
    }
}

/// What changing a setting takes. (For the installation: a platform administrator.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// `settings:write`.
    Write,
    /// `settings:security` as well: the setting decides who gets in, or how much.
    Security,
}

/// How a value is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Bool,
    Integer,
    String,
    StringList,
    /// One of `choices`.
    Choice,
}

/// What a setting can hold.
pub trait SettingValue: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    const KIND: Kind;
    /// All there are, for [`Kind::Choice`].
    const CHOICES: &'static [&'static str] = &[];
}

impl SettingValue for bool {
    const KIND: Kind = Kind::Bool;
}

impl SettingValue for u32 {
    const KIND: Kind = Kind::Integer;
}

impl SettingValue for String {
    const KIND: Kind = Kind::String;
}

impl SettingValue for Vec<String> {
    const KIND: Kind = Kind::StringList;
}

/// A setting as a value: what lists and changes work on.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    pub key: &'static str,
    pub description: &'static str,
    pub levels: &'static [Level],
    pub guard: Guard,
    pub kind: Kind,
    pub choices: &'static [&'static str],
    default: fn() -> Value,
    check: fn(&Value) -> Result<Value, String>,
}

impl Definition {
    /// Of the setting `S`.
    pub(super) const fn of<S: Setting>() -> Self {
        Self {
            key: S::KEY,
            description: S::DESCRIPTION,
            levels: S::LEVELS,
            guard: S::GUARD,
            kind: <S::Value as SettingValue>::KIND,
            choices: <S::Value as SettingValue>::CHOICES,
            default: default_of::<S>,
            check: check_of::<S>,
        }
    }

    /// What counts where nobody set anything.
    #[must_use]
    pub fn default(&self) -> Value {
        (self.default)()
    }

    /// The value as it is stored.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, value: &Value) -> Result<Value, String> {
        (self.check)(value)
    }

    /// Whether it can be set there.
    #[must_use]
    pub fn has(&self, level: Level) -> bool {
        self.levels.contains(&level)
    }
}

fn default_of<S: Setting>() -> Value {
    serde_json::to_value(S::default()).unwrap_or_default()
}

fn check_of<S: Setting>(value: &Value) -> Result<Value, String> {
    let value: S::Value = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    S::check(&value)?;
    serde_json::to_value(value).map_err(|error| error.to_string())
}
