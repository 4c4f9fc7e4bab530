//! Changing one's password, and getting back in without it.

use sea_orm::ConnectionTrait;

use super::Accounts;
use crate::audit::By;
use crate::auth::basis::{about, by, ip_text};
use crate::auth::even::even;
use crate::auth::mail_token::{self, Purpose};
use crate::auth::{Error, UserContext};
use crate::common::origin::Origin;
use crate::infra::db;
use crate::infra::mail::Template;
use crate::user::{Email, User};

impl Accounts {
    /// Replaces the caller's password; their other sessions end.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], and the errors of passwords.
    pub async fn change_password(&self, caller: &UserContext, current: &str, new: &str, origin: &Origin) -> Result<(), Error> {
        let basis = &self.basis;
        let user = basis.users.find(caller.user_id).await?.ok_or(Error::InvalidAccessToken)?;
        basis.confirm(&user, current, origin).await?;
        let hash = basis.passwords.hash_for(&user.email.parse()?, new).await?;
        let txn = basis.db.begin().await?;
        basis.users.set_password(&txn, user.id, hash).await?;
        // Whoever read a mail of before must not undo this.
        mail_token::withdraw(&txn, user.id, Purpose::ResetPassword, basis.clock.now()).await?;
        self.sessions.end_others(&txn, user.id, Some(caller.session_id), "password_change").await?;
        basis.audit.record(&txn, &By::user(user.id, origin.clone()), about("user.password_change", Some(&user))).await?;
        self.tell_of_new_password(&txn, &user, origin).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.sessions.forget_user(user.id);
        basis.mailer.wake();
        Ok(())
    }

    /// Sends a link to set a new password, where there is such an account and the last mail is not too recent. Says nothing of it,
    /// and takes as long either way.
    pub async fn forgot_password(&self, email: &str, origin: &Origin) -> Result<(), Error> {
        even(self.answer_forgotten(email, origin)).await
    }

    async fn answer_forgotten(&self, email: &str, origin: &Origin) -> Result<(), Error> {
        let basis = &self.basis;
        let user = match email.parse::<Email>() {
            Ok(email) => basis.users.find_by_email(&email).await?.filter(|user| user.active),
            Err(_) => None,
        };
        let txn = basis.db.begin().await?;
        if let Some(user) = &user
            && !mail_token::is_enough(&txn, user.id, Purpose::ResetPassword, basis.clock.now()).await?
        {
            self.send_reset(&txn, user, origin).await?;
        }
        basis.audit.record(&txn, &By::anonymous(origin.clone()), about("user.password_reset_request", user.as_ref())).await?;
        txn.commit().await.map_err(db::Error::from)?;
        basis.mailer.wake();
        Ok(())
    }

    /// Puts the mail with a link to set a new password into the outbox, as part of the caller's transaction; returns the link.
    pub async fn send_reset(&self, txn: &impl ConnectionTrait, user: &User, origin: &Origin) -> Result<String, Error> {
        let basis = &self.basis;
        let (token, expires_at) = mail_token::issue(txn, user.id, Purpose::ResetPassword, basis.clock.now()).await?;
        let link = basis.links.with_token("reset-password", &token);
        let mail = Template::ResetPassword { link: link.clone(), expires_at, ip: ip_text(origin) };
        basis.mailer.send(txn, &user.email, &mail).await?;
        Ok(link)
    }

    /// Tells the runners of mail that [`Accounts::send_reset`] has put into the outbox, once it is committed.
    pub fn wake_mail(&self) {
        self.basis.mailer.wake();
    }

    /// Sets a new password with the token of a mail. All sessions end; failed sign-ins are forgotten, and
    /// whoever waited for the address to be confirmed can sign in.
    ///
    /// # Errors
    /// [`Error::BadToken`], and the errors of passwords, which leave the token good.
    pub async fn reset_password(&self, token: &str, new: &str, origin: &Origin) -> Result<(), Error> {
        let basis = &self.basis;
        let now = basis.clock.now();
        let id = mail_token::owner(basis.db.conn(), Purpose::ResetPassword, token, now).await?;
        let user = basis.users.find(id).await?.filter(|user| user.active).ok_or(Error::BadToken)?;
        let hash = basis.passwords.hash_for(&user.email.parse()?, new).await?;
        let txn = basis.db.begin().await?;
        mail_token::consume(&txn, user.id, Purpose::ResetPassword, token, now).await?;
        basis.users.set_password(&txn, user.id, hash).await?;
        // No proof of the address: an administrator may have handed the link on.
        basis.users.set_verified(&txn, user.id).await?;
        basis.attempts.clear(&txn, user.id, &user.email).await?;
        self.sessions.end_all(&txn, user.id, "password_reset").await?;
        basis.audit.record(&txn, &by(&user, origin), about("user.password_reset", Some(&user))).await?;
        self.tell_of_new_password(&txn, &user, origin).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.sessions.forget_user(user.id);
        basis.mailer.wake();
        Ok(())
    }

    /// Writes to somebody about their second factor, as part of the caller's transaction. Call [`Accounts::wake_mail`] once it is
    /// committed.
    pub async fn tell_of_second_factor(&self, txn: &impl ConnectionTrait, email: &str, what: &str, origin: &Origin) -> Result<(), Error> {
        let mail = Template::SecondFactorChanged { what: what.to_owned(), ip: ip_text(origin) };
        self.basis.mailer.send(txn, email, &mail).await?;
        Ok(())
    }

    async fn tell_of_new_password(&self, txn: &impl ConnectionTrait, user: &User, origin: &Origin) -> Result<(), Error> {
        let mail = Template::PasswordChanged { ip: ip_text(origin), reset_link: self.basis.links.page("forgot-password") };
        self.basis.mailer.send(txn, &user.email, &mail).await?;
        Ok(())
    }
}
