//! The keys that sign access tokens, and those whose tokens are accepted.
//!
//! Each has an id (`kid`) made from the key itself, so that keys are replaced without a moment in which good tokens are refused:
//! the next public key is given to every server first, then the private one is changed, and the old public key is taken away once
//! its last token has expired.

use std::fmt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::config::{Auth, Secret};

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{name}: cannot read {path}: {cause}")]
    Unreadable { name: &'static str, path: String, cause: String },
    #[error("{0}: not base64 of a PEM text")]
    NotBase64(&'static str),
    #[error("{name}: no {what} key in PEM form: {cause}")]
    NotAKey { name: String, what: &'static str, cause: String },
    #[error("the private and the public key of JWT_SIGNING_METHOD do not belong together")]
    NoPair,
    #[error("JWT_SIGNING_METHOD `{0}` is not known: HS256, RS256 or EdDSA")]
    UnknownMethod(String),
}

#[derive(Clone)]
struct Accepted {
    kid: String,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// The key that signs, and all that are accepted; prints as the ids.
#[derive(Clone)]
pub struct SigningKeys {
    kid: String,
    algorithm: Algorithm,
    signing: EncodingKey,
    accepted: Vec<Accepted>,
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accepted: Vec<_> = self.accepted.iter().map(|key| &key.kid).collect();
        f.debug_struct("SigningKeys")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .field("accepted", &accepted)
            .finish_non_exhaustive()
    }
}

impl SigningKeys {
    /// HS256: everybody who verifies can sign.
    #[must_use]
    pub fn shared(secret: &Secret) -> Self {
        let own = shared_key(secret.expose());
        let signing = EncodingKey::from_secret(secret.expose().as_bytes());
        Self { kid: own.kid.clone(), algorithm: Algorithm::HS256, signing, accepted: vec![own] }
    }

    /// A pair of keys in PEM form.
    ///
    /// # Errors
    /// When one is no key of its kind, or they are no pair.
    pub fn pair(algorithm: Algorithm, private: &str, public: &str) -> Result<Self, KeyError> {
        let not = |what: &'static str, cause: jsonwebtoken::errors::Error| KeyError::NotAKey {
            name: format!("JWT_{}_KEY", what.to_uppercase()),
            what,
            cause: cause.to_string(),
        };
        let signing = if algorithm == Algorithm::EdDSA {
            EncodingKey::from_ed_pem(private.as_bytes())
        } else {
            EncodingKey::from_rsa_pem(private.as_bytes())
        };
        let signing = signing.map_err(|error| not("private", error))?;
        let own = public_key(algorithm, public).map_err(|cause| KeyError::NotAKey {
            name: "JWT_PUBLIC_KEY".to_owned(),
            what: "public",
            cause,
        })?;
        let keys = Self { kid: own.kid.clone(), algorithm, signing, accepted: vec![own] };
        let proof = serde_json::json!({"aud": "proof"});
        let read =
            keys.sign(&proof).map(|token| keys.verify::<serde_json::Value>(&token, |validation| validation.set_audience(&["proof"])));
        if matches!(read, Ok(Some(_))) { Ok(keys) } else { Err(KeyError::NoPair) }
    }

    /// The configured ones; `secret` is the JWT_SECRET that counts.
    ///
    /// # Errors
    /// Names the variable and what is wrong with it.
    pub fn configured(auth: &Auth, secret: &Secret) -> Result<Self, KeyError> {
        let mut keys = match auth.jwt_signing_method.as_str() {
            "HS256" => Self::shared(secret),
            method @ ("RS256" | "EdDSA") => {
                let algorithm = if method == "RS256" { Algorithm::RS256 } else { Algorithm::EdDSA };
                let private = pem(
                    ("JWT_PRIVATE_KEY_PATH", &auth.jwt_private_key_path),
                    ("JWT_PRIVATE_KEY_BASE64", auth.jwt_private_key_base64.expose()),
                )?;
                let public =
                    pem(("JWT_PUBLIC_KEY_PATH", &auth.jwt_public_key_path), ("JWT_PUBLIC_KEY_BASE64", &auth.jwt_public_key_base64))?;
                Self::pair(algorithm, &private, &public)?
            }
            other => return Err(KeyError::UnknownMethod(other.to_owned())),
        };
        let previous = auth.jwt_previous_secrets.expose().split(',').map(str::trim).filter(|secret| !secret.is_empty());
        keys.accept(previous.map(shared_key));
        if !auth.jwt_verification_keys_path.is_empty() {
            keys.accept(directory(Path::new(&auth.jwt_verification_keys_path))?);
        }
        Ok(keys)
    }

    fn accept(&mut self, more: impl IntoIterator<Item = Accepted>) {
        for key in more {
            if !self.accepted.iter().any(|known| known.kid == key.kid) {
                self.accepted.push(key);
            }
        }
    }

    /// Signs `claims`.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, super::Error> {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, claims, &self.signing)
            .map_err(|error| super::Error::Internal(format!("cannot sign a token: {error}")))
    }

    /// The claims of a token that one of the accepted keys signed. A token that names no key of ours is refused untried: so nobody
    /// chooses the key, or the algorithm, that it is checked with.
    pub(super) fn verify<T: DeserializeOwned + Clone>(&self, token: &str, rules: impl FnOnce(&mut Validation)) -> Option<T> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.accepted.iter().find(|key| key.kid == kid)?;
        let mut validation = Validation::new(key.algorithm);
        // The library would look at the machine's clock; the caller looks at ours.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        rules(&mut validation);
        Some(jsonwebtoken::decode::<T>(token, &key.key, &validation).ok()?.claims)
    }
}

