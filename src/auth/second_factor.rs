//! The second factor: six digits that change every half minute (TOTP), and recovery codes for when the device is lost.
//!
//! The secret is sealed with the installation's key. A code is good once: the time step of the last one is kept, and only later
//! ones are taken. Recovery codes are kept as hashes that only who has the key can make.

use std::fmt;

use chrono::{DateTime, Utc};
use rand::RngExt;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use totp_rs::{Algorithm, Builder, Secret, Totp};
use utoipa::ToSchema;

use super::attempts::Guess;
use super::basis::{Basis, about, ip_text};
use super::store::second_factors::{self as store, SecondFactor};
use super::{Error, UserContext};
use crate::audit::By;
use crate::common::id::UserId;
use crate::common::origin::Origin;
use crate::infra::crypto::Sealer;
use crate::infra::db;
use crate::infra::mail::Template;
use crate::user::User;

/// Who the code is for, as authenticator apps show it.
const ISSUER: &str = "Brokle";
const CODES: usize = 10;
/// Letters and digits of recovery codes: none that is easily taken for another. 32 of them, so ten make 50 bits.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What somebody shows.
#[derive(Clone)]
pub enum Proof {
    Code(String),
    RecoveryCode(String),
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Code(_)) { "Code(..)" } else { "RecoveryCode(..)" })
    }
}

/// Whether somebody has a second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SecondFactorView {
    pub enabled: bool,
    pub enabled_at: Option<DateTime<Utc>>,
    /// Recovery codes that were not used.
    pub recovery_codes_left: u64,
}

/// A secret to be taken into an authenticator app.
#[derive(Clone, Serialize, ToSchema)]
pub struct SecondFactorSetup {
    /// Base32, for typing it.
    pub secret: String,
    /// For a QR code.
    pub otpauth_url: String,
}

impl fmt::Debug for SecondFactorSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondFactorSetup(..)")
    }
}

/// The second factors of the installation; a clone shares everything.
#[derive(Debug, Clone)]
pub struct SecondFactors {
    basis: Basis,
    sealer: Sealer,
}

impl SecondFactors {
    /// Kept where `basis` says, sealed by `sealer`.
    pub fn new(basis: Basis, sealer: Sealer) -> Self {
        Self { basis, sealer }
    }

    /// What somebody has.
    pub async fn view(&self, user: UserId) -> Result<SecondFactorView, Error> {
        let conn = self.basis.db.conn();
        let enabled_at = store::find(conn, user).await?.and_then(|row| row.enabled_at);
        let left = if enabled_at.is_some() { store::count_codes(conn, user).await? } else { 0 };
        Ok(SecondFactorView { enabled: enabled_at.is_some(), enabled_at, recovery_codes_left: left })
    }

    pub(super) async fn is_on(&self, user: UserId) -> Result<bool, Error> {
        Ok(self.in_force(self.basis.db.conn(), user).await?.is_some())
    }

    /// Makes a secret; it is in force once [`SecondFactors::enable`] has seen a code of it.
    ///
    /// # Errors
    /// [`Error::SecondFactorOn`], [`Error::WrongPassword`], and 503 where the installation has no key to seal the secret with.
    pub async fn set_up(&self, caller: &UserContext, password: &str, origin: &Origin) -> Result<SecondFactorSetup, Error> {
        let basis = &self.basis;
        if !self.sealer.has_key() {
            return Err(crate::infra::crypto::Error::NoKey.into());
        }
        let user = self.user(caller).await?;
        if self.is_on(user.id).await? {
            return Err(Error::SecondFactorOn);
        }
        basis.confirm(&user, password, origin).await?;
        let secret: [u8; 20] = rand::random();
        let txn = basis.db.begin().await?;
        let sealed = self.sealer.seal(&txn, &basis.clock, &secret, &user.id.to_string()).await?;
        if !store::upsert_pending(&txn, user.id, sealed, basis.clock.now()).await? {
            return Err(Error::SecondFactorOn);
        }
        txn.commit().await.map_err(db::Error::from)?;
        let secret = Secret::from(secret).to_base32();
        let account: String = form_urlencoded::byte_serialize(user.email.as_bytes()).collect();
        let otpauth_url = format!("otpauth://totp/{ISSUER}:{account}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30");
        Ok(SecondFactorSetup { secret, otpauth_url })
    }

