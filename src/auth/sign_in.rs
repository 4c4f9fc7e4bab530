//! Signing in: with a password, and with a second factor where there is one.

use super::Error;
use super::attempts::{Admission, Guess};
use super::second_factor::Proof;
use super::session::{Sessions, SignedIn};
use super::token::{CHALLENGE_TTL, fingerprint};
use crate::audit::By;
use crate::common::origin::Origin;
use crate::infra::db;
use crate::user::{Email, User};

impl Sessions {
    /// Opens a session for whoever knows the password.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], the same for an unknown e-mail, a wrong password and a suspended person;
    /// [`Error::TooManyAttempts`] after many of these, for addresses without an account, too. Who knows the password is told more:
    /// [`Error::EmailNotVerified`], [`Error::SecondFactorRequired`].
    pub async fn login(&self, email: &str, password: &str, origin: Origin) -> Result<SignedIn, Error> {
        let basis = &self.0.basis;
        let admission = basis.attempts.admit(Guess::Password(email), origin.ip).await?;
        match self.password_holder(email, password, &admission, &origin).await {
            Ok(user) => self.admitted(user, &admission, origin).await,
            Err(error @ Error::WrongCredentials) => Err(error),
            // Nothing was found out: this was no failed sign-in.
            Err(error) => {
                basis.attempts.forgive(&admission).await?;
                Err(error)
            }
        }
    }

    /// Opens the session of somebody who has shown the password, with a code of the second factor or a recovery code.
    ///
    /// # Errors
    /// [`Error::ChallengeExpired`], [`Error::WrongSecondFactor`], [`Error::TooManyAttempts`]
    pub async fn complete_login(&self, challenge: &str, proof: &Proof, origin: Origin) -> Result<SignedIn, Error> {
        let (basis, second_factors) = (&self.0.basis, &self.0.second_factors);
        let (id, password) = self.0.tokens.read_challenge(challenge, basis.clock.now()).ok_or(Error::ChallengeExpired)?;
        let user = basis.users.find(id).await?.filter(|user| user.active).ok_or(Error::ChallengeExpired)?;
        let unchanged = user.password_hash.as_ref().is_some_and(|hash| fingerprint(&hash.0) == password);
        if !unchanged || !second_factors.is_on(user.id).await? {
            return Err(Error::ChallengeExpired);
        }
        let admission = basis.attempts.admit(Guess::Code(user.id), origin.ip).await?;
        let txn = basis.db.begin().await?;
        match second_factors.prove(&txn, user.id, proof).await {
            Ok(true) => {}
            Ok(false) => {
                drop(txn);
                basis.failed(&admission, "user.sign_in", Some(&user), &By::anonymous(origin)).await?;
                return Err(Error::WrongSecondFactor);
            }
            Err(error) => {
                drop(txn);
                basis.attempts.forgive(&admission).await?;
                return Err(error);
            }
        }
        basis.attempts.succeeded(&txn, user.id, &user.email, origin.ip).await?;
        let signed_in = self.open(&txn, &user, &origin).await?;
        txn.commit().await.map_err(db::Error::from)?;
        Ok(signed_in)
    }

    /// Whose e-mail and password these are.
    async fn password_holder(&self, email: &str, password: &str, admission: &Admission, origin: &Origin) -> Result<User, Error> {
        let basis = &self.0.basis;
        let user = match email.parse::<Email>() {
            Ok(email) => basis.users.find_by_email(&email).await?,
            Err(_) => None,
        };
        // The work is done for nobody, too: the time taken must not tell who has an account.
        let hash = user.as_ref().and_then(|user| user.password_hash.as_ref());
        let right = basis.passwords.verify(password, hash).await?;
        if let Some(user) = user.as_ref().filter(|user| right && user.active) {
            return self.with_current_hash(user.clone(), password).await;
        }
        basis.failed(admission, "user.sign_in", user.as_ref(), &By::anonymous(origin.clone())).await?;
        Err(Error::WrongCredentials)
    }

    /// Replaces a hash that was made with other parameters than those of today: now is the only time the password is known.
    async fn with_current_hash(&self, mut user: User, password: &str) -> Result<User, Error> {
        let basis = &self.0.basis;
        let Some(old) = user.password_hash.clone().filter(|hash| basis.passwords.is_outdated(hash)) else { return Ok(user) };
        match basis.passwords.rehash(password).await {
            Ok(new) => {
                if basis.users.replace_hash(basis.db.writer(), user.id, &old, &new).await? {
                    user.password_hash = Some(new);
                } else {
                    // Another sign-in has done the same, or the password is another one now.
                    user = basis.users.find_in(basis.db.writer(), user.id).await?.ok_or(Error::WrongCredentials)?;
                    if !basis.passwords.verify(password, user.password_hash.as_ref()).await? {
                        return Err(Error::WrongCredentials);
                    }
                }
            }
            // There is another time.
            Err(error) => tracing::debug!(user.id = %user.id, "an old password hash stays: {error}"),
        }
        Ok(user)
    }

    /// What somebody gets who knows the password.
    async fn admitted(&self, user: User, admission: &Admission, origin: Origin) -> Result<SignedIn, Error> {
        let basis = &self.0.basis;
        if !user.email_verified {
            basis.attempts.forgive(admission).await?;
            return Err(Error::EmailNotVerified);
        }
        if self.0.second_factors.is_on(user.id).await? {
            // The guesses at the code are counted on their own: knowing the password does not make them free.
            basis.attempts.forgive(admission).await?;
            let hash = user.password_hash.as_ref().map_or("", |hash| hash.0.as_str());
            let challenge = self.0.tokens.challenge(user.id, hash, basis.clock.now())?;
            return Err(Error::SecondFactorRequired { challenge, expires_in: CHALLENGE_TTL.num_seconds() });
        }
        let txn = basis.db.begin().await?;
        basis.attempts.succeeded(&txn, user.id, &user.email, origin.ip).await?;
        let signed_in = self.open(&txn, &user, &origin).await?;
        txn.commit().await.map_err(db::Error::from)?;
        Ok(signed_in)
    }
}
