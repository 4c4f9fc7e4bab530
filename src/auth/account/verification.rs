//! Proving that an e-mail address is one's own.

use sea_orm::ConnectionTrait;

use super::Accounts;
use crate::auth::Error;
use crate::auth::basis::{about, by};
use crate::auth::even::even;
use crate::auth::mail_token::{self, Purpose};
use crate::common::origin::Origin;
use crate::infra::db;
use crate::infra::mail::Template;
use crate::user::{Email, User};

impl Accounts {
    /// Takes the token of a mail as the proof.
    ///
    /// # Errors
    /// [`Error::BadToken`]
    pub async fn verify_email(&self, token: &str, origin: &Origin) -> Result<(), Error> {
        let basis = &self.basis;
        let now = basis.clock.now();
        let id = mail_token::owner(basis.db.conn(), Purpose::VerifyEmail, token, now).await?;
        let user = basis.users.find(id).await?.ok_or(Error::BadToken)?;
        let txn = basis.db.begin().await?;
        mail_token::consume(&txn, user.id, Purpose::VerifyEmail, token, now).await?;
        basis.users.set_proven(&txn, user.id).await?;
        basis.audit.record(&txn, &by(&user, origin), about("user.email_verify", Some(&user))).await?;
        txn.commit().await.map_err(db::Error::from)?;
        Ok(())
    }

    /// Sends another mail, where there is anything to prove and the last one is not too recent. Says nothing of it,
    /// and takes as long either way.
    pub async fn resend_verification(&self, email: &str) -> Result<(), Error> {
        even(self.answer_resend(email)).await
    }

    async fn answer_resend(&self, email: &str) -> Result<(), Error> {
        let basis = &self.basis;
        let Ok(email) = email.parse::<Email>() else { return Ok(()) };
        let user = basis.users.find_by_email(&email).await?.filter(|user| user.active && !user.email_verified);
        let txn = basis.db.begin().await?;
        if let Some(user) = &user
            && !mail_token::is_enough(&txn, user.id, Purpose::VerifyEmail, basis.clock.now()).await?
        {
            self.send_verification(&txn, user).await?;
        }
        txn.commit().await.map_err(db::Error::from)?;
        basis.mailer.wake();
        Ok(())
    }

    pub(super) async fn send_verification(&self, txn: &impl ConnectionTrait, user: &User) -> Result<(), Error> {
        let basis = &self.basis;
        let (token, expires_at) = mail_token::issue(txn, user.id, Purpose::VerifyEmail, basis.clock.now()).await?;
        let mail = Template::VerifyEmail { link: basis.links.with_token("verify-email", &token), expires_at };
        basis.mailer.send(txn, &user.email, &mail).await?;
        Ok(())
    }
}
