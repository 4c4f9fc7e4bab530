//! Key pairs and their rotation. Keys are made by `openssl`, as people make theirs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use crate::auth::token::Tokens;
use crate::auth::{KeyError, TokenSettings};
use crate::common::id::{SessionId, UserId};
use crate::config::{Config, Environment};

const SECRET: &str = "one secret of thirty-two bytes, or more";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

struct Pair {
    private: PathBuf,
    public: PathBuf,
}

fn openssl(arguments: &[&str]) {
    let done = Command::new("openssl").args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn pair(directory: &Path, name: &str, method: &str) -> Pair {
    let (private, public) = (directory.join(format!("{name}.key")), directory.join(format!("{name}.pub")));
    let kind: &[&str] =
        if method == "RS256" { &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] } else { &["-algorithm", "ED25519"] };
    openssl(&[&["genpkey"][..], kind, &["-out", private.to_str().unwrap()]].concat());
    openssl(&["pkey", "-in", private.to_str().unwrap(), "-pubout", "-out", public.to_str().unwrap()]);
    Pair { private, public }
}

fn configured(set: &[(&str, &str)]) -> Result<Tokens, KeyError> {
    let environment: Environment = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let config = Config::load(&environment).unwrap();
    TokenSettings::configured(&config.auth, &SECRET.to_owned().into()).map(|settings| Tokens::new(&settings))
}

fn by_files(method: &str, pair: &Pair, more: &[(&str, &str)]) -> Result<Tokens, KeyError> {
    let files = [
        ("JWT_SIGNING_METHOD", method),
        ("JWT_PRIVATE_KEY_PATH", pair.private.to_str().unwrap()),
        ("JWT_PUBLIC_KEY_PATH", pair.public.to_str().unwrap()),
    ];
    configured(&[&files[..], more].concat())
}

fn token(tokens: &Tokens) -> String {
    tokens.access(UserId::fresh(), SessionId::fresh(), now()).unwrap()
}

fn good(tokens: &Tokens, token: &str) -> bool {
    tokens.read_access(token, now()).is_some()
}

#[test]
fn key_pairs_sign_and_verify() {
    let dir = tempfile::tempdir().unwrap();
    for (method, name) in [("RS256", "RS256"), ("EdDSA", "EdDSA")] {
        let (own, other) = (pair(dir.path(), &format!("{name}-1"), method), pair(dir.path(), &format!("{name}-2"), method));
        let ours = by_files(method, &own, &[]).unwrap();
        let signed = token(&ours);
        let header = jsonwebtoken::decode_header(&signed).unwrap();
        assert_eq!(format!("{:?}", header.alg), method);
        assert_eq!(header.kid.as_ref().map(String::len), Some(16));
        assert!(good(&ours, &signed));
        assert!(ours.read_access(&signed, now() + Duration::from_mins(15)).is_none(), "it expires");
        assert!(!good(&by_files(method, &other, &[]).unwrap(), &signed), "of another pair");
        assert!(!good(&configured(&[]).unwrap(), &signed), "of another method");
        assert!(!good(&ours, &token(&configured(&[]).unwrap())), "the shared secret is no key any more");

        let text = |path: &Path| STANDARD.encode(std::fs::read(path).unwrap());
        let by_text = configured(&[
            ("JWT_SIGNING_METHOD", method),
            ("JWT_PRIVATE_KEY_BASE64", &text(&own.private)),
            ("JWT_PUBLIC_KEY_BASE64", &text(&own.public)),
        ]);
        assert!(good(&by_text.unwrap(), &signed), "the same keys without files");
    }
}

#[test]
fn a_public_key_never_becomes_a_shared_secret() {
    let dir = tempfile::tempdir().unwrap();
    let own = pair(dir.path(), "own", "RS256");
    let ours = by_files("RS256", &own, &[]).unwrap();
    let header = jsonwebtoken::decode_header(token(&ours)).unwrap();
    let claims = serde_json::json!({"sub": UserId::fresh(), "sid": SessionId::fresh(), "iss": "brokle", "aud": "brokle", "iat": 0, "exp": 9_999_999_999_u64, "jti": "x"});
    let forged = jsonwebtoken::encode(
        &jsonwebtoken::Header { kid: header.kid, ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256) },
        &claims,
        &jsonwebtoken::EncodingKey::from_secret(&std::fs::read(&own.public).unwrap()),
    );
    assert!(!good(&ours, &forged.unwrap()));
}

