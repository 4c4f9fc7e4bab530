//! The seam between the editions: one API, and an honest answer where the community edition has none.

use brokle::enterprise::EDITION;

use crate::on_both;

on_both! {
    async fn the_status_goes_through_all_five_seams(app) {
        let status = app.get("/api/v1/enterprise/status").await["data"].clone();
        assert_eq!(status["edition"], EDITION);
        for seam in ["sso", "rbac", "license", "compliance", "analytics"] {
            assert!(status[seam]["available"].is_boolean(), "{seam}: {status}");
            assert!(!status[seam]["detail"].as_str().unwrap().is_empty(), "{seam}");
        }
        assert_eq!(status["compliance"]["available"], EDITION == "enterprise");
        assert_eq!(status["rbac"]["custom_roles"], false, "no route defines any");
    }

    async fn the_gated_route_exists_in_both_editions(app) {
        let (status, body) = app.try_get("/api/v1/enterprise/license").await;
        if EDITION == "enterprise" {
            assert_eq!(status, 200, "{body}");
        } else {
            assert_eq!((status, body["error"]["code"].as_str()), (402, Some("ENTERPRISE_REQUIRED")), "{body}");
        }
        let anonymous = app.client.get(format!("{}/api/v1/enterprise/license", app.url)).send().await.unwrap();
        assert_eq!(anonymous.status(), 401);
    }
}
