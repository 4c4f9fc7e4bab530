use sea_orm::ConnectionTrait;

use crate::auth::testing::{World, worlds};
use crate::auth::{Error, Permission};
use crate::common::id::ProjectId;
use crate::organization::Role;

#[tokio::test]
async fn a_member_reaches_the_projects_of_the_organisation() {
    for world in worlds().await {
        let access = world.authorizer.project(world.user.id, world.project.id, Permission::TracesRead).await.unwrap();
        assert_eq!((access.project_id, access.organization_id, access.role), (world.project.id, world.organization.id, Role::Owner));
    }
}

#[tokio::test]
async fn a_foreign_project_and_one_that_does_not_exist_are_alike() {
    for world in worlds().await {
        let stranger = world.somebody("eve@example.com").await;
        let org = world.directory.create_organization(world.db.writer(), &"Evil".parse().unwrap()).await.unwrap();
        world.directory.add_member(world.db.writer(), org.id, stranger.id, &Role::Owner).await.unwrap();
        for project in [world.project.id, ProjectId::fresh()] {
            let refused = world.authorizer.project(stranger.id, project, Permission::TracesRead).await;
            assert!(matches!(refused, Err(Error::ProjectNotFound)), "{refused:?}");
        }
        let seen = world.directory.of_user(stranger.id).await.unwrap();
        assert_eq!(seen.len(), 1);
        assert!(seen[0].projects.is_empty(), "{seen:?}");
    }
}

#[tokio::test]
async fn a_role_without_the_permission_is_forbidden() {
    let world = World::small().await;
    let viewer = world.member("vic@example.com", "viewer").await;
    assert!(world.authorizer.project(viewer.id, world.project.id, Permission::TracesRead).await.is_ok());
    let refused = world.authorizer.project(viewer.id, world.project.id, Permission::ApiKeysCreate).await;
    assert!(matches!(refused, Err(Error::Forbidden("api-keys:create"))), "{refused:?}");
    let custom = world.member("cus@example.com", "auditor").await;
    assert!(matches!(world.authorizer.project(custom.id, world.project.id, Permission::TracesRead).await, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn nobody_reaches_what_was_deleted_or_where_membership_is_suspended() {
    for change in [
        "UPDATE projects SET deleted_at = created_at",
        "UPDATE organizations SET deleted_at = created_at",
        "UPDATE organization_members SET status = 'suspended'",
        "DELETE FROM organization_members",
    ] {
        for world in worlds().await {
            world.db.writer().execute_unprepared(change).await.unwrap();
            let refused = world.authorizer.project(world.user.id, world.project.id, Permission::TracesRead).await;
            assert!(matches!(refused, Err(Error::ProjectNotFound)), "{change}: {refused:?}");
            let seen = world.directory.of_user(world.user.id).await.unwrap();
            assert!(seen.iter().all(|access| access.projects.is_empty()), "{change}: {seen:?}");
        }
    }
}
