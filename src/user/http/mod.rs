//! The routes about oneself.

mod me;

/// `/api/v1/users/…`.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config.service(me::me);
}
