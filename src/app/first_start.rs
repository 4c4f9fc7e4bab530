//! First start (stand-in until the real one is merged).
use crate::auth::{ApiKeys, Passwords, Revocations, SecretKey, TokenSettings};
use crate::common::clock::SharedClock;
use crate::config::Config;
use crate::infra::db::Database;
use crate::organization::{Directory, Role};
use crate::user::{NewUser, Users};
use std::time::Duration;

/// Secrets.
#[derive(Debug)]
pub struct Secrets;
impl Secrets {
    pub fn token_settings(&self, c: &Config) -> TokenSettings {
        let secret = if c.auth.jwt_secret.is_empty() { "x".repeat(40).into() } else { c.auth.jwt_secret.clone() };
        TokenSettings { secret, issuer: c.auth.jwt_issuer.clone(), access_ttl: Duration::from_secs(c.auth.access_token_ttl_seconds), refresh_ttl: Duration::from_secs(c.auth.refresh_token_ttl_seconds) }
    }
}
pub async fn prepare(c: &Config, _p: u16, db: &Database, clock: SharedClock) -> anyhow::Result<Secrets> {
    let users = Users::new(db.clone(), clock.clone());
    if users.count(db.conn()).await? > 0 || c.init.user_email.is_empty() { return Ok(Secrets); }
    let directory = Directory::new(db.clone(), clock.clone());
    let keys = ApiKeys::new(db.clone(), clock, Revocations::new(), Duration::from_secs(60));
    let hash = Passwords::new().hash(c.init.user_password.expose()).await?;
    let txn = db.begin().await?;
    let user = users.create(&txn, NewUser { email: c.init.user_email.parse()?, first_name: "A".into(), last_name: "B".into(), password_hash: Some(hash), is_admin: true }).await?;
    let org = directory.create_organization(&txn, &c.init.org.parse()?).await?;
    directory.add_member(&txn, org.id, user.id, &Role::Owner).await?;
    let project = directory.create_project(&txn, org.id, &c.init.project.parse()?).await?;
    let key: SecretKey = SecretKey::parse(c.init.api_key.expose())?;
    keys.add(&txn, &key, project.id, "first", None, Some(user.id)).await?;
    txn.commit().await?;
    Ok(Secrets)
}
