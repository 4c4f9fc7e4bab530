//! The secrets of the process: configured, or made once and kept in the data directory of a standalone installation.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::auth::TokenSettings;
use crate::common::id::fresh;
use crate::config::{Config, Role, Secret};
use crate::infra::crypto::Sealer;

const FILE: &str = "secrets.env";
const JWT_SECRET: &str = "JWT_SECRET";
const AI_KEY_ENCRYPTION_KEY: &str = "AI_KEY_ENCRYPTION_KEY";

/// What must not change between two starts.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Signs access tokens and tags refresh tokens.
    pub jwt_secret: Secret,
    /// Seals stored credentials; may be empty on servers.
    pub encryption_key: Secret,
}

impl Secrets {
    /// The configured ones; what is missing comes from the data directory in a standalone installation, where it is made once.
    pub(super) fn of(config: &Config) -> anyhow::Result<Self> {
        let configured = Self { jwt_secret: config.auth.jwt_secret.clone(), encryption_key: config.secrets.ai_key_encryption_key.clone() };
        if config.role != Role::Standalone {
            return Ok(configured);
        }
        let kept = Self::kept(&config.data.dir)?;
        let either = |configured: Secret, kept: Secret| if configured.is_empty() { kept } else { configured };
        Ok(Self {
            jwt_secret: either(configured.jwt_secret, kept.jwt_secret),
            encryption_key: either(configured.encryption_key, kept.encryption_key),
        })
    }

    /// How tokens are made with them.
    ///
    /// # Errors
    /// When a configured key cannot be used.
    pub fn token_settings(&self, config: &Config) -> anyhow::Result<TokenSettings> {
        Ok(TokenSettings::configured(&config.auth, &self.jwt_secret)?)
    }

    /// What seals stored credentials.
    ///
    /// # Errors
    /// When the key is not one.
    pub fn sealer(&self) -> anyhow::Result<Sealer> {
        Ok(Sealer::configured(&self.encryption_key)?)
    }

    fn kept(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        let read = || fs::read_to_string(&path);
        match read() {
            Ok(text) => Self::parse(&text, &path),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(dir, &path).with_context(|| format!("cannot keep secrets in {}", path.display()))?;
                Self::parse(&read()?, &path)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read the secrets in {}", path.display())),
        }
    }

    fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        let value =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default().trim().to_owned();
        let (jwt, ai) = (value(JWT_SECRET), value(AI_KEY_ENCRYPTION_KEY));
        if jwt.len() < 32 {
            bail!(
                "{} has no {JWT_SECRET} of 32 bytes or more; restore the file, or remove it to have it made anew (everybody signs in again then)",
                path.display()
            );
        }
        // Made with the rest, so that one backup of this file is enough from the first day.
        if STANDARD.decode(&ai).map_or(true, |bytes| bytes.len() != 32) {
            bail!(
                "{} has no {AI_KEY_ENCRYPTION_KEY} (base64 of 32 bytes); restore the file: credentials that were stored cannot be read without it",
                path.display()
            );
        }
        Ok(Self { jwt_secret: jwt.into(), encryption_key: ai.into() })
    }
}

/// Written aside and linked into place, so that the file is whole or not there; whoever comes second reads the first's.
fn make(dir: &Path, path: &Path) -> std::io::Result<()> {
    let random = |bytes: &[u8]| STANDARD.encode(bytes);
    let text = format!(
        "# The secrets of this installation. Keep a copy with your backups; never share it.\n{JWT_SECRET}={}\n{AI_KEY_ENCRYPTION_KEY}={}\n",
        random(&[rand::random::<[u8; 24]>(), rand::random()].concat()),
        random(&rand::random::<[u8; 32]>()),
    );
    let aside = write_private(dir, FILE, &text)?;
    let linked = fs::hard_link(&aside, path);
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => File::open(dir)?.sync_all(),
    }
}

/// Writes a file that only its owner may read, under a name of its own beside `name`, through to the disk.
pub(super) fn write_private(dir: &Path, name: &str, text: &str) -> std::io::Result<PathBuf> {
    let path = dir.join(format!(".{name}.{}", fresh()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(path)
}
