//! The routes that read the audit log.

mod export;
mod list;
mod query;

pub use query::AuditLogQuery;

/// `/api/v1/organizations/{organization_id}/audit-logs…`.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config.service(list::list).service(export::export);
}
