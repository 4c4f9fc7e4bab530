//! The routes for those who run the installation.

mod audit;
mod jobs;
mod organizations;
mod outbox;
mod schedules;
mod settings;
mod users;

use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa_actix_web::service_config::ServiceConfig;

use super::store::Filter;
use crate::common::page::{Pagination, decode_cursor, encode_cursor};
use crate::error::ApiError;

/// `/api/v1/admin/…`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(jobs::summary)
        .service(jobs::list)
        .service(jobs::get)
        .service(jobs::retry)
        .service(jobs::cancel)
        .service(schedules::list)
        .service(schedules::run)
        .service(outbox::list)
        .service(outbox::get)
        .service(outbox::retry)
        .service(users::list)
        .service(users::create)
        .service(users::update)
        .service(users::revoke_sessions)
        .service(users::unlock)
        .service(users::send_password_reset)
        .service(users::reset_second_factor)
        .service(organizations::list)
        .service(organizations::restore)
        .service(settings::list)
        .service(settings::set)
        .service(settings::reset)
        .service(settings::history)
        .service(audit::list);
}

/// What a list asks for: rows of a page and the last id of the page before.
struct Page<K> {
    limit: u32,
    before: Option<K>,
}

impl<K: DeserializeOwned + Serialize> Page<K> {
    fn of(limit: Option<u32>, cursor: Option<&str>) -> Result<Self, ApiError> {
        let limit = limit.unwrap_or(50);
        if !(1..=100).contains(&limit) {
            return Err(ApiError::validation("limit", "limit must be 1 to 100"));
        }
        let wrong = || ApiError::validation("cursor", "cursor must be meta.pagination.next_cursor of the page before");
        let before = cursor.filter(|text| !text.is_empty()).map(|text| decode_cursor(text).ok_or_else(wrong)).transpose()?;
        Ok(Self { limit, before })
    }

    /// Rows to read: one more tells whether there is a next page.
    fn rows(&self) -> u64 {
        u64::from(self.limit) + 1
    }

    /// Cuts `rows` to the page, and says where the next begins.
    fn cut<R>(&self, rows: &mut Vec<R>, id: impl Fn(&R) -> K) -> Result<Pagination, ApiError> {
        let more = rows.len() > self.limit as usize;
        rows.truncate(self.limit as usize);
        let next = rows.last().filter(|_| more).map(|row| encode_cursor(&id(row))).transpose().map_err(ApiError::internal)?;
        Ok(Pagination::new(self.limit, next))
    }
}

impl Page<String> {
    /// The rows of this page among those that `search` and `status` leave.
    fn filter(&self, search: Option<String>, status: Option<String>) -> Filter {
        Filter { search, status: status.filter(|status| !status.is_empty()), before: self.before.clone(), limit: self.limit + 1 }
    }
}

/// A parameter that is one of a few words; empty is none.
fn one_of<T: FromStr<Err: Display>>(field: &str, text: Option<&str>) -> Result<Option<T>, ApiError> {
    let given = text.filter(|text| !text.is_empty());
    given.map(|text| text.parse().map_err(|error: T::Err| ApiError::validation(field, error.to_string()))).transpose()
}
