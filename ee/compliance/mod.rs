//! Compliance: what an auditor finds in this installation.

use crate::organization::compliance::{Compliance, ComplianceStatus};

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
            format!("telemetry, deleted after {} days", self.retention_days),
        ];
        ComplianceStatus { available: true, detail: "access records and retention as listed".to_owned(), covers }
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
