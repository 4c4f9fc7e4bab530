//! The cookie that carries the refresh token.
//!
//! It is sent to the refresh route only, and only by our own pages (`SameSite=Strict`), so no other route can be used through a
//! browser that somebody left signed in, and no CSRF token is needed.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite, time};

/// Name of the cookie.
pub const NAME: &str = "brokle_refresh";
/// The only path it is sent to.
pub const PATH: &str = "/api/v1/auth/refresh";

/// How the cookie is set.
#[derive(Debug, Clone, Copy)]
pub struct RefreshCookie {
    /// Only over https.
    pub secure: bool,
}

impl RefreshCookie {
    pub(super) fn set(self, token: String, ttl: Duration) -> Cookie<'static> {
        self.with(token, time::Duration::seconds(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX)))
    }

    pub(super) fn clear(self) -> Cookie<'static> {
        self.with(String::new(), time::Duration::ZERO)
    }

    fn with(self, token: String, age: time::Duration) -> Cookie<'static> {
        Cookie::build(NAME, token).path(PATH).http_only(true).same_site(SameSite::Strict).secure(self.secure).max_age(age).finish()
    }
}