    /// Puts the prepared secret in force; returns the recovery codes, which are shown this once.
    ///
    /// # Errors
    /// [`Error::WrongCode`]; [`Error::SecondFactorOff`] when nothing is prepared, [`Error::SecondFactorOn`] when it is in force.
    pub async fn enable(&self, caller: &UserContext, code: &str, origin: &Origin) -> Result<Vec<String>, Error> {
        let basis = &self.basis;
        let user = self.user(caller).await?;
        let row = store::find(basis.db.conn(), user.id).await?.ok_or(Error::SecondFactorOff)?;
        if row.enabled_at.is_some() {
            return Err(Error::SecondFactorOn);
        }
        let admission = basis.attempts.admit(Guess::Confirmation(user.id), origin.ip).await?;
        let txn = basis.db.begin().await?;
        if !self.take_code(&txn, &row, code).await? {
            drop(txn);
            basis.failed(&admission, "second_factor.enable", Some(&user), &By::user(user.id, origin.clone())).await?;
            return Err(Error::WrongCode);
        }
        if !store::update_enabled(&txn, user.id, basis.clock.now()).await? {
            return Err(Error::SecondFactorOn);
        }
        let codes = self.new_codes(&txn, user.id).await?;
        self.changed(&txn, &user, ("second_factor.enable", "turned on"), origin).await?;
        txn.commit().await.map_err(db::Error::from)?;
        basis.mailer.wake();
        basis.attempts.forgive(&admission).await?;
        Ok(codes)
    }

    /// Takes the second factor away.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::WrongCode`], [`Error::SecondFactorOff`]
    pub async fn disable(&self, caller: &UserContext, password: &str, proof: &Proof, origin: &Origin) -> Result<(), Error> {
        self.confirmed(caller, password, proof, origin, async |txn, user| {
            store::delete(txn, user.id).await?;
            self.changed(txn, user, ("second_factor.disable", "turned off"), origin).await
        })
        .await
    }

    /// Replaces the recovery codes; the old ones are worth nothing.
    ///
    /// # Errors
    /// As [`SecondFactors::disable`].
    pub async fn replace_codes(&self, caller: &UserContext, password: &str, code: &str, origin: &Origin) -> Result<Vec<String>, Error> {
        self.confirmed(caller, password, &Proof::Code(code.to_owned()), origin, async |txn, user| {
            let codes = self.new_codes(txn, user.id).await?;
            self.changed(txn, user, ("second_factor.codes_replace", "given new recovery codes"), origin).await?;
            Ok(codes)
        })
        .await
    }

    /// Takes somebody's second factor away, as part of the caller's transaction: for administrators, when device and codes are
    /// lost. False when there was none.
    pub async fn remove(&self, txn: &impl ConnectionTrait, user: UserId) -> Result<bool, Error> {
        Ok(store::delete(txn, user).await?)
    }

    /// Whether `proof` is right; uses it up then, as part of the caller's transaction.
    pub(super) async fn prove(&self, txn: &impl ConnectionTrait, user: UserId, proof: &Proof) -> Result<bool, Error> {
        let Some(row) = self.in_force(txn, user).await? else { return Ok(false) };
        match proof {
            Proof::Code(code) => self.take_code(txn, &row, code).await,
            Proof::RecoveryCode(code) => {
                let hash = self.code_hash(code, user)?;
                Ok(store::update_code_used(txn, user, &hash, self.basis.clock.now()).await?)
            }
        }
    }

    /// Does something for somebody who shows password and second factor, in one transaction.
    async fn confirmed<T>(
        &self,
        caller: &UserContext,
        password: &str,
        proof: &Proof,
        origin: &Origin,
        work: impl AsyncFnOnce(&sea_orm::DatabaseTransaction, &User) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let basis = &self.basis;
        let user = self.user(caller).await?;
        if !self.is_on(user.id).await? {
            return Err(Error::SecondFactorOff);
        }
        basis.confirm(&user, password, origin).await?;
        let admission = basis.attempts.admit(Guess::Confirmation(user.id), origin.ip).await?;
        let txn = basis.db.begin().await?;
        if !self.prove(&txn, user.id, proof).await? {
            drop(txn);
            basis.failed(&admission, "user.confirm", Some(&user), &By::user(user.id, origin.clone())).await?;
            return Err(Error::WrongCode);
        }
        let done = work(&txn, &user).await?;
        txn.commit().await.map_err(db::Error::from)?;
        basis.mailer.wake();
        basis.attempts.forgive(&admission).await?;
        Ok(done)
    }

