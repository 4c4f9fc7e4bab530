//! One entry of a telemetry stream: an accepted request on its way to a worker.

use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::common::id::{OrganizationId, ProjectId};
use crate::observability::ingest::{PartialSuccess, Tenant};

/// The form of the body: zstd over an OTLP protobuf request.
const ENCODING: &str = "otlp+zstd";
/// What a body may grow to when it is unpacked; servers refuse larger ones.
const MAX_DECODED: usize = 1 << 30;

/// An accepted request, as fields of a stream entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub tenant: Tenant,
    pub environment: Option<String>,
    /// Microseconds of first receipt: the version of the rows, so a redelivery cannot pass for news.
    pub received_at_us: u64,
    pub spans: usize,
    /// zstd over `ExportTraceServiceRequest`.
    pub body: Vec<u8>,
    /// Of the request, for the repeat check; not part of the entry.
    pub digest: [u8; 32],
    /// The answer that a repeat gets; not part of the entry.
    pub partial: PartialSuccess,
}

/// An entry that cannot be read: its own fault, so a dead letter.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    #[error("field `{0}` is missing or cannot be read")]
    Field(&'static str),
    #[error("encoding `{0}` is not known to this version")]
    Encoding(String),
    #[error("the body is not valid zstd: {0}")]
    Zstd(String),
    #[error("the body is not a valid OTLP request: {0}")]
    Protobuf(#[from] prost::DecodeError),
}

impl Entry {
    /// The fields of XADD, in order.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("project", self.tenant.project_id.to_string().into_bytes()),
            ("organization", self.tenant.organization_id.to_string().into_bytes()),
            ("received_at", self.received_at_us.to_string().into_bytes()),
            ("environment", self.environment.clone().unwrap_or_default().into_bytes()),
            ("spans", self.spans.to_string().into_bytes()),
            ("encoding", ENCODING.as_bytes().to_vec()),
            ("body", self.body.clone()),
        ]
    }

    /// Reads the fields of an entry back.
    ///
    /// # Errors
    /// When a field is missing or damaged.
    pub fn from_fields(mut fields: HashMap<String, Vec<u8>>) -> Result<Self, EntryError> {
        let mut text = |name: &'static str| -> Result<String, EntryError> {
            fields.remove(name).and_then(|value| String::from_utf8(value).ok()).ok_or(EntryError::Field(name))
        };
        let encoding = text("encoding")?;
        if encoding != ENCODING {
            return Err(EntryError::Encoding(encoding));
        }
        let project_id: ProjectId = text("project")?.parse().map_err(|_| EntryError::Field("project"))?;
        let organization_id: OrganizationId = text("organization")?.parse().map_err(|_| EntryError::Field("organization"))?;
        let received_at_us = text("received_at")?.parse().map_err(|_| EntryError::Field("received_at"))?;
        let environment = Some(text("environment")?).filter(|environment| !environment.is_empty());
        let spans = text("spans")?.parse().map_err(|_| EntryError::Field("spans"))?;
        let body = fields.remove("body").ok_or(EntryError::Field("body"))?;
        Ok(Self {
            tenant: Tenant { project_id, organization_id },
            environment,
            received_at_us,
            spans,
            body,
            digest: [0; 32],
            partial: PartialSuccess::default(),
        })
    }

    /// Unpacks the request. Blocks while it computes.
    ///
    /// # Errors
    /// When the body is damaged.
    pub fn decode(&self) -> Result<ExportTraceServiceRequest, EntryError> {
        let decoder = zstd::stream::read::Decoder::new(&self.body[..]).map_err(|error| EntryError::Zstd(error.to_string()))?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(decoder, MAX_DECODED as u64), &mut bytes)
            .map_err(|error| EntryError::Zstd(error.to_string()))?;
        Ok(ExportTraceServiceRequest::decode(bytes.as_slice())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(body: Vec<u8>) -> Entry {
        Entry {
            tenant: Tenant { project_id: ProjectId::fresh(), organization_id: OrganizationId::fresh() },
            environment: Some("staging".to_owned()),
            received_at_us: 1_700_000_000_000_000,
            spans: 3,
            body,
            digest: [0; 32],
            partial: PartialSuccess::default(),
        }
    }

    fn fields(entry: &Entry) -> HashMap<String, Vec<u8>> {
        entry.fields().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn fields_read_back() {
        let entry = entry(zstd::bulk::compress(&ExportTraceServiceRequest::default().encode_to_vec(), 1).unwrap());
        let back = Entry::from_fields(fields(&entry)).unwrap();
        assert_eq!(back, entry);
        assert_eq!(back.decode().unwrap(), ExportTraceServiceRequest::default());
    }

    #[test]
    fn damage_is_named() {
        let good = entry(b"not zstd".to_vec());
        assert!(matches!(Entry::from_fields(fields(&good)).unwrap().decode(), Err(EntryError::Zstd(_))));
        let mut without = fields(&good);
        without.remove("project");
        assert!(matches!(Entry::from_fields(without), Err(EntryError::Field("project"))));
        let mut later = fields(&good);
        later.insert("encoding".to_owned(), b"otlp+brotli".to_vec());
        assert!(matches!(Entry::from_fields(later), Err(EntryError::Encoding(_))));
        let noise = entry(zstd::bulk::compress(&[0xff; 40], 1).unwrap());
        assert!(matches!(noise.decode(), Err(EntryError::Protobuf(_))));
    }
}