#[test]
fn keys_are_rotated_without_signing_anybody_out() {
    let dir = tempfile::tempdir().unwrap();
    let accepted = dir.path().join("accepted");
    std::fs::create_dir(&accepted).unwrap();
    let more = [("JWT_VERIFICATION_KEYS_PATH", accepted.to_str().unwrap())];
    let (old, new) = (pair(dir.path(), "old", "RS256"), pair(dir.path(), "new", "EdDSA"));
    // The next public key first, then the private one.
    std::fs::copy(&new.public, accepted.join("new.pem")).unwrap();
    std::fs::write(accepted.join("README"), "what is no .pem is left alone").unwrap();
    let before = by_files("RS256", &old, &more).unwrap();
    std::fs::copy(&old.public, accepted.join("old.pem")).unwrap();
    let after = by_files("EdDSA", &new, &more).unwrap();
    let (first, second) = (token(&before), token(&after));
    for tokens in [&before, &after] {
        assert!(good(tokens, &first) && good(tokens, &second));
    }
    std::fs::remove_file(accepted.join("old.pem")).unwrap();
    let last = by_files("EdDSA", &new, &more).unwrap();
    assert!(!good(&last, &first) && good(&last, &second));
}

#[test]
fn shared_secrets_are_rotated_too() {
    let before = configured(&[]).unwrap();
    let next = |previous: &str| {
        let environment: Environment = [("JWT_PREVIOUS_SECRETS".to_owned(), previous.to_owned())].into_iter().collect();
        let config = Config::load(&environment).unwrap();
        let settings = TokenSettings::configured(&config.auth, &"another secret of thirty-two bytes, or so".to_owned().into());
        Tokens::new(&settings.unwrap())
    };
    let signed = token(&before);
    assert!(!good(&next(""), &signed));
    let plain = "a-secret-without-any-comma-of-32-bytes";
    let config = Config::load(&Environment::default()).unwrap();
    let old = Tokens::new(&TokenSettings::configured(&config.auth, &plain.to_owned().into()).unwrap());
    assert!(good(&next(&format!("older-still , {plain}")), &token(&old)));
}

#[test]
fn keys_of_no_use_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (rsa, ed) = (pair(dir.path(), "rsa", "RS256"), pair(dir.path(), "ed", "EdDSA"));
    let other = pair(dir.path(), "other", "RS256");
    let mixed = Pair { private: rsa.private.clone(), public: other.public };
    assert!(matches!(by_files("RS256", &mixed, &[]), Err(KeyError::NoPair)));
    assert!(matches!(by_files("EdDSA", &rsa, &[]), Err(KeyError::NotAKey { .. })));
    assert!(matches!(by_files("RS256", &ed, &[]), Err(KeyError::NotAKey { .. })));
    let both_private = Pair { private: rsa.private.clone(), public: rsa.private.clone() };
    assert!(matches!(by_files("RS256", &both_private, &[]), Err(KeyError::NotAKey { what: "public", .. })));
    let missing = Pair { private: dir.path().join("nowhere"), public: rsa.public.clone() };
    let text = by_files("RS256", &missing, &[]).map(|_| ()).unwrap_err().to_string();
    assert!(text.contains("JWT_PRIVATE_KEY_PATH") && text.contains("nowhere"), "{text}");
    let accepted = dir.path().join("accepted");
    std::fs::create_dir(&accepted).unwrap();
    std::fs::copy(&rsa.private, accepted.join("private.pem")).unwrap();
    let text = by_files("RS256", &rsa, &[("JWT_VERIFICATION_KEYS_PATH", accepted.to_str().unwrap())]).map(|_| ()).unwrap_err().to_string();
    assert!(text.contains("private.pem"), "a private key does not belong there: {text}");
}

#[test]
fn a_method_without_its_keys_is_found_by_the_check_of_the_configuration() {
    for (set, named) in [
        (&[("JWT_SIGNING_METHOD", "ES512")][..], "JWT_SIGNING_METHOD"),
        (&[("JWT_SIGNING_METHOD", "RS256")], "JWT_PRIVATE_KEY_PATH"),
        (&[("JWT_SIGNING_METHOD", "EdDSA"), ("JWT_PRIVATE_KEY_PATH", "/x")], "JWT_PUBLIC_KEY_PATH"),
        (&[("AI_KEY_ENCRYPTION_KEY", "short")], "AI_KEY_ENCRYPTION_KEY"),
        (&[("LOGIN_FREE_FAILURES", "0")], "LOGIN_FREE_FAILURES"),
        (&[("LOGIN_IP_LOCK_FAILURES", "3")], "LOGIN_IP_LOCK_FAILURES"),
    ] {
        let environment: Environment = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let text = Config::load(&environment).map(|_| ()).unwrap_err().to_string();
        assert!(text.contains(named), "{text}");
    }
}
