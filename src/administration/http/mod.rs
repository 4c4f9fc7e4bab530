//! `/api/v1/admin/…`: for platform administrators only.

mod audit;
mod organizations;
mod settings;
mod users;

use serde::de::DeserializeOwned;

use super::store::Filter;
use crate::common::page::{Pagination, decode_cursor, encode_cursor};
use crate::error::ApiError;

/// The routes of administration.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config
        .service(users::list)
        .service(users::create)
        .service(users::update)
        .service(users::revoke_sessions)
        .service(users::unlock)
        .service(users::reset_second_factor)
        .service(organizations::list)
        .service(organizations::restore)
        .service(settings::list)
        .service(settings::set)
        .service(settings::reset)
        .service(settings::history)
        .service(audit::list);
}

const ROWS: u32 = 50;

/// A filter for one row more than the page has: it tells whether there is another page.
fn filter(limit: Option<u32>, cursor: Option<&str>, search: Option<String>, status: Option<String>) -> Result<Filter, ApiError> {
    let before = cursor.map(read::<String>).transpose()?;
    Ok(Filter { search, status: status.filter(|status| !status.is_empty()), before, limit: limit.unwrap_or(ROWS) + 1 })
}

fn read<T: DeserializeOwned>(cursor: &str) -> Result<T, ApiError> {
    decode_cursor(cursor).ok_or_else(|| ApiError::validation("cursor", "cursor is not one this list gave; start again without it"))
}

/// Takes the row too many off, and says where the next page starts.
fn paged<T>(rows: &mut Vec<T>, filter: &Filter, id: impl Fn(&T) -> String) -> Result<Pagination, ApiError> {
    let limit = filter.limit - 1;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = match rows.last() {
        Some(last) if more => Some(encode_cursor(&id(last)).map_err(ApiError::internal)?),
        _ => None,
    };
    Ok(Pagination::new(limit, next))
}
