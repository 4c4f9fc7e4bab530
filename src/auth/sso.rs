//! The seam of single sign-on.

use std::fmt::Debug;

use serde::Serialize;
use utoipa::ToSchema;

/// Sign-in through an organisation's own identity provider.
pub trait Sso: Debug + Send + Sync {
    /// For `GET /api/v1/enterprise/status`.
    fn status(&self) -> SsoStatus;
}

/// Which providers people may sign in through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SsoStatus {
    pub available: bool,
    pub detail: String,
    /// `oidc`, `saml`.
    pub protocols: Vec<String>,
    /// Names of the providers that are set up.
    pub providers: Vec<String>,
}

/// Passwords only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Community;

impl Sso for Community {
    fn status(&self) -> SsoStatus {
        SsoStatus {
            available: false,
            detail: "people sign in with e-mail and password; single sign-on needs the enterprise edition".to_owned(),
            protocols: Vec::new(),
            providers: Vec::new(),
        }
    }
}
