//! Listing and changing settings.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::service::{Inner, Settings, definition};
use super::setting::{Definition, Guard, Kind};
use super::store::{self, Row, Written};
use super::{Error, Level, Scope, definitions};
use crate::audit::{By, Event};
use crate::common::id::UserId;
use crate::infra::db;

/// Changes that a history shows at most.
const HISTORY: u64 = 100;

/// Where the value that counts comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Default,
    Installation,
    Organization,
    Project,
}

impl From<Level> for Source {
    fn from(level: Level) -> Self {
        match level {
            Level::Installation => Self::Installation,
            Level::Organization => Self::Organization,
            Level::Project => Self::Project,
        }
    }
}

/// What a setting can hold, as its `type` says.
#[derive(Debug, ToSchema)]
#[schema(as = SettingValue)]
#[serde(untagged)]
pub enum AnyValue {
    Bool(bool),
    Integer(u32),
    /// Also one of the `choices`.
    String(String),
    StringList(Vec<String>),
}

/// A setting as it stands somewhere.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SettingView)]
pub struct View {
    pub key: String,
    pub description: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What can be chosen, where `type` is `choice`.
    pub choices: Option<Vec<String>>,
    /// The value that counts.
    #[schema(value_type = AnyValue)]
    pub value: Value,
    /// What counts where nobody sets anything.
    #[schema(value_type = AnyValue)]
    pub default: Value,
    /// Where `value` comes from.
    pub source: Source,
    /// What is set right here; null where it is inherited.
    #[schema(value_type = Option<AnyValue>)]
    pub own_value: Option<Value>,
    /// Of `own_value`; hand it back with a change, so that nobody else's is overwritten.
    pub version: Option<i64>,
    pub updated_at: Option<DateTime<Utc>>,
    pub updated_by_email: Option<String>,
}

/// A change of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SettingChange)]
pub struct ChangeView {
    /// Null: back to what is inherited.
    #[schema(value_type = Option<AnyValue>)]
    pub value: Option<Value>,
    pub version: i64,
    pub changed_at: DateTime<Utc>,
    pub changed_by_email: Option<String>,
}

impl Settings {
    /// What it takes to change a setting at this level.
    ///
    /// # Errors
    /// [`Error::Unknown`] for one that cannot be set there.
    pub fn guard(&self, level: Level, key: &str) -> Result<Guard, Error> {
        Ok(settable(level, key)?.guard)
    }

    /// Every setting that can be set in `scope`, as it stands there.
    pub async fn list(&self, scope: Scope) -> Result<Vec<View>, Error> {
        let settable = definitions::ALL.iter().filter(|definition| definition.has(scope.level()));
        self.0.views(scope, settable).await
    }

