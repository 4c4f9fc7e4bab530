//! Limits on requests: by address for whoever has not said who they are, by user on `/api/v1`, by API key on `/v1`.
//!
//! An address is checked before a request is routed; a user and a key are checked by the extractors that find out who it is. Each
//! leaves its verdict with the request, and the answer tells it.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};

use super::context::RequestContext;
use crate::auth::KeyContext;
use crate::common::clock::SharedClock;
use crate::common::id::{OrganizationId, UserId};
use crate::config;
use crate::error::{ApiError, Code};
use crate::infra::metrics::Metrics;
use crate::infra::rate_limit::{RateLimiter, Subject, Unavailable, Verdict};
use crate::settings::{RequestsPerKey, RequestsPerUser, Scope, Setting, Settings};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// How often a limiter that cannot be asked is complained of.
const COMPLAIN_EVERY_MS: i64 = 60_000;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whoever is not known, by address.
    Address,
    /// Signing in and its kin, by address.
    SignIn,
    User,
    /// A user in an organisation that sets a limit of its own.
    Member,
    Key,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::SignIn => "sign_in",
            Self::User => "user",
            Self::Member => "member",
            Self::Key => "key",
        }
    }

    /// Whose requests there are too many of.
    const fn who(self) -> &'static str {
        match self {
            Self::Address | Self::SignIn => "this address",
            Self::User | Self::Member => "this user",
            Self::Key => "this API key",
        }
    }
}

/// The limits of the installation; a clone shares everything.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    config: config::RateLimit,
    limiter: Arc<dyn RateLimiter>,
    settings: Settings,
    metrics: Metrics,
    clock: SharedClock,
    /// When a limiter that cannot be asked was last complained of.
    complained: AtomicI64,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("limiter", &self.0.limiter).finish_non_exhaustive()
    }
}

/// What was found out about a request.
#[derive(Default)]
struct Checked {
    kinds: Vec<Kind>,
    /// The one that leaves the least.
    tightest: Option<Verdict>,
}

impl Limits {
    /// Limits as configured and set, counted by `limiter`.
    pub fn new(config: config::RateLimit, limiter: Arc<dyn RateLimiter>, settings: Settings, metrics: Metrics, clock: SharedClock) -> Self {
        Self(Arc::new(Inner { config, limiter, settings, metrics, clock, complained: AtomicI64::new(i64::MIN) }))
    }

    /// Counts a request against its address.
    async fn address(&self, request: &HttpRequest, kind: Kind) -> Result<(), ApiError> {
        let config = &self.0.config;
        let limit = if kind == Kind::SignIn { config.auth_per_ip } else { config.per_ip };
        let context = RequestContext::of(request);
        let Some(address) = context.client_ip.or_else(|| request.peer_addr().map(|peer| peer.ip())) else { return Ok(()) };
        self.check(request, kind, limit, || Subject::new(kind.name(), holder(address))).await
    }

    async fn user(&self, request: &HttpRequest, user: UserId) -> Result<(), ApiError> {
        let limit = self.limit::<RequestsPerUser>(self.0.config.per_user, Scope::Installation).await;
        self.check(request, Kind::User, limit, || Subject::new(Kind::User.name(), user)).await
    }

    async fn member(&self, request: &HttpRequest, user: UserId, organization: OrganizationId) -> Result<(), ApiError> {
        let own = self.0.settings.own_or_last::<RequestsPerUser>(Scope::Organization(organization)).await;
        let limit = own.filter(|requests| *requests > 0).map_or(0, |requests| self.in_window(requests));
        self.check(request, Kind::Member, limit, || Subject::new(Kind::Member.name(), format_args!("{organization}/{user}"))).await
    }

    async fn key(&self, request: &HttpRequest, key: &KeyContext) -> Result<(), ApiError> {
        let scope = Scope::Project(key.organization_id, key.project_id);
        let limit = self.limit::<RequestsPerKey>(self.0.config.per_key, scope).await;
        self.check(request, Kind::Key, limit, || Subject::new(Kind::Key.name(), key.api_key_id)).await
    }

