//! Accounts from their beginning: signing up, proving the e-mail address, changing and forgetting the password.
//!
//! None of these tells a stranger whether an address has an account: not by the answer, and not by the time it takes.

mod password;
mod sign_up;
mod verification;

pub use sign_up::{NewAccount, SignedUp};

use super::basis::Basis;
use super::session::Sessions;
use crate::organization::{Directory, Invitations};
use crate::settings::Settings;

/// The accounts of the installation; a clone shares everything.
#[derive(Debug, Clone)]
pub struct Accounts {
    basis: Basis,
    sessions: Sessions,
    settings: Settings,
    directory: Directory,
    invitations: Invitations,
}

impl Accounts {
    /// Kept where `basis` says.
    pub fn new(basis: Basis, sessions: Sessions, settings: Settings, directory: Directory, invitations: Invitations) -> Self {
        Self { basis, sessions, settings, directory, invitations }
    }
}
