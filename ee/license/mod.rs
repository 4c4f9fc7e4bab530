//! The licence: a signed statement that is checked offline. Nothing is asked of any server, ever.
//!
//! A licence key is a JWT signed with Ed25519 (`alg` EdDSA): `iss` "brokle-license", `sub` holder, `plan`, `seats` (absent: without
//! limit), `iat`, `exp`. The private half of [`PUBLIC_KEY`] is held by whoever issues licences; a build for another issuer
//! replaces the constant.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::organization::license::{EnterpriseRequired, License, LicenseFacts, LicenseState, LicenseStatus};

/// The issuer's public key: 32 bytes of Ed25519 in base64url.
const PUBLIC_KEY: &str = "6HW7c0GZGNxYDXu15xp9dnMKM30LQYvghQ-vcePYM_E";
const ISSUER: &str = "brokle-license";
/// How long everything keeps working after the end: time to renew, not to panic.
const GRACE: TimeDelta = TimeDelta::days(14);

/// What the issuer states.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Statement {
    #[serde(rename = "sub")]
    holder: String,
    plan: String,
    seats: Option<u32>,
    iat: i64,
    exp: i64,
}

/// A licence key, read once.
#[derive(Debug, Clone)]
pub enum SignedLicense {
    Missing,
    /// Why it was refused.
    Invalid(String),
    Signed(Box<SignedFacts>),
}

/// A statement whose signature is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedFacts(Statement);

impl SignedLicense {
    /// Reads `key` with the issuer's key that is part of the program.
    pub fn embedded(key: &str) -> Self {
        Self::read(key, PUBLIC_KEY)
    }

    /// Reads `key`, signed by the holder of `public_key` (base64url of 32 bytes).
    pub fn read(key: &str, public_key: &str) -> Self {
        let key = key.trim();
        if key.is_empty() {
            return Self::Missing;
        }
        let verifying = match DecodingKey::from_ed_components(public_key) {
            Ok(verifying) => verifying,
            Err(error) => return Self::Invalid(format!("the issuer's key cannot be read ({error})")),
        };
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        // An expired licence is a state of its own, judged against our clock; the audience is whoever has it.
        validation.validate_exp = false;
        validation.validate_aud = false;
        match jsonwebtoken::decode::<Statement>(key, &verifying, &validation) {
            Ok(token) => Self::Signed(Box::new(SignedFacts(token.claims))),
            Err(error) => Self::Invalid(error.to_string()),
        }
    }

    fn judge(&self, now: DateTime<Utc>) -> LicenseFacts {
        let none = |state, detail| LicenseFacts {
            state,
            detail,
            holder: None,
            plan: None,
            seats: None,
            issued_at: None,
            expires_at: None,
            grace_until: None,
        };
        let SignedFacts(statement) = match self {
            Self::Missing => {
                return none(
                    LicenseState::Missing,
                    "no licence key: set BROKLE_ENTERPRISE_LICENSE_KEY to the key you were given and restart".to_owned(),
                );
            }
            Self::Invalid(reason) => {
                return none(
                    LicenseState::Invalid,
                    format!(
                        "the licence key is not valid ({reason}): copy it again, whole and on one line, or ask its issuer for a new one"
                    ),
                );
            }
            Self::Signed(facts) => &**facts,
        };
        let ends = DateTime::from_timestamp(statement.exp, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let grace_until = ends.checked_add_signed(GRACE).unwrap_or(ends);
        let day = |time: DateTime<Utc>| time.format("%Y-%m-%d");
        let (state, detail) = if now < ends {
            (LicenseState::Valid, format!("licensed to {} until {}", statement.holder, day(ends)))
        } else if now < grace_until {
            (
                LicenseState::Grace,
                format!("the licence expired on {}; everything keeps working until {}, renew it by then", day(ends), day(grace_until)),
            )
        } else {
            (LicenseState::Expired, format!("the licence expired on {}; ask its issuer for a new key", day(ends)))
        };
        LicenseFacts {
            state,
            detail,
            holder: Some(statement.holder.clone()),
            plan: Some(statement.plan.clone()),
            seats: statement.seats,
            issued_at: DateTime::from_timestamp(statement.iat, 0),
            expires_at: Some(ends),
            grace_until: Some(grace_until),
        }
    }
}

impl License for SignedLicense {
    fn status(&self, now: DateTime<Utc>) -> LicenseStatus {
        let LicenseFacts { state, detail, .. } = self.judge(now);
        LicenseStatus { available: matches!(state, LicenseState::Valid | LicenseState::Grace), detail, state }
    }

