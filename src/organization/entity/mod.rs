pub mod organization_members;
pub mod organizations;
pub mod projects;
