//! What the people and models of the demo say. Companies, people and cases are made up.

pub(super) mod coding;
pub(super) mod conversation;
pub(super) mod legal;
pub(super) mod support;
pub(super) mod travel;
