//! Single sign-on: the registry of identity providers.

use std::collections::BTreeMap;

use crate::auth::sso::{Sso, SsoStatus};

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Oidc,
    Saml,
}

impl Protocol {
    const ALL: [Self; 2] = [Self::Oidc, Self::Saml];

    const fn name(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Saml => "saml",
        }
    }
}

/// The providers that are set up, by name.
#[derive(Debug, Clone, Default)]
pub struct Providers(BTreeMap<String, Protocol>);

impl FromIterator<(String, Protocol)> for Providers {
    fn from_iter<I: IntoIterator<Item = (String, Protocol)>>(providers: I) -> Self {
        Self(providers.into_iter().collect())
    }
}

impl Sso for Providers {
    fn status(&self) -> SsoStatus {
        let detail = match self.0.len() {
            0 => "no identity provider is set up; people sign in with e-mail and password".to_owned(),
            1 => "people may sign in through 1 identity provider".to_owned(),
            several => format!("people may sign in through {several} identity providers"),
        };
        SsoStatus {
            available: !self.0.is_empty(),
            detail,
            protocols: Protocol::ALL.map(|protocol| protocol.name().to_owned()).to_vec(),
            providers: self.0.iter().map(|(name, protocol)| format!("{name} ({})", protocol.name())).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_providers_are_set_up() {
        let none = Providers::default().status();
        assert!(!none.available && none.providers.is_empty());
        let two: Providers = [("okta".to_owned(), Protocol::Saml), ("entra".to_owned(), Protocol::Oidc)].into_iter().collect();
        let status = two.status();
        assert!(status.available);
        assert_eq!(status.providers, ["entra (oidc)", "okta (saml)"]);
        assert_eq!(status.protocols, ["oidc", "saml"]);
    }
}