    /// The limit that counts in `scope`: what the installation says in place of the configuration, lowered by what an organisation
    /// or a project says. Whoever is limited cannot lift the limit.
    async fn limit<S: Setting<Value = u32>>(&self, configured: u32, scope: Scope) -> u32 {
        let mut lowest = u32::MAX;
        let mut next = Some(scope);
        while let Some(scope) = next {
            let set =
                self.0.settings.own_or_last::<S>(scope).await.filter(|requests| *requests > 0).map(|requests| self.in_window(requests));
            next = scope.parent();
            match set {
                Some(limit) => lowest = lowest.min(limit),
                None if next.is_none() && configured > 0 => lowest = lowest.min(configured),
                None => {}
            }
        }
        // Zero means no limit from here on.
        if lowest == u32::MAX { 0 } else { lowest }
    }

    /// Requests in a minute as requests in the configured window.
    fn in_window(&self, requests: u32) -> u32 {
        let scaled = u64::from(requests).saturating_mul(self.0.config.window_seconds) / 60;
        u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
    }

    /// Counts a request, once for each kind.
    async fn check(&self, request: &HttpRequest, kind: Kind, limit: u32, subject: impl FnOnce() -> Subject) -> Result<(), ApiError> {
        let inner = &*self.0;
        if limit == 0 || !first(request, kind) {
            return Ok(());
        }
        let verdict = match inner.limiter.hit(subject(), limit).await {
            Ok(verdict) => verdict,
            Err(problem) => return self.unchecked(&problem),
        };
        note(request, verdict);
        if verdict.allowed {
            return Ok(());
        }
        inner.metrics.rate_limited.with_label_values(&[kind.name()]).inc();
        let seconds = seconds(verdict);
        let message = format!(
            "too many requests of {}: {} in {} s are the limit; try again in {seconds} s",
            kind.who(),
            verdict.limit,
            inner.config.window_seconds
        );
        Err(ApiError { retry_after: Some(seconds), ..ApiError::new(Code::RateLimit, message) })
    }

    /// What happens to a request that cannot be counted.
    fn unchecked(&self, problem: &Unavailable) -> Result<(), ApiError> {
        let inner = &*self.0;
        inner.metrics.rate_limit_unchecked.inc();
        let open = inner.config.on_redis_failure == "open";
        let now = inner.clock.now().timestamp_millis();
        let last = inner.complained.load(Ordering::Relaxed);
        let due = last.checked_add(COMPLAIN_EVERY_MS).is_none_or(|due| due <= now);
        if due && inner.complained.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let consequence = if open { "requests pass unchecked" } else { "requests are refused" };
            tracing::warn!(problem = %problem, consequence, "limits on requests cannot be checked; this is said once a minute");
        }
        if open { Ok(()) } else { Err(ApiError::unavailable("the limits on requests cannot be checked; try again shortly", problem, 2)) }
    }
}

