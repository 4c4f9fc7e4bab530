//! The log as a file, written page by page: however long it is, one page of it is in memory.

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Audit, AuditFilter, AuditLine};
use crate::common::id::AuditId;
use crate::error::ApiError;

/// Lines read at a time.
const PAGE: u64 = 500;

const HEADER: [&str; 17] = [
    "id",
    "created_at",
    "actor_type",
    "actor_id",
    "actor_email",
    "action",
    "outcome",
    "target_type",
    "target_id",
    "target_name",
    "organization_id",
    "project_id",
    "ip_address",
    "user_agent",
    "request_id",
    "before",
    "after",
];

/// The form of an exported log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Csv,
    /// One array of objects.
    Json,
}

impl Format {
    /// What the file's name ends in.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

/// Where an export stands.
enum Place {
    Start,
    After(AuditId),
    End,
}

impl Audit {
    /// The lines of `filter` as the parts of a file, newest first.
    pub fn export(&self, filter: AuditFilter, format: Format) -> impl Stream<Item = Result<Bytes, ApiError>> + use<> {
        let audit = self.clone();
        try_unfold((audit, filter, Place::Start), move |(audit, filter, place)| async move {
            let (after, first) = match place {
                Place::Start => (None, true),
                Place::After(id) => (Some(id), false),
                Place::End => return Ok(None),
            };
            let lines = audit.list(&filter, PAGE, after).await?;
            // A page that is not full is the last one.
            let next = lines.last().filter(|_| lines.len() as u64 == PAGE).map_or(Place::End, |line| Place::After(line.id));
            let last = matches!(next, Place::End);
            let part = match format {
                Format::Csv => csv_part(&lines, first)?,
                Format::Json => json_part(&lines, first, last)?,
            };
            Ok(Some((Bytes::from(part), (audit, filter, next))))
        })
    }
}

fn csv_part(lines: &[AuditLine], first: bool) -> Result<Vec<u8>, ApiError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let failed = |error: csv::Error| ApiError::internal(format!("a line of the audit log cannot be written as CSV: {error}"));
    if first {
        writer.write_record(HEADER).map_err(failed)?;
    }
    for line in lines {
        writer.write_record(cells(line).iter().map(|cell| harmless(cell))).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| ApiError::internal(error.to_string()))
}

fn cells(line: &AuditLine) -> [String; 17] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        line.id.to_string(),
        line.created_at.to_rfc3339(),
        line.actor_type.clone(),
        text(&line.actor_id),
        text(&line.actor_email),
        line.action.clone(),
        line.outcome.clone(),
        line.target_type.clone(),
        text(&line.target_id),
        text(&line.target_name),
        line.organization_id.map(|id| id.to_string()).unwrap_or_default(),
        line.project_id.map(|id| id.to_string()).unwrap_or_default(),
        text(&line.ip_address),
        text(&line.user_agent),
        text(&line.request_id),
        line.before.as_ref().map(ToString::to_string).unwrap_or_default(),
        line.after.as_ref().map(ToString::to_string).unwrap_or_default(),
    ]
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

fn json_part(lines: &[AuditLine], first: bool, last: bool) -> Result<Vec<u8>, ApiError> {
    let mut part = if first { b"[".to_vec() } else { Vec::new() };
    for (number, line) in lines.iter().enumerate() {
        part.extend_from_slice(if first && number == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut part, line).map_err(ApiError::internal)?;
    }
    if last {
        part.extend_from_slice(b"\n]\n");
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        assert_eq!(harmless("member.update"), "member.update");
    }

    #[test]
    fn an_empty_log_is_an_empty_file_of_its_kind() {
        assert_eq!(csv_part(&[], true).unwrap(), format!("{}\r\n", HEADER.join(",")).into_bytes());
        let nothing: serde_json::Value = serde_json::from_slice(&json_part(&[], true, true).unwrap()).unwrap();
        assert_eq!(nothing, serde_json::json!([]));
    }
}
