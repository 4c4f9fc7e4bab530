//! Making, changing and taking back API keys.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;

use super::{ApiKeyView, ApiKeys, view};
use crate::audit::{By, Event};
use crate::auth::entity::api_keys::Model;
use crate::auth::revocation::Revoked;
use crate::auth::secret::{KeyHash, SecretKey};
use crate::auth::store::api_keys::{self as store, Tenancy};
use crate::auth::{Error, KeyScopes};
use crate::common::id::{ApiKeyId, ProjectId, UserId};
use crate::infra::db::{self, stored};
use crate::organization::{Archived, Name};

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub project: ProjectId,
    pub name: String,
    pub scopes: KeyScopes,
    /// None: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whose it is, where that is not whoever makes it.
    pub made_for: Option<UserId>,
}

impl NewKey {
    /// A key for everything that never expires.
    pub fn new(project: ProjectId, name: impl Into<String>) -> Self {
        Self { project, name: name.into(), scopes: KeyScopes::FULL, expires_at: None, made_for: None }
    }

    /// It is good until then.
    #[must_use]
    pub fn expiring(self, at: impl Into<Option<DateTime<Utc>>>) -> Self {
        Self { expires_at: at.into(), ..self }
    }

    /// It is good for these only.
    #[must_use]
    pub fn scoped(self, scopes: KeyScopes) -> Self {
        Self { scopes, ..self }
    }

    /// It is this person's.
    #[must_use]
    pub fn made_for(self, user: impl Into<Option<UserId>>) -> Self {
        Self { made_for: user.into(), ..self }
    }
}

impl ApiKeys {
    /// A key of a project by its id.
    pub async fn find(&self, project: ProjectId, id: ApiKeyId) -> Result<Option<ApiKeyView>, Error> {
        let row = store::find(self.0.db.conn(), project, id).await?;
        Ok(row.map(|row| view(row, self.0.clock.now())))
    }

    /// The keys of a project that were not revoked, newest first; expired ones too.
    pub async fn list(&self, project: ProjectId) -> Result<Vec<ApiKeyView>, Error> {
        let now = self.0.clock.now();
        let listed = store::list(self.0.db.conn(), project).await?;
        Ok(listed.into_iter().map(|(row, created_by_email)| ApiKeyView { created_by_email, ..view(row, now) }).collect())
    }

    /// One of them, with whoever made it.
    ///
    /// # Errors
    /// [`Error::KeyNotFound`].
    pub async fn get(&self, project: ProjectId, id: ApiKeyId) -> Result<ApiKeyView, Error> {
        self.list(project).await?.into_iter().find(|key| key.id == id).ok_or(Error::KeyNotFound)
    }

    /// Makes a key; it is in the answer and nowhere else afterwards.
    pub async fn create(&self, new: NewKey, by: &By) -> Result<(ApiKeyView, SecretKey), Error> {
        let key = SecretKey::fresh();
        let txn = self.0.db.begin().await?;
        let view = self.add(&txn, &key, new, by).await?;
        commit(txn).await?;
        // Once more: a look-up that began before the commit found nothing.
        self.0.known.invalidate(&KeyHash::of(key.expose())).await;
        Ok((view, key))
    }

    /// Adds a key that is known already, as part of the caller's transaction.
    pub async fn add(&self, txn: &impl ConnectionTrait, key: &SecretKey, new: NewKey, by: &By) -> Result<ApiKeyView, Error> {
        let tenancy = open(txn, new.project).await?;
        let name: Name = new.name.parse()?;
        let row = Model {
            created_by: new.made_for.or(by.user_id()),
            expires_at: new.expires_at.map(stored),
            scopes: new.scopes.to_string(),
            ..self.row(key, new.project, &name)
        };
        self.insert(txn, &row, key).await?;
        self.0.audit.record(txn, by, about("api_key.create", &tenancy, &row).change(None, facts(&row))).await?;
        Ok(view(row, self.0.clock.now()))
    }

    fn row(&self, key: &SecretKey, project: ProjectId, name: &Name) -> Model {
        let now = stored(self.0.clock.now());
        Model {
            id: ApiKeyId::fresh(),
            project_id: project,
            name: name.to_string(),
            key_hash: KeyHash::of(key.expose()).to_hex(),
            key_preview: key.preview(),
            created_by: None,
            expires_at: None,
            last_used_at: None,
            created_at: now,
            updated_at: now,
            revoked_at: None,
            scopes: KeyScopes::FULL.to_string(),
            replaces_id: None,
        }
    }

    async fn insert(&self, txn: &impl ConnectionTrait, row: &Model, key: &SecretKey) -> Result<(), Error> {
        match store::insert(txn, row.clone()).await {
            Ok(()) => {}
            Err(error) if error.is_duplicate() => return Err(Error::KeyTaken),
            Err(error) if error.is_missing_reference() => return Err(Error::ProjectNotFound),
            Err(error) => return Err(error.into()),
        }
        // Somebody may have tried it before it was made.
        self.0.known.invalidate(&KeyHash::of(key.expose())).await;
        Ok(())
    }

    /// Whether this key was ever made, revoked or not.
    pub async fn exists(&self, db: &impl ConnectionTrait, key: &SecretKey) -> Result<bool, Error> {
        Ok(store::exists(db, KeyHash::of(key.expose())).await?)
    }

