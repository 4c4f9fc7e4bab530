//! The routes about oneself.

mod default_organization;
mod me;
mod update_me;

/// `/api/v1/users/…`.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config.service(me::me).service(update_me::update_me).service(default_organization::set_default_organization);
}