/// Whose address counts: an IPv6 network of 64 bits is one customer's, who may use all of it.
fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn seconds(verdict: Verdict) -> u32 {
    u32::try_from(verdict.after.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
}

/// Whether this kind was not checked for the request yet; from now on it was.
fn first(request: &HttpRequest, kind: Kind) -> bool {
    with(request, |checked| {
        let first = !checked.kinds.contains(&kind);
        if first {
            checked.kinds.push(kind);
        }
        first
    })
}

fn note(request: &HttpRequest, verdict: Verdict) {
    with(request, |checked| {
        let looser = |other: &Verdict| (other.allowed, other.remaining) > (verdict.allowed, verdict.remaining);
        if checked.tightest.as_ref().is_none_or(looser) {
            checked.tightest = Some(verdict);
        }
    });
}

fn with<T>(request: &HttpRequest, change: impl FnOnce(&mut Checked) -> T) -> T {
    let mut extensions = request.extensions_mut();
    let mut checked = extensions.remove::<Checked>().unwrap_or_default();
    let answer = change(&mut checked);
    extensions.insert(checked);
    answer
}

fn limits(request: &HttpRequest) -> Option<&Limits> {
    request.app_data::<web::Data<Limits>>().map(web::Data::get_ref).filter(|limits| limits.0.config.enabled)
}

/// Counts a request of somebody who is not known.
pub(crate) async fn stranger(request: &HttpRequest) -> Result<(), ApiError> {
    match limits(request) {
        Some(limits) => limits.address(request, Kind::Address).await,
        None => Ok(()),
    }
}

/// Counts a request of a user, before anything is looked up for it.
pub(crate) async fn user(request: &HttpRequest, user: UserId) -> Result<(), ApiError> {
    match limits(request) {
        Some(limits) => limits.user(request, user).await,
        None => Ok(()),
    }
}

/// Counts a request of a user once more in an organisation that they reach, where it has a limit of its own.
pub(crate) async fn member(request: &HttpRequest, user: UserId, organization: OrganizationId) -> Result<(), ApiError> {
    match limits(request) {
        Some(limits) => limits.member(request, user, organization).await,
        None => Ok(()),
    }
}

/// Counts a request with an API key.
pub(crate) async fn key(request: &HttpRequest, key: &KeyContext) -> Result<(), ApiError> {
    match limits(request) {
        Some(limits) => limits.key(request, key).await,
        None => Ok(()),
    }
}

/// Routes below `/api/v1/auth/` that one calls without signing in anew.
const STAYING: [&str; 3] = ["refresh", "logout", "logout-all"];
/// Other routes of `/api/v1` that everybody may call, signed in or not.
const OPEN: [&str; 2] = ["/api/v1/invitations/validate", "/api/v1/invitations/decline"];

/// How a request counts against its address before anybody knows whose it is; none where that will be found out.
#[must_use]
pub fn by_address(method: &Method, path: &str, has_token: bool) -> Option<Kind> {
    if !path.starts_with("/api/v1/") {
        return None;
    }
    match path.strip_prefix("/api/v1/auth/") {
        Some(rest) if method == Method::POST && !STAYING.contains(&rest) => Some(Kind::SignIn),
        Some(_) => Some(Kind::Address),
        // A token that is none counts where it is found to be none: no open route looks at it.
        None => (!has_token || OPEN.contains(&path)).then_some(Kind::Address),
    }
}

/// Counts requests against their address, and tells in each answer what is left.
///
/// # Errors
/// What `next` fails with.
pub async fn limit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let has_token = super::extract::bearer(request.request()).is_some();
    // The path as the router reads it: escapes such as %6C are letters there, too.
    let kind = by_address(request.method(), request.match_info().as_str(), has_token);
    if let (Some(kind), Some(limits)) = (kind, limits(request.request()))
        && let Err(error) = limits.address(request.request(), kind).await
    {
        let mut refused = request.error_response(error);
        tell(&mut refused);
        return Ok(refused.map_into_right_body());
    }
    let mut response = next.call(request).await?;
    tell(&mut response);
    Ok(response.map_into_left_body())
}

/// Writes what is left into the answer.
fn tell<B>(response: &mut ServiceResponse<B>) {
    let verdict = response.request().extensions().get::<Checked>().and_then(|checked| checked.tightest);
    if let Some(verdict) = verdict {
        write(response.headers_mut(), verdict);
    }
}

fn write(headers: &mut HeaderMap, verdict: Verdict) {
    for (name, value) in [(LIMIT, verdict.limit), (REMAINING, verdict.remaining), (RESET, seconds(verdict))] {
        headers.insert(name, HeaderValue::from(value));
    }
}

#[cfg(test)]
mod tests;