    /// Gives a key another name.
    pub async fn rename(&self, project: ProjectId, id: ApiKeyId, name: &str, by: &By) -> Result<(), Error> {
        let name: Name = name.parse()?;
        let txn = self.0.db.begin().await?;
        let tenancy = open(&txn, project).await?;
        let row = store::find(&txn, project, id).await?.ok_or(Error::KeyNotFound)?;
        store::update_name(&txn, id, name.as_str(), self.0.clock.now()).await?;
        let event = about("api_key.update", &tenancy, &row).change(json!({"name": row.name}), json!({"name": name.as_str()}));
        self.0.audit.record(&txn, by, event).await?;
        commit(txn).await
    }

    /// Makes a key in place of another, with its name, scopes and time to live. The other is good for `overlap` longer at most, so
    /// that programs can be given the new one meanwhile; with none it is revoked at once.
    pub async fn rotate(&self, project: ProjectId, id: ApiKeyId, overlap: TimeDelta, by: &By) -> Result<(ApiKeyView, SecretKey), Error> {
        let (key, now) = (SecretKey::fresh(), self.0.clock.now());
        let txn = self.0.db.begin().await?;
        let tenancy = open(&txn, project).await?;
        let old = store::lock(&txn, project, id).await?.ok_or(Error::KeyNotFound)?;
        if old.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::KeyExpired);
        }
        if store::exists_successor(&txn, id).await? {
            return Err(Error::KeyRotated);
        }
        let name: Name = old.name.parse()?;
        let row = Model {
            created_by: by.user_id(),
            expires_at: old.expires_at.map(|end| stored(now + (end - old.created_at))),
            scopes: old.scopes.clone(),
            replaces_id: Some(id),
            ..self.row(&key, project, &name)
        };
        self.insert(&txn, &row, &key).await?;
        let end = if overlap > TimeDelta::zero() {
            let end = old.expires_at.map_or(now + overlap, |end| end.min(now + overlap));
            store::update_expiry(&txn, id, end, now).await?;
            json!(stored(end))
        } else {
            store::update_revoked(&txn, id, now).await?;
            json!(stored(now))
        };
        let event = about("api_key.rotate", &tenancy, &old);
        let event = event.change(facts(&old), json!({"replaced_by": row.id, "key_preview": row.key_preview, "expires_at": end}));
        self.0.audit.record(&txn, by, event).await?;
        commit(txn).await?;
        self.forget(&old).await;
        self.0.known.invalidate(&KeyHash::of(key.expose())).await;
        Ok((self.get(project, row.id).await?, key))
    }

    /// Takes a key back: at once here, and in the other processes as soon as they hear of it.
    pub async fn revoke(&self, project: ProjectId, id: ApiKeyId, by: &By) -> Result<(), Error> {
        let row = store::find(self.0.db.conn(), project, id).await?.ok_or(Error::KeyNotFound)?;
        self.take_back(&row, by).await
    }

    /// Takes back the key that an operator means by `name`: the key itself, its preview or its id. A key that was revoked
    /// already is announced again, for servers that have not heard of it.
    ///
    /// # Errors
    /// [`Error::KeyNotFound`]; [`Error::KeyAmbiguous`] with the ids of the keys that have this preview.
    pub async fn revoke_named(&self, name: &str, by: &By) -> Result<ApiKeyView, Error> {
        let mut rows = store::named(self.0.db.conn(), name).await?;
        if rows.len() > 1 {
            rows.retain(|row| row.revoked_at.is_none());
        }
        if rows.len() > 1 {
            return Err(Error::KeyAmbiguous(rows.iter().map(|row| row.id.to_string()).collect()));
        }
        let row = rows.pop().ok_or(Error::KeyNotFound)?;
        self.take_back(&row, by).await?;
        Ok(view(row, self.0.clock.now()))
    }

    async fn take_back(&self, row: &Model, by: &By) -> Result<(), Error> {
        let txn = self.0.db.begin().await?;
        if store::update_revoked(&txn, row.id, self.0.clock.now()).await?
            && let Some(tenancy) = store::find_tenancy(&txn, row.project_id).await?
        {
            self.0.audit.record(&txn, by, about("api_key.revoke", &tenancy, row).change(facts(row), None)).await?;
        }
        commit(txn).await?;
        self.forget(row).await;
        tracing::info!(api_key.id = %row.id, project.id = %row.project_id, "API key revoked");
        Ok(())
    }

    /// Makes every process look a key up again at its next use.
    async fn forget(&self, row: &Model) {
        if let Some(hash) = KeyHash::from_hex(&row.key_hash) {
            self.0.known.invalidate(&hash).await;
            self.0.revocations.announce(&Revoked::ApiKey(hash));
        }
    }
}

/// The project, when keys in it may be made and changed.
async fn open(txn: &impl ConnectionTrait, project: ProjectId) -> Result<Tenancy, Error> {
    let tenancy = store::find_tenancy(txn, project).await?.filter(|tenancy| !tenancy.deleted()).ok_or(Error::ProjectNotFound)?;
    match (tenancy.organization_archived_at, tenancy.archived_at) {
        (Some(_), _) => Err(crate::organization::Error::Archived(Archived::Organization).into()),
        (None, Some(_)) => Err(crate::organization::Error::Archived(Archived::Project).into()),
        (None, None) => Ok(tenancy),
    }
}

async fn commit(txn: DatabaseTransaction) -> Result<(), Error> {
    Ok(txn.commit().await.map_err(db::Error::from)?)
}

fn about(action: &'static str, tenancy: &Tenancy, row: &Model) -> Event {
    let name = format!("{} ({})", row.name, row.key_preview);
    Event::new(action, "api_key", row.id).named(name).in_project(tenancy.organization_id, row.project_id)
}

fn facts(row: &Model) -> serde_json::Value {
    json!({"name": row.name, "key_preview": row.key_preview, "scopes": row.scopes, "expires_at": row.expires_at})
}
