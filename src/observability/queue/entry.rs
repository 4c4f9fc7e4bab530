//! One entry of a telemetry stream: an accepted request on its way to a worker.

use std::collections::HashMap;

use actix_web::web::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use crate::common::id::{OrganizationId, ProjectId};
use crate::observability::ingest::{PartialSuccess, Tenant};
use crate::observability::otlp;

/// The form of the body: zstd over an OTLP protobuf request.
const ENCODING: &str = "otlp+zstd";
/// What a body may grow to when it is unpacked; servers refuse larger ones.
const MAX_DECODED: usize = 1 << 30;
/// How often its unpacked size an entry is taken to need in memory where that was not told.
const UNTOLD: usize = 6;

/// An accepted request, as fields of a stream entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub tenant: Tenant,
    pub environment: Option<String>,
    /// Microseconds of first receipt: the version of the rows, so a redelivery cannot pass for news.
    pub received_at_us: u64,
    pub spans: usize,
    /// The memory that a worker needs to unpack and store it, in bytes; zero when that was not told.
    pub memory: usize,
    /// zstd over `ExportTraceServiceRequest`.
    pub body: Bytes,
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
    pub fn fields(&self) -> Vec<(&'static str, Bytes)> {
        vec![
            ("project", self.tenant.project_id.to_string().into()),
            ("organization", self.tenant.organization_id.to_string().into()),
            ("received_at", self.received_at_us.to_string().into()),
            ("environment", self.environment.clone().unwrap_or_default().into()),
            ("spans", self.spans.to_string().into()),
            ("memory", self.memory.to_string().into()),
            ("encoding", Bytes::from_static(ENCODING.as_bytes())),
            ("body", self.body.clone()),
        ]
    }

    /// Reads the fields of an entry back.
    ///
    /// # Errors
    /// When a field is missing or damaged.
    pub fn from_fields(fields: &HashMap<String, Bytes>) -> Result<Self, EntryError> {
        let text = |name: &'static str| -> Result<String, EntryError> {
            fields.get(name).and_then(|value| std::str::from_utf8(value).ok()).map(str::to_owned).ok_or(EntryError::Field(name))
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
        // Entries of before it was told have no such field.
        let memory = text("memory").ok().and_then(|memory| memory.parse().ok()).unwrap_or(0);
        let body = fields.get("body").cloned().ok_or(EntryError::Field("body"))?;
        Ok(Self {
            tenant: Tenant { project_id, organization_id },
            environment,
            received_at_us,
            spans,
            memory,
            body,
            digest: [0; 32],
            partial: PartialSuccess::default(),
        })
    }

    /// The memory that a worker takes for this entry, in bytes, until it is stored.
    #[must_use]
    pub fn weight(&self) -> usize {
        let unpacked = || zstd::zstd_safe::get_frame_content_size(&self.body).ok().flatten().and_then(|size| usize::try_from(size).ok());
        let memory = if self.memory > 0 { self.memory } else { unpacked().unwrap_or(self.body.len()).saturating_mul(UNTOLD) };
        self.body.len().saturating_add(memory)
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
        // As patient as the server that took it.
        Ok(otlp::decode_traces_protobuf(&bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::observability::convert::testing::{request, span};

    fn entry(body: impl Into<Bytes>) -> Entry {
        Entry {
            tenant: Tenant { project_id: ProjectId::fresh(), organization_id: OrganizationId::fresh() },
            environment: Some("staging".to_owned()),
            received_at_us: 1_700_000_000_000_000,
            spans: 3,
            memory: 5_000,
            body: body.into(),
            digest: [0; 32],
            partial: PartialSuccess::default(),
        }
    }

    fn fields(entry: &Entry) -> HashMap<String, Bytes> {
        entry.fields().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn fields_read_back() {
        let entry = entry(zstd::bulk::compress(&ExportTraceServiceRequest::default().encode_to_vec(), 1).unwrap());
        let back = Entry::from_fields(&fields(&entry)).unwrap();
        assert_eq!(back, entry);
        assert_eq!(back.decode().unwrap(), ExportTraceServiceRequest::default());
    }

    #[test]
    fn damage_is_named() {
        let good = entry(b"not zstd".to_vec());
        assert!(matches!(Entry::from_fields(&fields(&good)).unwrap().decode(), Err(EntryError::Zstd(_))));
        let mut without = fields(&good);
        without.remove("project");
        assert!(matches!(Entry::from_fields(&without), Err(EntryError::Field("project"))));
        let mut later = fields(&good);
        later.insert("encoding".to_owned(), Bytes::from_static(b"otlp+brotli"));
        assert!(matches!(Entry::from_fields(&later), Err(EntryError::Encoding(_))));
        let noise = entry(zstd::bulk::compress(&[0xff; 40], 1).unwrap());
        assert!(matches!(noise.decode(), Err(EntryError::Protobuf(_))));
    }

    #[test]
    fn what_a_server_repaired_a_worker_repairs() {
        let mut named = span(Vec::new());
        named.name = "MARK".to_owned();
        let mut body = request(named, Vec::new()).encode_to_vec();
        let at = body.windows(4).position(|window| window == b"MARK").unwrap();
        body[at] = 0xff;
        let decoded = entry(zstd::bulk::compress(&body, 1).unwrap()).decode().unwrap();
        assert_eq!(decoded.resource_spans[0].scope_spans[0].spans[0].name, "\u{FFFD}ARK");
    }

    #[test]
    fn an_entry_that_does_not_tell_its_memory_is_taken_for_a_large_one() {
        let mut untold = fields(&entry(zstd::bulk::compress(&[0; 1_000], 1).unwrap()));
        assert!((5_000..6_000).contains(&Entry::from_fields(&untold).unwrap().weight()));
        untold.remove("memory");
        assert!(Entry::from_fields(&untold).unwrap().weight() >= UNTOLD * 1_000);
    }
}
