//! What serves HTTP: the services of the slices, the routes, the middleware.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use utoipa::OpenApi as _;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::SwaggerUi;

use super::backends::Backends;
use super::bus;
use super::first_start::Secrets;
use super::lifecycle::Lifecycle;
use crate::administration::{Operations, OrganizationAdministration, UserAdministration};
use crate::audit::Audit;
use crate::auth::http::RefreshCookie;
use crate::auth::{Accounts, ApiKeys, Authorizer, Basis, Links, LoginLimits, Passwords, Revocations, SecondFactors, Sessions};
use crate::common::clock::SharedClock;
use crate::config::Config;
use crate::enterprise::Enterprise;
use crate::http::health::Readiness;
use crate::http::limit::{self, Limits};
use crate::http::openapi::{Document, complete, serve_document};
use crate::http::proxies::TrustedProxies;
use crate::http::{assets, health, middleware};
use crate::infra::bus::Bus;
use crate::infra::jobs::Jobs;
use crate::infra::mail::Mailer;
use crate::infra::metrics::Metrics;
use crate::infra::rate_limit::{InProcess, InRedis, RateLimiter, Window};
use crate::observability::ingest::{Ingest, TelemetryQueue};
use crate::observability::prices::repricing::Repricings;
use crate::observability::prices::{PriceBook, Prices};
use crate::observability::store::TelemetryStore;
use crate::organization::{Directory, Invitations, Organizations, Projects};
use crate::settings::Settings;
use crate::user::Users;

/// How long a looked-up API key stays in memory where no revocation arrives from other processes.
const KEEP_WITHOUT_BUS: Duration = Duration::from_secs(1);

/// Everything handlers need, made once and shared by all HTTP threads.
#[derive(Clone)]
pub(super) struct Services {
    bus: Bus,
    clock: web::Data<SharedClock>,
    metrics: web::Data<Metrics>,
    readiness: web::Data<Readiness>,
    enterprise: web::Data<Enterprise>,
    audit: web::Data<Audit>,
    jobs: web::Data<Jobs>,
    mailer: web::Data<Mailer>,
    operations: web::Data<Operations>,
    settings: web::Data<Settings>,
    limits: web::Data<Limits>,
    proxies: web::Data<TrustedProxies>,
    users: web::Data<Users>,
    directory: web::Data<Directory>,
    organizations: web::Data<Organizations>,
    projects: web::Data<Projects>,
    invitations: web::Data<Invitations>,
    api_keys: web::Data<ApiKeys>,
    sessions: web::Data<Sessions>,
    second_factors: web::Data<SecondFactors>,
    accounts: web::Data<Accounts>,
    authorizer: web::Data<Authorizer>,
    user_administration: web::Data<UserAdministration>,
    organization_administration: web::Data<OrganizationAdministration>,
    cookies: web::Data<RefreshCookie>,
    ingest: web::Data<Ingest>,
    store: web::Data<TelemetryStore>,
    prices: web::Data<Prices>,
    repricings: web::Data<Repricings>,
}

/// What [`Services::new`] is made from, beside the configuration.
pub(super) struct Parts<'a> {
    pub backends: &'a Backends,
    pub clock: SharedClock,
    pub metrics: Metrics,
    pub readiness: Readiness,
    pub queue: Arc<dyn TelemetryQueue>,
    pub prices: PriceBook,
    pub preparing: Arc<AtomicUsize>,
    pub secrets: &'a Secrets,
}