    /// Writes a change to the log, and to its owner.
    async fn changed(
        &self,
        txn: &impl ConnectionTrait,
        user: &User,
        (action, what): (&'static str, &str),
        origin: &Origin,
    ) -> Result<(), Error> {
        self.basis.audit.record(txn, &By::user(user.id, origin.clone()), about(action, Some(user))).await?;
        let mail = Template::SecondFactorChanged { what: what.to_owned(), ip: ip_text(origin) };
        self.basis.mailer.send(txn, &user.email, &mail).await?;
        Ok(())
    }

    async fn in_force(&self, db: &impl ConnectionTrait, user: UserId) -> Result<Option<SecondFactor>, Error> {
        Ok(store::find(db, user).await?.filter(|row| row.enabled_at.is_some()))
    }

    async fn take_code(&self, txn: &impl ConnectionTrait, row: &SecondFactor, code: &str) -> Result<bool, Error> {
        let secret = self.sealer.open(&row.sealed_secret, &row.user_id.to_string())?;
        let code: String = code.chars().filter(|character| !character.is_whitespace()).collect();
        if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(false);
        }
        let now = self.basis.clock.now();
        let Some(step) = totp(secret)?.check(&code, u64::try_from(now.timestamp()).unwrap_or_default()) else { return Ok(false) };
        Ok(store::update_step(txn, row.user_id, i64::try_from(step).unwrap_or(i64::MAX), now).await?)
    }

    async fn new_codes(&self, txn: &impl ConnectionTrait, user: UserId) -> Result<Vec<String>, Error> {
        let codes: Vec<String> = (0..CODES).map(|_| recovery_code()).collect();
        let hashes = codes.iter().map(|code| self.code_hash(code, user)).collect::<Result<Vec<_>, Error>>()?;
        store::delete_codes(txn, user).await?;
        store::insert_codes(txn, user, hashes, self.basis.clock.now()).await?;
        Ok(codes)
    }

    /// However it was typed.
    fn code_hash(&self, code: &str, user: UserId) -> Result<String, Error> {
        let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect();
        Ok(self.sealer.keyed_hash(&plain, &user.to_string())?)
    }

    async fn user(&self, caller: &UserContext) -> Result<User, Error> {
        self.basis.users.find(caller.user_id).await?.ok_or(Error::InvalidAccessToken)
    }
}

/// Six digits, half a minute, SHA-1: what authenticator apps agree on. One step before and after is taken, for clocks that differ.
fn totp(secret: Vec<u8>) -> Result<Totp, Error> {
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(1).with_step_duration(30);
    builder.with_secret(secret).build().map_err(|error| Error::Internal(format!("a stored second factor is of no use: {error}")))
}

/// `xxxxx-xxxxx`
fn recovery_code() -> String {
    let mut random = rand::rng();
    let mut code: String = (0..10).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect();
    code.insert(5, '-');
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_have_their_form() {
        let code = recovery_code();
        assert_eq!((code.len(), code.find('-')), (11, Some(5)));
        assert!(code.bytes().filter(|byte| *byte != b'-').all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(code, recovery_code());
        let distinct: std::collections::BTreeSet<_> = ALPHABET.iter().collect();
        assert_eq!(distinct.len(), 32);
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // Source: RFC 6238, appendix B: SHA-1, of which the last six digits are taken.
        let totp = totp(b"12345678901234567890".to_vec()).unwrap();
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (20_000_000_000, "353130")] {
            assert_eq!(totp.generate(time).to_string(), code);
            assert_eq!(totp.check(code, time), Some(time / 30));
            assert_eq!(totp.check(code, time + 30), Some(time / 30), "one step later");
            assert_eq!(totp.check(code, time + 60 + 30), None);
        }
    }
}
