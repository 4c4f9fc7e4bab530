use crate::auth::testing::worlds;
use crate::organization::{Error, Role};

#[tokio::test]
async fn a_person_sees_organisations_with_projects_and_roles_oldest_first() {
    for world in worlds().await {
        let second = world.directory.create_organization(world.db.writer(), &"Second".parse().unwrap()).await.unwrap();
        world.directory.add_member(world.db.writer(), second.id, world.user.id, &Role::Viewer).await.unwrap();
        let hidden = world.directory.create_organization(world.db.writer(), &"Hidden".parse().unwrap()).await.unwrap();
        world.directory.create_project(world.db.writer(), hidden.id, &"Secret".parse().unwrap()).await.unwrap();
        let seen = world.directory.of_user(world.user.id).await.unwrap();
        let names: Vec<_> =
            seen.iter().map(|access| (access.organization.name.as_str(), access.role.name(), access.projects.len())).collect();
        assert_eq!(names, [("Acme", "owner", 1), ("Second", "viewer", 0)]);
        assert_eq!(seen[0].projects[0].0, world.project);
        assert_eq!(world.directory.project_role(world.user.id, world.project.id).await.unwrap(), Some(Role::Owner));
    }
}

#[tokio::test]
async fn one_membership_per_person_and_organisation() {
    for world in worlds().await {
        let again = world.directory.add_member(world.db.writer(), world.organization.id, world.user.id, &Role::Viewer).await;
        assert!(matches!(again, Err(Error::AlreadyMember)), "{again:?}");
    }
}
