//! The two tokens of a session.
//!
//! The access token is a JWT. The refresh token is opaque to its holder: `brt_` and base64url of
//! session (16 bytes) | secret (32) | tag (16). The tag proves that we made it, so that an old token is told from a guessed one:
//! presenting an old one ends the session, guessing must not.
//!
//! At a rotation the secret of the successor is derived from the token it replaces, a salt kept in the session's row, and the
//! server's key. So the row needs no token in clear for the ten seconds in which the replaced token yields the same successor
//! again; neither the row without the token nor the token without the row and the key tells the successor; and the next
//! rotation overwrites the salt.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::keys::SigningKeys;
use super::secret::sha256_hex;
use super::{Error, KeyError};
use crate::common::id::{SessionId, UserId};

/// `aud` of our access tokens.
const AUDIENCE: &str = "brokle";
/// `aud` of what is given to somebody who knows the password and has yet to show the second factor.
const CHALLENGE_AUDIENCE: &str = "brokle-second-factor";
/// How long the second factor is waited for.
pub const CHALLENGE_TTL: TimeDelta = TimeDelta::minutes(5);
const PREFIX: &str = "brt_";
const SESSION: usize = 16;
const SECRET: usize = 32;
const TAG: usize = 16;

/// How tokens are made.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// `JWT_SECRET`, 32 bytes or more.
    pub secret: crate::config::Secret,
    /// `iss`.
    pub issuer: String,
    pub access_ttl: Duration,
    pub refresh_ttl: Duration,
    /// Sign access tokens.
    pub keys: SigningKeys,
}

