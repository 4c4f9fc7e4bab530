//! What we write to people about.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// A mail's occasion, with what its text needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "template", rename_all = "snake_case")]
pub enum Template {
    /// Somebody signed up: the link proves that the address is theirs.
    VerifyEmail { link: String, expires_at: DateTime<Utc> },
    /// Somebody tried to sign up with an address that has an account.
    AlreadyRegistered { login_link: String, reset_link: String },
    /// Somebody forgot the password.
    ResetPassword { link: String, expires_at: DateTime<Utc>, ip: String },
    /// The password was changed.
    PasswordChanged { ip: String, reset_link: String },
    /// The second factor was turned on or off, or its recovery codes were replaced.
    SecondFactorChanged { what: String, ip: String },
    /// Somebody was invited.
    Invitation { organization: String, inviter: String, role: String, link: String, expires_at: DateTime<Utc> },
    /// Too many wrong passwords.
    AccountLocked { ip: String, until: DateTime<Utc>, reset_link: String },
}

impl Template {
    /// The name it is stored by.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::ResetPassword { .. } => "reset_password",
            Self::PasswordChanged { .. } => "password_changed",
            Self::SecondFactorChanged { .. } => "second_factor_changed",
            Self::Invitation { .. } => "invitation",
            Self::AccountLocked { .. } => "account_locked",
        }
    }

    /// Whether mail of this name holds a link that lets its reader in.
    #[must_use]
    pub fn is_secret(name: &str) -> bool {
        ["verify_email", "reset_password", "invitation"].contains(&name)
    }

    /// The line that people see first.
    #[must_use]
    pub fn subject(&self) -> String {
        let subject = match self {
            Self::VerifyEmail { .. } => "Confirm your e-mail address".to_owned(),
            Self::AlreadyRegistered { .. } => "You already have a Brokle account".to_owned(),
            Self::ResetPassword { .. } => "Reset your Brokle password".to_owned(),
            Self::PasswordChanged { .. } => "Your Brokle password was changed".to_owned(),
            Self::SecondFactorChanged { what, .. } => format!("Your Brokle account: {what}"),
            Self::Invitation { organization, .. } => format!("You are invited to {organization} on Brokle"),
            Self::AccountLocked { .. } => "Your Brokle account is locked for a while".to_owned(),
        };
        // Names are other people's text: one line, and not a long one.
        subject.chars().filter(|character| !character.is_control()).take(200).collect()
    }
}
