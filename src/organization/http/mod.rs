//! The routes of organisations, their members, invitations, roles and projects.

mod answer_invitation;
mod invitations;
mod members;
mod organization_state;
mod organizations;
mod project_members;
mod project_state;
mod projects;
mod roles;
mod views;

/// `/api/v1/organizations…`, `/api/v1/invitations…` and `/api/v1/projects…`.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config
        .service(organizations::list)
        .service(organizations::create)
        .service(organizations::get)
        .service(organizations::update)
        .service(organizations::delete)
        .service(organization_state::restore)
        .service(organization_state::archive)
        .service(organization_state::unarchive)
        .service(organization_state::transfer)
        .service(organization_state::leave)
        .service(members::list)
        .service(members::update)
        .service(members::remove)
        .service(members::suspend)
        .service(members::reinstate)
        .service(invitations::list)
        .service(invitations::create)
        .service(invitations::resend)
        .service(invitations::revoke)
        .service(answer_invitation::validate)
        .service(answer_invitation::mine)
        .service(answer_invitation::accept)
        .service(answer_invitation::decline)
        .service(answer_invitation::decline_mine)
        .service(roles::roles)
        .service(roles::permissions)
        .service(projects::list)
        .service(projects::create)
        .service(projects::get)
        .service(projects::update)
        .service(projects::delete)
        .service(project_state::archive)
        .service(project_state::unarchive)
        .service(project_state::restore)
        .service(project_members::list)
        .service(project_members::set)
        .service(project_members::clear);
}