fn shared_key(secret: &str) -> Accepted {
    // Of a derived value: a hash of the secret itself would help to guess a weak one.
    let kid = kid(&blake3::derive_key("brokle 2026-11 id of a shared token key", secret.as_bytes()));
    Accepted { kid, algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret.as_bytes()) }
}

fn kid(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes)).chars().take(16).collect()
}

fn public_key(algorithm: Algorithm, text: &str) -> Result<Accepted, String> {
    // The library takes the public half of a private RSA key, too; a private key does not belong here.
    if !text.contains("PUBLIC KEY-----") {
        return Err("it is not marked PUBLIC KEY".to_owned());
    }
    let key =
        if algorithm == Algorithm::EdDSA { DecodingKey::from_ed_pem(text.as_bytes()) } else { DecodingKey::from_rsa_pem(text.as_bytes()) };
    let der = der(text).ok_or("it is not base64 between BEGIN and END")?;
    Ok(Accepted { kid: kid(&der), algorithm, key: key.map_err(|error| error.to_string())? })
}

/// What a PEM text holds.
fn der(text: &str) -> Option<Vec<u8>> {
    let body: String = text
        .lines()
        .map(str::trim)
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    STANDARD.decode(body).ok().filter(|der| !der.is_empty())
}

/// A PEM text from a file, or from base64.
fn pem((path_name, path): (&'static str, &str), (text_name, text): (&'static str, &str)) -> Result<String, KeyError> {
    if !path.is_empty() {
        return std::fs::read_to_string(path).map_err(|error| unreadable(path_name, Path::new(path), &error));
    }
    let bytes = STANDARD.decode(text.trim()).map_err(|_| KeyError::NotBase64(text_name))?;
    String::from_utf8(bytes).map_err(|_| KeyError::NotBase64(text_name))
}

fn directory(path: &Path) -> Result<Vec<Accepted>, KeyError> {
    const NAME: &str = "JWT_VERIFICATION_KEYS_PATH";
    let mut keys = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(NAME, path, &error))? {
        let file = entry.map_err(|error| unreadable(NAME, path, &error))?.path();
        if file.extension().is_none_or(|ending| ending != "pem") {
            continue;
        }
        let text = std::fs::read_to_string(&file).map_err(|error| unreadable(NAME, &file, &error))?;
        let key = public_key(Algorithm::EdDSA, &text).or_else(|_| public_key(Algorithm::RS256, &text));
        keys.push(key.map_err(|cause| KeyError::NotAKey { name: format!("{NAME}: {}", file.display()), what: "public", cause })?);
    }
    Ok(keys)
}

fn unreadable(name: &'static str, path: &Path, cause: &std::io::Error) -> KeyError {
    KeyError::Unreadable { name, path: path.display().to_string(), cause: cause.to_string() }
}