impl Services {
    /// Makes the services in the order in which they need each other, and starts their background tasks.
    pub(super) fn new(config: &Config, parts: Parts<'_>, lifecycle: &Lifecycle) -> anyhow::Result<Self> {
        let Parts { backends, clock, metrics, readiness, queue, prices: book, preparing, secrets } = parts;
        let database = &backends.database;
        let enterprise = Enterprise::new(config, clock.clone());
        let users = Users::new(database.clone(), clock.clone());
        let directory = Directory::new(database.clone(), clock.clone());
        let bus = Bus::new();
        let audit = Audit::new(database.clone(), clock.clone(), Arc::clone(&enterprise.seams.compliance));
        let jobs = Jobs::new(database.clone(), clock.clone(), bus.clone());
        let mailer = Mailer::new(jobs.clone(), clock.clone()).delivering(config.mail.delivers());
        let operations = Operations::new(database.clone(), jobs.clone(), mailer.clone(), audit.clone());
        let settings = Settings::new(database.clone(), clock.clone(), audit.clone(), bus.clone());
        let limits =
            Limits::new(config.rate_limit.clone(), limiter(config, backends, &clock), settings.clone(), metrics.clone(), clock.clone());
        let organizations = Organizations::new(database.clone(), clock.clone(), audit.clone(), users.clone(), bus.clone());
        let projects = Projects::new(database.clone(), clock.clone(), audit.clone(), bus.clone());
        let invitations = Invitations::new(database.clone(), clock.clone(), audit.clone(), users.clone(), mailer.clone(), config.app_url());
        let revocations = Revocations::new(bus.clone());
        let keep = Duration::from_secs(config.auth.api_key_cache_seconds);
        // Nobody tells a standalone process what `brokle admin` revoked; its database is at hand, so it asks again soon.
        let keep = if backends.redis.is_some() { keep } else { keep.min(KEEP_WITHOUT_BUS) };
        let api_keys = ApiKeys::new(database.clone(), clock.clone(), audit.clone(), revocations.clone(), keep);
        api_keys.count_lookups(metrics.key_lookups.clone());
        let passwords = Passwords::new();
        passwords.show_on(metrics.password_hashes.clone(), metrics.password_waiting.clone());
        let (login_limits, links) = (LoginLimits::configured(&config.auth), Links::new(config.app_url()));
        let basis = Basis::new(database.clone(), clock.clone(), audit.clone(), passwords.clone(), login_limits, mailer.clone(), links);
        let second_factors = SecondFactors::new(basis.clone(), secrets.sealer()?);
        let sessions = Sessions::new(basis.clone(), second_factors.clone(), revocations, &secrets.token_settings(config)?);
        let accounts = Accounts::new(basis, sessions.clone(), settings.clone(), directory.clone(), invitations.clone());
        let user_administration = UserAdministration::new(
            database.clone(),
            clock.clone(),
            audit.clone(),
            users.clone(),
            sessions.clone(),
            accounts.clone(),
            passwords,
        );
        let organization_administration = OrganizationAdministration::new(database.clone(), organizations.clone());
        let authorizer = Authorizer::new(directory.clone(), Arc::clone(&enterprise.seams.rbac));
        let store = TelemetryStore::new(backends.clickhouse.clone());
        let prices = Prices::new(database.clone(), clock.clone(), audit.clone(), bus.clone(), book.clone(), store.clone());
        let repricings = Repricings::new(database.clone(), clock.clone(), audit.clone(), jobs.clone());
        let ingest = Ingest::new(config.ingest.clone(), clock.clone(), metrics.clone(), queue, preparing);

        if let Some(redis) = &backends.redis {
            bus::connect(redis, &bus, lifecycle);
        }
        bus::apply_revocations(&bus, &api_keys, &sessions, lifecycle);
        bus::apply_settings(&bus, &settings, lifecycle);
        bus::apply_prices(&bus, &book, lifecycle);
        let (keys, drained) = (api_keys.clone(), lifecycle.drained_token());
        lifecycle.spawn("api key usage", async move {
            keys.keep_last_used(drained).await;
            Ok(())
        });
        let (seen, drained) = (sessions.clone(), lifecycle.drained_token());
        lifecycle.spawn("sessions seen", async move {
            seen.keep_last_seen(drained).await;
            Ok(())
        });
        Ok(Self {
            bus,
            clock: web::Data::new(clock),
            metrics: web::Data::new(metrics),
            readiness: web::Data::new(readiness),
            enterprise: web::Data::new(enterprise),
            audit: web::Data::new(audit),
            jobs: web::Data::new(jobs),
            mailer: web::Data::new(mailer),
            operations: web::Data::new(operations),
            settings: web::Data::new(settings),
            limits: web::Data::new(limits),
            proxies: web::Data::new(TrustedProxies::new(&config.server.trusted_proxies)),
            users: web::Data::new(users),
            directory: web::Data::new(directory),
            organizations: web::Data::new(organizations),
            projects: web::Data::new(projects),
            invitations: web::Data::new(invitations),
            api_keys: web::Data::new(api_keys),
            sessions: web::Data::new(sessions),
            second_factors: web::Data::new(second_factors),
            accounts: web::Data::new(accounts),
            authorizer: web::Data::new(authorizer),
            user_administration: web::Data::new(user_administration),
            organization_administration: web::Data::new(organization_administration),
            cookies: web::Data::new(RefreshCookie { secure: config.secure_cookies() }),
            ingest: web::Data::new(ingest),
            store: web::Data::new(store),
            prices: web::Data::new(prices),
            repricings: web::Data::new(repricings),
        })
    }

    /// What the processes tell each other.
    pub(super) fn bus(&self) -> &Bus {
        &self.bus
    }

    fn register(&self, config: &mut web::ServiceConfig) {
        // Without `..`: a service that is not registered does not compile.
        let Self {
            bus: _,
            clock,
            metrics,
            readiness,
            enterprise,
            audit,
            jobs,
            mailer,
            operations,
            settings,
            limits,
            proxies,
            users,
            directory,
            organizations,
            projects,
            invitations,
            api_keys,
            sessions,
            second_factors,
            accounts,
            authorizer,
            user_administration,
            organization_administration,
            cookies,
            ingest,
            store,
            prices,
            repricings,
        } = self.clone();
        config
            .app_data(clock)
            .app_data(metrics)
            .app_data(readiness)
            .app_data(enterprise)
            .app_data(audit)
            .app_data(jobs)
            .app_data(mailer)
            .app_data(operations)
            .app_data(settings)
            .app_data(limits)
            .app_data(proxies)
            .app_data(users)
            .app_data(directory)
            .app_data(organizations)
            .app_data(projects)
            .app_data(invitations)
            .app_data(api_keys)
            .app_data(sessions)
            .app_data(second_factors)
            .app_data(accounts)
            .app_data(authorizer)
            .app_data(user_administration)
            .app_data(organization_administration)
            .app_data(cookies)
            .app_data(ingest)
            .app_data(store)
            .app_data(prices)
            .app_data(repricings);
    }
}