    /// Sets a value; with `version`, only where that is still the version of what is set there (0: nothing).
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Invalid`], [`Error::Conflict`].
    pub async fn set(&self, by: &By, scope: Scope, key: &str, value: &Value, version: Option<i64>) -> Result<View, Error> {
        let definition = settable(scope.level(), key)?;
        let value = definition.check(value).map_err(Error::Invalid)?;
        self.write(by, scope, definition, Some(value), version).await
    }

    /// Goes back to what is inherited. Nothing happens where nothing is set.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Conflict`].
    pub async fn reset(&self, by: &By, scope: Scope, key: &str) -> Result<View, Error> {
        self.write(by, scope, settable(scope.level(), key)?, None, None).await
    }

    /// The latest changes of a setting in `scope`, newest first.
    ///
    /// # Errors
    /// [`Error::Unknown`]
    pub async fn history(&self, scope: Scope, key: &str) -> Result<Vec<ChangeView>, Error> {
        settable(scope.level(), key)?;
        let conn = self.0.db.conn();
        let changes = store::list_changes(conn, scope, key, HISTORY).await?;
        let emails = emails(&self.0, changes.iter().filter_map(|change| change.changed_by)).await?;
        let view = |change: store::Change| ChangeView {
            // What cannot be read is shown as it stands.
            value: change.value.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
            version: change.version,
            changed_at: change.changed_at,
            changed_by_email: change.changed_by.and_then(|user| emails.get(&user).cloned()),
        };
        Ok(changes.into_iter().map(view).collect())
    }

    async fn write(
        &self,
        by: &By,
        scope: Scope,
        definition: &'static Definition,
        value: Option<Value>,
        expected: Option<i64>,
    ) -> Result<View, Error> {
        let inner = &*self.0;
        let txn = inner.db.begin().await?;
        let current = store::find(&txn, scope, definition.key).await?;
        let version = current.as_ref().map_or(0, |row| row.version);
        if expected.is_some_and(|expected| expected != version) {
            return Err(Error::Conflict(version));
        }
        let before = current.as_ref().map(|row| serde_json::from_str::<Value>(&row.value).unwrap_or(Value::Null));
        if before == value {
            txn.rollback().await.map_err(db::Error::from)?;
        } else {
            let written = Written {
                scope,
                key: definition.key,
                value: value.as_ref().map(Value::to_string),
                // Goes on after a reset: no version comes twice.
                version: store::find_last_version(&txn, scope, definition.key).await?.max(version) + 1,
                by: by.user_id(),
                now: inner.clock.now(),
            };
            let first = match (&current, &value) {
                (Some(row), Some(_)) => store::update(&txn, row.id, version, &written).await?,
                (Some(row), None) => store::delete(&txn, row.id, version).await?,
                (None, _) => match store::insert(&txn, &written).await {
                    Ok(()) => true,
                    Err(error) if error.is_duplicate() => false,
                    Err(error) => return Err(error.into()),
                },
            };
            if !first {
                txn.rollback().await.map_err(db::Error::from)?;
                let now = store::find(inner.db.writer(), scope, definition.key).await?;
                return Err(Error::Conflict(now.map_or(0, |row| row.version)));
            }
            store::insert_change(&txn, &written).await?;
            let action = if value.is_some() { "setting.update" } else { "setting.reset" };
            inner.audit.record(&txn, by, event(action, scope, definition.key).change(before, value)).await?;
            txn.commit().await.map_err(db::Error::from)?;
            inner.changed(scope).await;
        }
        let view = inner.views(scope, std::iter::once(definition)).await?.pop();
        view.ok_or_else(|| Error::Unknown(definition.key.to_owned()))
    }
}

fn event(action: &'static str, scope: Scope, key: &str) -> Event {
    let event = Event::new(action, "setting", key);
    match scope {
        Scope::Installation => event,
        Scope::Organization(organization) => event.in_organization(organization),
        Scope::Project(organization, project) => event.in_project(organization, project),
    }
}

fn settable(level: Level, key: &str) -> Result<&'static Definition, Error> {
    let unknown = || Error::Unknown(key.chars().take(100).collect());
    definition(key).filter(|definition| definition.has(level)).ok_or_else(unknown)
}

async fn emails(inner: &Inner, users: impl Iterator<Item = UserId>) -> Result<HashMap<UserId, String>, Error> {
    let mut users: Vec<UserId> = users.collect();
    users.sort_unstable();
    users.dedup();
    Ok(store::list_emails(inner.db.conn(), &users).await?)
}

impl Inner {
    /// How settings stand in `scope`; the values of this scope from the database, so that whoever changes one sees it.
    async fn views(&self, scope: Scope, settings: impl Iterator<Item = &'static Definition>) -> Result<Vec<View>, Error> {
        // From the writer, which sees what was committed a moment ago.
        let rows: HashMap<String, Row> =
            store::list(self.db.writer(), scope).await?.into_iter().map(|row| (row.key.clone(), row)).collect();
        let mut above = Vec::new();
        let mut next = scope.parent();
        while let Some(scope) = next {
            above.push((scope.level(), self.values(scope).await?));
            next = scope.parent();
        }
        let emails = emails(self, rows.values().filter_map(|row| row.updated_by)).await?;
        let mut views = Vec::new();
        for definition in settings {
            let row = rows.get(definition.key);
            let own = row.and_then(|row| self.readable(definition, row));
            let inherited = || above.iter().find_map(|(level, values)| Some(((*level).into(), values.get(definition.key)?.clone())));
            let (source, value) = own
                .clone()
                .map(|value| (scope.level().into(), value))
                .or_else(inherited)
                .unwrap_or_else(|| (Source::Default, definition.default()));
            views.push(View {
                key: definition.key.to_owned(),
                description: definition.description.to_owned(),
                kind: definition.kind,
                choices: (!definition.choices.is_empty()).then(|| definition.choices.iter().map(|choice| (*choice).to_owned()).collect()),
                value,
                default: definition.default(),
                source,
                own_value: own,
                version: row.map(|row| row.version),
                updated_at: row.map(|row| row.updated_at),
                updated_by_email: row.and_then(|row| emails.get(&row.updated_by?).cloned()),
            });
        }
        Ok(views)
    }
}
