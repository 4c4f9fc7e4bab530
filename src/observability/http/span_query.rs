//! What routes about one span ask for beside its id.

use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
pub struct SpanQuery {
    /// The project.
    #[expect(dead_code, reason = "read by the extractor that checks the permission")]
    project_id: String,
    /// The span's trace; makes the look-up faster and, where ids repeat, exact.
    trace_id: Option<String>,
}

impl SpanQuery {
    /// The trace as it is stored, where one is named.
    pub fn trace_id(&self) -> Option<String> {
        self.trace_id.as_deref().filter(|id| !id.is_empty()).map(str::to_ascii_lowercase)
    }
}