impl TokenSettings {
    /// As configured; `secret` is the JWT_SECRET that counts.
    ///
    /// # Errors
    /// When a key cannot be used.
    pub fn configured(auth: &crate::config::Auth, secret: &crate::config::Secret) -> Result<Self, KeyError> {
        Ok(Self {
            secret: secret.clone(),
            issuer: auth.jwt_issuer.clone(),
            access_ttl: Duration::from_secs(auth.access_token_ttl_seconds),
            refresh_ttl: Duration::from_secs(auth.refresh_token_ttl_seconds),
            keys: SigningKeys::configured(auth, secret)?,
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ChallengeClaims {
    sub: UserId,
    /// Of the password that was shown: with another password the challenge is worth nothing.
    pwd: String,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    sid: SessionId,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// Makes and reads both tokens.
pub(super) struct Tokens {
    keys: SigningKeys,
    issuer: String,
    access_ttl: Duration,
    pub refresh_ttl: Duration,
    tag_key: [u8; 32],
    rotation_key: [u8; 32],
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Tokens {
    pub fn new(settings: &TokenSettings) -> Self {
        let secret = settings.secret.expose().as_bytes();
        Self {
            keys: settings.keys.clone(),
            issuer: settings.issuer.clone(),
            access_ttl: settings.access_ttl,
            refresh_ttl: settings.refresh_ttl,
            tag_key: blake3::derive_key("brokle 2026-11 refresh token tag", secret),
            rotation_key: blake3::derive_key("brokle 2026-11 refresh token rotation", secret),
        }
    }

    pub fn access_seconds(&self) -> u64 {
        self.access_ttl.as_secs()
    }

    pub fn access(&self, user: UserId, session: SessionId, now: DateTime<Utc>) -> Result<String, Error> {
        let claims = Claims {
            sub: user,
            sid: session,
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            iat: now.timestamp(),
            exp: (now + TimeDelta::from_std(self.access_ttl).unwrap_or_default()).timestamp(),
            jti: crate::common::id::fresh().to_string(),
        };
        self.keys.sign(&claims)
    }

    /// User and session of a token that we signed and that has not expired.
    pub fn read_access(&self, token: &str, now: DateTime<Utc>) -> Option<(UserId, SessionId)> {
        let claims: Claims = self.verify(token, AUDIENCE)?;
        (now.timestamp() < claims.exp).then_some((claims.sub, claims.sid))
    }

    /// What somebody gets who has shown the password and has yet to show the second factor.
    pub fn challenge(&self, user: UserId, password_hash: &str, now: DateTime<Utc>) -> Result<String, Error> {
        self.keys.sign(&ChallengeClaims {
            sub: user,
            pwd: fingerprint(password_hash),
            iss: self.issuer.clone(),
            aud: CHALLENGE_AUDIENCE.to_owned(),
            iat: now.timestamp(),
            exp: (now + CHALLENGE_TTL).timestamp(),
            jti: crate::common::id::fresh().to_string(),
        })
    }

    /// Whose challenge it is, and the fingerprint of the password that was shown.
    pub fn read_challenge(&self, token: &str, now: DateTime<Utc>) -> Option<(UserId, String)> {
        let claims: ChallengeClaims = self.verify(token, CHALLENGE_AUDIENCE)?;
        (now.timestamp() < claims.exp).then_some((claims.sub, claims.pwd))
    }

    fn verify<T: serde::de::DeserializeOwned + Clone>(&self, token: &str, audience: &str) -> Option<T> {
        self.keys.verify(token, |validation| {
            validation.set_audience(&[audience]);
            validation.set_issuer(&[&self.issuer]);
            validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        })
    }

    /// The first refresh token of a session.
    pub fn first_refresh(&self, session: SessionId) -> String {
        self.refresh(session, rand::random())
    }

    /// The token that replaces `token` in this rotation.
    pub fn successor(&self, session: SessionId, token: &str, salt: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.rotation_key);
        // Both are of fixed length, so the join is unambiguous.
        hasher.update(salt.as_bytes()).update(token.as_bytes());
        self.refresh(session, *hasher.finalize().as_bytes())
    }

    /// The session of a refresh token that we made, whatever became of it since.
    pub fn read_refresh(&self, token: &str) -> Option<SessionId> {
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        let (body, tag) = bytes.split_at_checked(SESSION + SECRET)?;
        let expected = blake3::keyed_hash(&self.tag_key, body);
        // blake3::Hash compares in constant time, but only whole: pad the tag with what it would have to be.
        let mut given = *expected.as_bytes();
        given.get_mut(..TAG)?.copy_from_slice(tag.get(..TAG).filter(|_| tag.len() == TAG)?);
        if expected != blake3::Hash::from_bytes(given) {
            return None;
        }
        let session: [u8; SESSION] = body.get(..SESSION)?.try_into().ok()?;
        Some(SessionId(Ulid::from_bytes(session)))
    }

    fn refresh(&self, session: SessionId, secret: [u8; SECRET]) -> String {
        let mut bytes = Vec::with_capacity(SESSION + SECRET + TAG);
        bytes.extend_from_slice(&session.0.to_bytes());
        bytes.extend_from_slice(&secret);
        let tag = blake3::keyed_hash(&self.tag_key, &bytes);
        bytes.extend(tag.as_bytes().iter().take(TAG));
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// Tells one password hash from another, and nothing about it.
pub(super) fn fingerprint(password_hash: &str) -> String {
    sha256_hex(password_hash).chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header};

    use super::*;

    fn tokens(secret: &str) -> Tokens {
        Tokens::new(&TokenSettings {
            keys: SigningKeys::shared(&secret.to_owned().into()),
            secret: secret.to_owned().into(),
            issuer: "brokle".to_owned(),
            access_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_hours(168),
        })
    }

    const ONE: &str = "one secret of thirty-two bytes, or more";
    const OTHER: &str = "another secret of thirty-two bytes, or so";

    #[test]
    fn an_access_token_is_good_for_fifteen_minutes() {
        let (tokens, now) = (tokens(ONE), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let (user, session) = (UserId::fresh(), SessionId::fresh());
        let token = tokens.access(user, session, now).unwrap();
        assert_eq!(tokens.read_access(&token, now), Some((user, session)));
        assert_eq!(tokens.read_access(&token, now + TimeDelta::seconds(899)), Some((user, session)));
        assert_eq!(tokens.read_access(&token, now + TimeDelta::seconds(900)), None);
    }

    #[test]
    fn access_tokens_of_others_are_refused() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let ours = tokens(ONE);
        assert_eq!(ours.read_access(&tokens(OTHER).access(UserId::fresh(), SessionId::fresh(), now).unwrap(), now), None);
        let ours_says = ours.access(UserId::fresh(), SessionId::fresh(), now).unwrap();
        let kid = jsonwebtoken::decode_header(&ours_says).unwrap().kid;
        let sign = |header: Header, claims: serde_json::Value| {
            let header = Header { kid: kid.clone(), ..header };
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(ONE.as_bytes())).unwrap()
        };
        let good = serde_json::json!({"sub": UserId::fresh(), "sid": SessionId::fresh(), "iss": "brokle", "aud": "brokle", "iat": 0, "exp": 9_999_999_999_u64, "jti": "x"});
        assert!(ours.read_access(&sign(Header::default(), good.clone()), now).is_some());
        for (claim, value) in [("iss", "someone"), ("aud", "elsewhere"), ("sub", "not an id")] {
            let mut claims = good.clone();
            claims[claim] = value.into();
            assert_eq!(ours.read_access(&sign(Header::default(), claims), now), None, "{claim}");
        }
        for claim in ["iss", "aud", "sub", "sid", "exp"] {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(claim);
            assert_eq!(ours.read_access(&sign(Header::default(), claims), now), None, "without {claim}");
        }
        assert_eq!(ours.read_access(&sign(Header::new(Algorithm::HS512), good.clone()), now), None, "another algorithm");
        let keyless = jsonwebtoken::encode(&Header::default(), &good, &EncodingKey::from_secret(ONE.as_bytes())).unwrap();
        assert_eq!(ours.read_access(&keyless, now), None, "names no key");
        let unsigned = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(serde_json::json!({"alg": "none", "typ": "JWT", "kid": kid}).to_string()),
            URL_SAFE_NO_PAD.encode(good.to_string())
        );
        assert_eq!(ours.read_access(&unsigned, now), None, "no signature");
    }

    #[test]
    fn a_challenge_is_no_access_token_and_the_other_way_round() {
        let (tokens, now) = (tokens(ONE), DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let user = UserId::fresh();
        let challenge = tokens.challenge(user, "hash", now).unwrap();
        assert_eq!(tokens.read_challenge(&challenge, now), Some((user, fingerprint("hash"))));
        assert_eq!(tokens.read_access(&challenge, now), None);
        assert_eq!(tokens.read_challenge(&tokens.access(user, SessionId::fresh(), now).unwrap(), now), None);
        assert!(tokens.read_challenge(&challenge, now + TimeDelta::seconds(299)).is_some());
        assert_eq!(tokens.read_challenge(&challenge, now + TimeDelta::seconds(300)), None);
        assert_ne!(fingerprint("hash"), fingerprint("other"));
    }

    #[test]
    fn a_refresh_token_names_its_session_and_cannot_be_forged() {
        let (tokens, session) = (tokens(ONE), SessionId::fresh());
        let token = tokens.first_refresh(session);
        assert_eq!(tokens.read_refresh(&token), Some(session));
        assert_ne!(token, tokens.first_refresh(session));
        for at in 4..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(tokens.read_refresh(std::str::from_utf8(&forged).unwrap()), None, "character {at}");
        }
        for wrong in ["", "brt_", "brt_AAAA", &token[..token.len() - 1], &format!("{token}A"), &token[4..]] {
            assert_eq!(tokens.read_refresh(wrong), None, "{wrong}");
        }
        assert_eq!(super::tests::tokens(OTHER).read_refresh(&token), None);
    }

    #[test]
    fn a_successor_depends_on_token_salt_and_key() {
        let (tokens, session) = (tokens(ONE), SessionId::fresh());
        let token = tokens.first_refresh(session);
        let successor = tokens.successor(session, &token, "salt");
        assert_eq!(successor, tokens.successor(session, &token, "salt"));
        assert_ne!(successor, tokens.successor(session, &token, "tlas"));
        assert_ne!(successor, tokens.successor(session, &tokens.first_refresh(session), "salt"));
        assert_ne!(successor, super::tests::tokens(OTHER).successor(session, &token, "salt"));
        assert_eq!(tokens.read_refresh(&successor), Some(session));
    }
}
