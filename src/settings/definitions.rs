//! Every setting there is. Each is read somewhere: a setting without an effect is a lie.

use serde::{Deserialize, Serialize};

use super::setting::{Definition, Guard, Kind, SettingValue};
use super::{Level, Setting};

/// All of them, in the order in which they are shown.
pub(super) static ALL: &[Definition] = &[
    Definition::of::<SignUp>(),
    Definition::of::<SignUpDomains>(),
    Definition::of::<OrganizationCreation>(),
    Definition::of::<RequestsPerUser>(),
    Definition::of::<RequestsPerKey>(),
];

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

impl SettingValue for SignUpMode {
    const KIND: Kind = Kind::Choice;
    const CHOICES: &'static [&'static str] = &["closed", "invitation", "domain", "open"];
}

/// `sign_up.mode`
#[derive(Debug)]
pub struct SignUp;

impl Setting for SignUp {
    const KEY: &'static str = "sign_up.mode";
    const DESCRIPTION: &'static str =
        "Who may make an account: closed, invitation, domain (invited, or an address of an allowed domain), open";
    const LEVELS: &'static [Level] = &[Level::Installation];
    const GUARD: Guard = Guard::Security;
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
    const GUARD: Guard = Guard::Security;
    type Value = Vec<String>;

    fn default() -> Vec<String> {
        Vec::new()
    }

    fn check(domains: &Vec<String>) -> Result<(), String> {
        if domains.len() > 100 {
            return Err("100 domains are the most".to_owned());
        }
        match domains.iter().find(|domain| !is_domain(domain)) {
            Some(wrong) => Err(format!("`{wrong}` is not a domain in lower case, such as example.com")),
            None => Ok(()),
        }
    }
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            // Letters beyond ASCII: addresses are compared as people write them.
            && label.chars().all(|character| character == '-' || (character.is_alphanumeric() && !character.is_uppercase()))
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
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

/// More would be no limit.
const MOST_REQUESTS: u32 = 10_000_000;

fn check_requests(requests: u32) -> Result<(), String> {
    if requests <= MOST_REQUESTS { Ok(()) } else { Err(format!("0 to {MOST_REQUESTS} requests a minute can be set")) }
}

/// `rate_limit.requests_per_minute_per_user`
#[derive(Debug)]
pub struct RequestsPerUser;

impl Setting for RequestsPerUser {
    const KEY: &'static str = "rate_limit.requests_per_minute_per_user";
    const DESCRIPTION: &'static str = "Requests to /api/v1 that a user may make in a minute; 0: as inherited, or as RATE_LIMIT_PER_USER says. An organization can lower it, not raise it";
    const LEVELS: &'static [Level] = &[Level::Installation, Level::Organization];
    const GUARD: Guard = Guard::Security;
    type Value = u32;

    fn default() -> u32 {
        0
    }

    fn check(requests: &u32) -> Result<(), String> {
        check_requests(*requests)
    }
}

/// `rate_limit.requests_per_minute_per_key`
#[derive(Debug)]
pub struct RequestsPerKey;

impl Setting for RequestsPerKey {
    const KEY: &'static str = "rate_limit.requests_per_minute_per_key";
    const DESCRIPTION: &'static str = "Requests to /v1 that may be made with an API key in a minute; 0: as inherited, or as RATE_LIMIT_PER_KEY says. Organizations and projects can lower it, not raise it";
    const LEVELS: &'static [Level] = &[Level::Installation, Level::Organization, Level::Project];
    const GUARD: Guard = Guard::Security;
    type Value = u32;

    fn default() -> u32 {
        0
    }

    fn check(requests: &u32) -> Result<(), String> {
        check_requests(*requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_in_the_list_once() {
        let text = include_str!("definitions.rs");
        let defined = text.lines().filter(|line| line.starts_with("impl Setting for ")).count();
        assert_eq!(ALL.len(), defined);
        let keys: std::collections::BTreeSet<&str> = ALL.iter().map(|definition| definition.key).collect();
        assert_eq!(keys.len(), ALL.len(), "{keys:?}");
    }

    #[test]
    fn every_default_is_a_value_that_may_be_set() {
        for definition in ALL {
            assert_eq!(definition.check(&definition.default()), Ok(definition.default()), "{}", definition.key);
            assert!(!definition.levels.is_empty() && definition.key.contains('.') && definition.key.len() <= 100, "{}", definition.key);
            assert_eq!(definition.choices.is_empty(), definition.kind != Kind::Choice, "{}", definition.key);
            for choice in definition.choices {
                assert!(definition.check(&(*choice).into()).is_ok(), "{}: {choice}", definition.key);
            }
        }
    }

    #[test]
    fn domains_are_told_from_what_is_none() {
        for right in ["example.com", "a.b.co.uk", "xn--bcher-kva.example", "bücher.example"] {
            assert!(is_domain(right), "{right}");
        }
        for wrong in ["", "com", "Example.com", "@example.com", "a b.com", "-a.com", "a..b", ".com", "a.com.", &"x".repeat(300)] {
            assert!(!is_domain(wrong), "{wrong}");
        }
    }
}
