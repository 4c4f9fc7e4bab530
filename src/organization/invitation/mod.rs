//! Invitations: how people become members of an organisation.
//!
//! An invitation is a mail with a link whose token is good once. Whoever has the token has read the mail, so it also proves that
//! the address is theirs.

mod answer;
mod model;
mod service;
mod store;
mod token;

pub use model::{Invitation, InvitationStatus, Invite, OpenInvitation, ProjectGrant};
pub use service::Invitations;
pub(super) use store::update_revoked_of;