    fn facts(&self, now: DateTime<Utc>) -> Result<LicenseFacts, EnterpriseRequired> {
        Ok(self.judge(now))
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use super::*;

    /// A fresh key pair: for signing, and the public half in base64url.
    fn key_pair() -> (EncodingKey, String) {
        // PKCS #8 of an Ed25519 key is this prefix and 32 random bytes. Source: RFC 8410, section 7.
        let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
        der.extend(rand::random::<[u8; 32]>());
        let signing = EncodingKey::from_ed_der(&der);
        let AlgorithmParameters::OctetKeyPair(public) = Jwk::from_encoding_key(&signing, Algorithm::EdDSA).unwrap().algorithm else {
            panic!("not an Ed25519 key")
        };
        (signing, public.x)
    }

    const END: i64 = 1_800_000_000;

    fn key(signing: &EncodingKey) -> String {
        let statement = json!({"iss": ISSUER, "sub": "Acme GmbH", "plan": "scale", "seats": 50, "iat": END - 86_400 * 365, "exp": END});
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &statement, signing).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_signed_licence_tells_its_facts_until_it_expires() {
        let (signing, public) = key_pair();
        let license = SignedLicense::read(&key(&signing), &public);
        let facts = license.facts(at(END - 1)).unwrap();
        assert_eq!(facts.state, LicenseState::Valid);
        assert_eq!((facts.holder.as_deref(), facts.plan.as_deref(), facts.seats), (Some("Acme GmbH"), Some("scale"), Some(50)));
        assert_eq!(facts.expires_at, Some(at(END)));
        assert_eq!(license.facts(at(END)).unwrap().state, LicenseState::Grace);
        assert!(license.status(at(END + 14 * 86_400 - 1)).available);
        assert_eq!(license.facts(at(END + 14 * 86_400)).unwrap().state, LicenseState::Expired);
        assert!(!license.status(at(END + 14 * 86_400)).available);
    }

    #[test]
    fn a_licence_of_another_issuer_or_a_changed_one_is_refused() {
        let ((signing, _), (_, other_public)) = (key_pair(), key_pair());
        assert_eq!(SignedLicense::read(&key(&signing), &other_public).facts(at(0)).unwrap().state, LicenseState::Invalid);
        assert_eq!(SignedLicense::embedded(&key(&signing)).facts(at(0)).unwrap().state, LicenseState::Invalid);
        let (signing, public) = key_pair();
        let good = key(&signing);
        let parts: Vec<&str> = good.split('.').collect();
        let raised = hex::encode(parts[1]);
        let forged = format!("{}.{raised}.{}", parts[0], parts[2]);
        assert_eq!(SignedLicense::read(&forged, &public).facts(at(0)).unwrap().state, LicenseState::Invalid);
    }

    #[test]
    fn a_key_signed_with_a_shared_secret_is_refused() {
        // The classic confusion: HS256 with the public key as the secret.
        let (_, public) = key_pair();
        let statement = json!({"iss": ISSUER, "sub": "x", "plan": "x", "iat": 0, "exp": END});
        let forged =
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &statement, &EncodingKey::from_secret(public.as_bytes())).unwrap();
        assert_eq!(SignedLicense::read(&forged, &public).facts(at(0)).unwrap().state, LicenseState::Invalid);
    }

    #[test]
    fn a_missing_key_says_what_to_do() {
        let facts = SignedLicense::embedded("  ").facts(at(0)).unwrap();
        assert_eq!(facts.state, LicenseState::Missing);
        assert!(facts.detail.contains("BROKLE_ENTERPRISE_LICENSE_KEY"));
    }
}
