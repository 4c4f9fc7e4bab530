//! Where a request comes from, as far as it is worth remembering.

use std::net::IpAddr;

/// The address, the program and the id of a request. Nothing of it where an operator or the process itself acts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}
