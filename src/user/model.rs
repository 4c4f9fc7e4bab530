//! A person as the rest of the program sees one.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use crate::common::id::{OrganizationId, UserId};

/// An e-mail address in the form it is stored and compared in: trimmed, lower case.
///
/// Lower-casing here rather than in SQL keeps both databases in step: SQLite's `lower()` knows ASCII only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// Longest address there can be. Source: RFC 5321, section 4.5.3.1 (64 + 1 + 255).
const MAX_EMAIL: usize = 320;

impl Email {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Error;

    /// Accepts what has something on both sides of one `@` and no spaces; whether mail arrives there only mail can tell.
    fn from_str(text: &str) -> Result<Self, Error> {
        let address = text.trim().to_lowercase();
        let plausible = address.len() <= MAX_EMAIL
            && !address.chars().any(|character| character.is_whitespace() || character.is_control())
            && address.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
        if plausible { Ok(Self(address)) } else { Err(Error::InvalidEmail(text.chars().take(64).collect())) }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    /// PHC string; none for people who only sign in through a provider.
    pub password_hash: Option<PasswordHash>,
    /// Platform administrator: runs the installation, reads no tenant's data by that.
    pub is_admin: bool,
    /// False for people who were suspended: they keep their data and cannot sign in.
    pub active: bool,
    pub default_organization_id: Option<OrganizationId>,
    /// Whether the address was shown to be theirs; who has not shown it cannot sign in.
    pub email_verified: bool,
    pub last_login_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// A stored password hash; prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A person to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub email: Email,
    pub first_name: String,
    pub last_name: String,
    pub password_hash: Option<PasswordHash>,
    pub is_admin: bool,
    /// Whether the address is known to be theirs: an operator or administrator says so, or an invitation shows it.
    pub verified: bool,
}

/// What somebody changes of their profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
}

/// What an administrator changes of a person; what is not named stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// False: suspended.
    pub active: Option<bool>,
    pub admin: Option<bool>,
    /// The address is known to be theirs.
    pub verified: bool,
}

/// A person in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserView {
    #[schema(value_type = String)]
    pub id: UserId,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self { id: user.id, email: user.email.clone(), first_name: user.first_name.clone(), last_name: user.last_name.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_lower_case() {
        assert_eq!(" Ada@Example.COM ".parse::<Email>().unwrap().as_str(), "ada@example.com");
        assert_eq!("ÉMILE@example.fr".parse::<Email>().unwrap().as_str(), "émile@example.fr");
        for wrong in ["", "ada", "@", "ada@", "@example.com", "a da@example.com", "a@b@c", "a\u{0}@b"] {
            assert!(wrong.parse::<Email>().is_err(), "{wrong:?}");
        }
        assert!(format!("{}@b", "x".repeat(400)).parse::<Email>().is_err());
    }

    #[test]
    fn a_password_hash_does_not_show_in_debug_prints() {
        assert_eq!(format!("{:?}", PasswordHash("$argon2id$secret".into())), "PasswordHash(..)");
    }
}
