pub mod organization_invitations;
pub mod organization_members;
pub mod organizations;
pub mod project_members;
pub mod projects;
pub mod roles;
