use serde_json::{Value, json};

use crate::audit::{AuditFilter, By, Event, Outcome};
use crate::auth::testing::{World, worlds};
use crate::common::origin::Origin;
use crate::organization::tests::{each, run, signed_in};

/// Writes `count` lines, the first of them by an operator.
async fn fill(world: &World, count: usize) {
    for number in 0..count {
        let by = if number == 0 { By::operator() } else { By::user(world.user.id, Origin::default()) };
        let event = Event::new("thing.change", "thing", number).named(format!("=thing {number}")).in_organization(world.organization.id);
        let event = event.change(json!({"number": number}), json!({"number": number + 1}));
        world.audit.record(world.db.writer(), &by, event).await.unwrap();
    }
}

fn of(world: &World) -> String {
    format!("/organizations/{}/audit-logs", world.organization.id)
}

#[actix_web::test]
async fn lines_are_listed_newest_first_in_pages_that_leave_nothing_out() {
    for world in worlds().await {
        fill(&world, 7).await;
        let ada = signed_in(&world, "ada@example.com").await;
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ada.get(&format!("{}?limit=3{cursor}", of(&world))).await;
            assert_eq!(page.status, 200, "{page:?}");
            ids.extend(each(&page.data, "id").into_iter().map(str::to_owned));
            match page.pagination["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(ids.len(), 7);
        assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
        let line = ada.get(&format!("{}?target_id=3", of(&world))).await.ok()[0].clone();
        assert_eq!((&line["actor_type"], &line["actor_email"]), (&json!("user"), &json!("ada@example.com")));
        assert_eq!((&line["before"], &line["after"]), (&json!({"number": 3}), &json!({"number": 4})));
    }
}

#[actix_web::test]
async fn filters_leave_what_they_say() {
    for world in worlds().await {
        fill(&world, 3).await;
        let denied = Event::new("other.try", "other", "x").in_project(world.organization.id, world.project.id).ended(Outcome::Denied);
        world.audit.noted(&By::operator(), denied).await.unwrap();
        // Of another organisation, and of none.
        let other = crate::common::id::OrganizationId::fresh();
        world.audit.noted(&By::operator(), Event::new("thing.change", "thing", "y").in_organization(other)).await.unwrap();
        world.audit.noted(&By::operator(), Event::new("thing.change", "thing", "z")).await.unwrap();
        let ada = signed_in(&world, "ada@example.com").await;
        let count = async |query: &str| {
            let seen = ada.get(&format!("{}?{query}", of(&world))).await;
            if seen.status == 200 { seen.data.as_array().unwrap().len().to_string() } else { seen.code().to_owned() }
        };
        for (query, expected) in [
            ("", "4"),
            ("action=thing.change", "3"),
            ("action=thing", "0"),
            ("target_type=other", "1"),
            ("target_id=1", "1"),
            ("outcome=denied", "1"),
            ("outcome=well", "VALIDATION_ERROR"),
            (&format!("actor_id={}", world.user.id), "2"),
            (&format!("project_id={}", world.project.id), "1"),
            ("project_id=x", "VALIDATION_ERROR"),
            ("start_time=1800000000", "4"),
            ("start_time=1800000001", "0"),
            ("end_time=1800000000", "0"),
            ("end_time=2027-01-15T08:00:01Z", "4"),
            ("start_time=yesterday", "VALIDATION_ERROR"),
            ("cursor=nonsense", "VALIDATION_ERROR"),
            ("limit=0", "VALIDATION_ERROR"),
            ("limit=101", "VALIDATION_ERROR"),
        ] {
            assert_eq!(count(query).await, expected, "{query}");
        }
        let of_none = world.audit.list(&AuditFilter::default(), 10, None).await.unwrap();
        assert_eq!(
            of_none.iter().filter(|line| line.action != "user.sign_in").map(|line| line.target_id.as_deref().unwrap()).collect::<Vec<_>>(),
            ["z"]
        );
    }
}

#[actix_web::test]
async fn the_log_is_exported_whole_whatever_its_length() {
    for world in worlds().await {
        // More than one page of the export.
        fill(&world, 1).await;
        let copy =
            "INSERT INTO audit_logs (id, organization_id, actor_type, action, target_type, target_name, outcome, created_at) VALUES ";
        let row = |number: usize| {
            format!("('{:026}', '{}', 'system', 'a.b', 'c', '=1+1', 'success', '2027-01-15T08:00:00+00:00')", number, world.organization.id)
        };
        run(&world, &format!("{copy}{}", (0..1000).map(row).collect::<Vec<_>>().join(", "))).await;
        let ada = signed_in(&world, "ada@example.com").await;
        let file = ada.get(&format!("{}/export?format=json&action=a.b", of(&world))).await.text;
        let lines: Vec<Value> = serde_json::from_str(&file).unwrap();
        assert_eq!(lines.len(), 1000);
        assert_eq!(lines[999]["id"], format!("{:026}", 0));

        let file = ada.get(&format!("{}/export?format=csv", of(&world))).await.text;
        let mut reader = csv::Reader::from_reader(file.as_bytes());
        let names = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        // And the two exports themselves.
        assert_eq!(rows.len(), 1003);
        let name = names.iter().position(|name| name == "target_name").unwrap();
        assert!(rows.iter().all(|row| !row[name].starts_with('=')), "no cell is a formula");
        assert_eq!(rows.iter().filter(|row| &row[name] == "'=1+1").count(), 1000);
        assert_eq!(ada.get(&format!("{}/export?format=xml", of(&world))).await.code(), "VALIDATION_ERROR");
    }
}

#[actix_web::test]
async fn the_log_is_for_administrators_and_refusals_stand_in_it_once_a_minute() {
    for world in worlds().await {
        world.member("dev@example.com", "developer").await;
        let devs = signed_in(&world, "dev@example.com").await;
        for _ in 0..3 {
            assert_eq!(devs.get(&of(&world)).await.code(), "FORBIDDEN_ERROR");
        }
        assert_eq!(devs.get(&format!("{}/export?format=csv", of(&world))).await.code(), "FORBIDDEN_ERROR");
        let ada = signed_in(&world, "ada@example.com").await;
        let log = ada.get(&format!("{}?outcome=denied", of(&world))).await.ok();
        let mut refused = each(&log, "target_id");
        refused.sort_unstable();
        assert_eq!(refused, ["audit-logs:export", "audit-logs:read"]);
        assert_eq!(each(&log, "actor_email"), ["dev@example.com"; 2]);
    }
}

#[tokio::test]
async fn a_line_is_taken_back_with_its_change() {
    for world in worlds().await {
        let txn = world.db.begin().await.unwrap();
        world.audit.record(&txn, &By::system(), Event::new("a.b", "c", "d")).await.unwrap();
        drop(txn);
        assert!(world.audit.list(&AuditFilter::default(), 10, None).await.unwrap().is_empty());
    }
}
