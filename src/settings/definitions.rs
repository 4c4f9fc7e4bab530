//! Every setting there is.

use serde::{Deserialize, Serialize};

use super::{Level, Setting};

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUpMode {
    /// Nobody by themselves; administrators make accounts.
    Closed,
    /// Whoever was invited to an organisation.
    Invitation,
    /// Also whoever has an address of an allowed domain.
    Domain,
    /// Everybody.
    Open,
}

/// `sign_up.mode`
#[derive(Debug)]
pub struct SignUp;

impl Setting for SignUp {
    const KEY: &'static str = "sign_up.mode";
    const DESCRIPTION: &'static str =
        "Who may make an account: closed, invitation, domain (invited, or an address of an allowed domain), open";
    const LEVELS: &'static [Level] = &[Level::Installation];
    type Value = SignUpMode;

    fn default() -> SignUpMode {
        SignUpMode::Invitation
    }
}

/// `sign_up.allowed_domains`
#[derive(Debug)]
pub struct SignUpDomains;

impl Setting for SignUpDomains {
    const KEY: &'static str = "sign_up.allowed_domains";
    const DESCRIPTION: &'static str = "Domains of e-mail addresses that may sign up when sign_up.mode is domain";
    const LEVELS: &'static [Level] = &[Level::Installation];
    type Value = Vec<String>;

    fn default() -> Vec<String> {
        Vec::new()
    }
}

/// `organizations.creation_by_members`
#[derive(Debug)]
pub struct OrganizationCreation;

impl Setting for OrganizationCreation {
    const KEY: &'static str = "organizations.creation_by_members";
    const DESCRIPTION: &'static str = "Whether everybody may make organizations, or platform administrators only";
    const LEVELS: &'static [Level] = &[Level::Installation];
    type Value = bool;

    fn default() -> bool {
        true
    }
}
