//! Rows of one scope are never seen through another, for each of the four kinds of scope.

use super::{run, signed_in};
use crate::audit::By;
use crate::auth::testing::{World, worlds};
use crate::common::id::OrganizationId;
use crate::organization::store::roles::{self, RoleScope};
use crate::organization::store::{members, projects};
use crate::organization::{Organization, Project, Role};

/// A second tenant with rows of its own.
async fn neighbour(world: &World) -> (Organization, Project) {
    let organization = world.directory.create_organization(world.db.writer(), &"Neighbour".parse().unwrap()).await.unwrap();
    let project = world.directory.create_project(world.db.writer(), organization.id, &"Theirs".parse().unwrap()).await.unwrap();
    (organization, project)
}

#[tokio::test]
async fn organisation_scoped_rows_are_those_of_the_organisation() {
    for world in worlds().await {
        let (theirs, project) = neighbour(&world).await;
        let bob = world.somebody("bob@example.com").await;
        world.directory.add_member(world.db.writer(), theirs.id, bob.id, &Role::Owner).await.unwrap();
        let db = world.db.conn();
        assert_eq!(members::list(db, theirs.id).await.unwrap().len(), 1);
        assert!(members::find(db, world.organization.id, bob.id).await.unwrap().is_none());
        assert!(members::find(db, OrganizationId::fresh(), bob.id).await.unwrap().is_none());
        assert!(projects::find(db, world.organization.id, project.id).await.unwrap().is_none());
        assert!(projects::find(db, theirs.id, project.id).await.unwrap().is_some());
        // Changes, too, go no further.
        members::update_role(world.db.writer(), world.organization.id, bob.id, &Role::Viewer, chrono::DateTime::UNIX_EPOCH).await.unwrap();
        members::delete(world.db.writer(), world.organization.id, bob.id).await.unwrap();
        assert_eq!(members::find(db, theirs.id, bob.id).await.unwrap().unwrap().role, "owner");
    }
}

#[tokio::test]
async fn project_scoped_rows_are_those_of_the_project() {
    for world in worlds().await {
        let (theirs, project) = neighbour(&world).await;
        let (now, db) = (chrono::DateTime::UNIX_EPOCH, world.db.writer());
        for project in [world.project.id, project.id] {
            members::set_project_role(db, project, world.user.id, &Role::Viewer, now).await.unwrap();
        }
        assert_eq!(members::list_roles_in(db, project.id).await.unwrap().len(), 1);
        assert_eq!(members::list_project_roles(db, theirs.id).await.unwrap()[0].project_id, project.id);
        members::delete_project_role(db, world.project.id, world.user.id).await.unwrap();
        assert_eq!(members::find_project_role(db, world.project.id, world.user.id).await.unwrap(), None);
        assert_eq!(members::find_project_role(db, project.id, world.user.id).await.unwrap(), Some(Role::Viewer));
        // Leaving one organisation takes the roles in its projects and no others.
        members::set_project_role(db, world.project.id, world.user.id, &Role::Viewer, now).await.unwrap();
        members::delete(db, world.organization.id, world.user.id).await.unwrap();
        assert_eq!(members::find_project_role(db, world.project.id, world.user.id).await.unwrap(), None);
        assert_eq!(members::find_project_role(db, project.id, world.user.id).await.unwrap(), Some(Role::Viewer));
        // A role in a project is worth nothing without a membership of its organisation.
        assert_eq!(world.directory.project_role(world.user.id, project.id).await.unwrap(), None);
        // Keys are a project's.
        let (view, _) = world.api_keys.create(crate::auth::NewKey::new(project.id, "CI"), &By::operator()).await.unwrap();
        assert!(world.api_keys.find(world.project.id, view.id).await.unwrap().is_none());
        assert!(world.api_keys.list(world.project.id).await.unwrap().is_empty());
        assert_eq!(world.api_keys.list(project.id).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn rows_of_a_scope_are_those_of_that_scope_alone() {
    for world in worlds().await {
        let (theirs, _) = neighbour(&world).await;
        let scopes = [RoleScope::Installation, RoleScope::Organization(world.organization.id), RoleScope::Organization(theirs.id)];
        for (number, scope) in scopes.into_iter().enumerate() {
            let insert = format!(
                "INSERT INTO roles (id, scope_type, scope_id, name, description, permissions, created_at, updated_at) \
                 SELECT '{}', '{}', '{}', 'auditor', 'number {number}', '[]', created_at, created_at FROM users",
                crate::common::id::RoleId::fresh(),
                scope.kind(),
                scope.id()
            );
            run(&world, &insert).await;
        }
        for (number, scope) in scopes.into_iter().enumerate() {
            let found = roles::list(world.db.conn(), scope).await.unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].description, format!("number {number}"));
        }
        assert!(roles::list(world.db.conn(), RoleScope::Organization(OrganizationId::fresh())).await.unwrap().is_empty());
        // An organisation sees its own and those of the installation.
        let seen = world.organizations.defined_roles(world.organization.id).await.unwrap();
        assert_eq!(seen.iter().map(|role| role.description.as_str()).collect::<Vec<_>>(), ["number 0", "number 1"]);
    }
}

#[actix_web::test]
async fn global_rows_are_reached_through_memberships_only() {
    for world in worlds().await {
        let (theirs, _) = neighbour(&world).await;
        let bob = world.somebody("bob@example.com").await;
        world.directory.add_member(world.db.writer(), theirs.id, bob.id, &Role::Owner).await.unwrap();
        // People belong to the installation: each of the two is found, and neither through the other's organisation.
        assert!(world.users.find(bob.id).await.unwrap().is_some());
        let ada = signed_in(&world, "ada@example.com").await;
        let seen = ada.get(&format!("/organizations/{}/members", world.organization.id)).await.ok().to_string();
        assert!(seen.contains("ada@example.com") && !seen.contains("bob@example.com"), "{seen}");
        let seen = ada.get(&format!("/projects/{}/members", world.project.id)).await.ok().to_string();
        assert!(!seen.contains("bob@example.com"), "{seen}");
        assert_eq!(ada.delete(&format!("/organizations/{}/members/{}", world.organization.id, bob.id)).await.code(), "NOT_FOUND_ERROR");
    }
}