/// What counts requests: Redis for all servers together, this process where it is alone.
fn limiter(config: &Config, backends: &Backends, clock: &SharedClock) -> Arc<dyn RateLimiter> {
    let window = Window::new(Duration::from_secs(config.rate_limit.window_seconds));
    match &backends.redis {
        Some(redis) => Arc::new(InRedis::new(redis.clone(), window)),
        None => Arc::new(InProcess::new(window, clock.clone())),
    }
}

/// The routes of every slice.
fn routes(config: &mut ServiceConfig<'_>) {
    config
        .configure(crate::observability::ingest::routes)
        .configure(crate::auth::http::routes)
        .configure(crate::user::http::routes)
        .configure(crate::settings::http::routes)
        .configure(crate::administration::http::routes)
        .configure(crate::organization::http::routes)
        .configure(crate::audit::http::routes)
        .configure(crate::observability::routes)
        .configure(crate::observability::prices::routes)
        .configure(crate::enterprise::routes);
}

/// The OpenAPI document of this program; the same in both editions.
///
/// # Errors
/// When the routes' descriptions contradict OpenAPI, which is a mistake in this program.
pub fn openapi() -> anyhow::Result<utoipa::openapi::OpenApi> {
    let document = App::new().into_utoipa_app().openapi(Document::openapi()).configure(routes).split_for_parts().1;
    complete(&document).context("the OpenAPI document is not valid")
}

fn cors(config: &Config) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::CONTENT_ENCODING, header::ACCEPT])
        .allowed_header("x-api-key")
        .allowed_header("x-request-id")
        .allowed_header("x-brokle-environment")
        .allowed_header("traceparent")
        .allowed_header("tracestate")
        .expose_headers(["x-request-id", "retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"])
        .max_age(300);
    config.server.cors_allowed_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Time limits and socket options of every server; a macro, because the type of an actix server cannot be named.
macro_rules! tuned {
    ($server:expr, $config:expr, $listener:expr) => {
        Ok($server
            .tcp_nodelay(true)
            .disable_signals()
            .keep_alive(Duration::from_secs(75))
            .client_request_timeout(Duration::from_secs(15))
            .shutdown_timeout(http_bound($config))
            .listen($listener)?
            .run())
    };
}

/// What of the time to stop is for flushing what the requests brought.
const FLUSH_SECONDS: u64 = 5;

/// Seconds that requests in flight are waited for: a client that never finishes must not cost the others' spans.
fn http_bound(config: &Config) -> u64 {
    config.server.shutdown_timeout_seconds.saturating_sub(FLUSH_SECONDS).max(1)
}

fn threads(config: &Config) -> usize {
    match config.server.http_workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from).min(8),
        threads => threads,
    }
}

/// Serves everything on `listener`.
pub(super) fn http(config: &Config, listener: TcpListener, services: Services) -> anyhow::Result<Server> {
    let shared = config.clone();
    // Made and written once: a copy for each thread would be megabytes.
    let document = web::Bytes::from(serde_json::to_vec(&openapi()?)?);
    let factory = move || {
        let services = services.clone();
        let app = App::new().into_utoipa_app().configure(routes).into_app();
        app.configure(|config| services.register(config))
            .configure(health::routes)
            .service(web::redirect("/docs", "/docs/"))
            .configure(|config| serve_document(config, document.clone()))
            .service(SwaggerUi::new("/docs/{_:.*}").config(utoipa_swagger_ui::Config::from("/openapi.json")))
            .default_service(web::to(assets::serve))
            .wrap(from_fn(assets::docs_policy))
            .wrap(from_fn(limit::limit))
            .wrap(cors(&shared))
            .wrap(from_fn(middleware::surround))
    };
    tuned!(HttpServer::new(factory).workers(threads(config)), config, listener)
}

/// The small server of a worker: health and metrics.
pub(super) fn worker_http(config: &Config, listener: TcpListener, metrics: Metrics, readiness: Readiness) -> anyhow::Result<Server> {
    let (metrics, readiness) = (web::Data::new(metrics), web::Data::new(readiness));
    let factory = move || {
        App::new()
            .app_data(metrics.clone())
            .app_data(readiness.clone())
            .configure(health::routes)
            .default_service(web::to(|| async { HttpResponse::NotFound().finish() }))
            .wrap(from_fn(middleware::surround))
    };
    tuned!(HttpServer::new(factory).workers(1), config, listener)
}
