//! Compliance: what an auditor finds in this installation.

use crate::audit::compliance::{Compliance, ComplianceStatus};
use crate::audit::{By, Event};

/// The records that are kept.
#[derive(Debug, Clone, Copy)]
pub struct Records {
    /// Days that telemetry is kept.
    pub retention_days: u16,
}

impl Compliance for Records {
    fn status(&self) -> ComplianceStatus {
        // Only what the program does; plans do not belong here.
        let covers = vec![
            "sessions with address and device, kept after their end with its reason".to_owned(),
            "API keys with maker and last use, kept after their revocation".to_owned(),
            "changes of members, roles, keys and settings, in the audit log and in the process log (target `audit`)".to_owned(),
            format!("telemetry, deleted after {} days", self.retention_days),
        ];
        ComplianceStatus { available: true, detail: "access records and retention as listed".to_owned(), covers }
    }

    /// A line for whoever collects the process log: what is deleted from the database stays there.
    fn recorded(&self, by: &By, event: &Event) {
        let text = |value: Option<String>| value.unwrap_or_default();
        tracing::info!(
            target: "audit",
            action = event.action,
            outcome = event.outcome.name(),
            actor.kind = by.actor.kind(),
            actor.id = text(by.actor.id()),
            target.kind = event.target.kind,
            target.id = text(event.target.id.clone()),
            organization.id = text(event.organization.map(|id| id.to_string())),
            project.id = text(event.project.map(|id| id.to_string())),
            client.ip = text(by.origin.ip.map(|ip| ip.to_string())),
            request.id = text(by.origin.request_id.clone()),
            "audit"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_it_covers() {
        let status = Records { retention_days: 90 }.status();
        assert!(status.available);
        assert!(status.covers.iter().any(|line| line.contains("90 days")));
    }
}
