//! `/health`, `/health/live`, `/health/ready` and `/metrics`, on every role's port.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use async_trait::async_trait;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::infra::metrics::Metrics;

/// How long a dependency may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

/// Something the process cannot work without.
#[async_trait]
pub trait Dependency: Send + Sync {
    /// Its name in the answer: `database`, `clickhouse`, `redis`.
    fn name(&self) -> &'static str;

    /// Really asks it something.
    async fn check(&self) -> Result<(), String>;
}

/// What `/health/ready` asks.
#[derive(Clone, Default)]
pub struct Readiness {
    dependencies: Arc<Vec<Box<dyn Dependency>>>,
    draining: Arc<std::sync::atomic::AtomicBool>,
    /// What the process waits for before it takes up its work.
    waiting: Arc<Mutex<Option<&'static str>>>,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.dependencies.iter().map(|dependency| dependency.name())).finish()
    }
}

impl Readiness {
    /// Ready when all `dependencies` answer.
    #[must_use]
    pub fn new(dependencies: Vec<Box<dyn Dependency>>) -> Self {
        Self { dependencies: Arc::new(dependencies), draining: Arc::default(), waiting: Arc::default() }
    }

    /// Not ready until [`Readiness::started`]: the process still waits for something.
    pub fn wait_for(&self, what: &'static str) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
    }

    /// The process has taken up its work.
    pub fn started(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// From now on not ready: the process is stopping.
    pub fn drain(&self) {
        self.draining.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    /// Asks every dependency at once: whether all are there, and what each said.
    pub async fn check(&self) -> (bool, Value) {
        let checks = self.dependencies.iter().map(|dependency| async move {
            let started = Instant::now();
            let result = tokio::time::timeout(PATIENCE, dependency.check())
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
            (dependency.name(), result, started.elapsed())
        });
        let results = futures_util::future::join_all(checks).await;
        let draining = self.draining.load(std::sync::atomic::Ordering::SeqCst);
        let waiting = *self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = !draining && waiting.is_none() && results.iter().all(|(_, result, _)| result.is_ok());
        let mut dependencies = Map::new();
        for (name, result, elapsed) in results {
            let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            let entry = match result {
                Ok(()) => json!({"status": "ok", "duration_ms": millis}),
                Err(reason) => json!({"status": "unavailable", "reason": reason, "duration_ms": millis}),
            };
            dependencies.insert(name.to_owned(), entry);
        }
        let status = if draining {
            "stopping"
        } else if waiting.is_some() {
            "starting"
        } else if ready {
            "ok"
        } else {
            "unavailable"
        };
        let mut answer = json!({"status": status, "dependencies": dependencies});
        if let Some(waiting) = waiting {
            answer["reason"] = format!("waiting for {waiting}").into();
        }
        (ready, answer)
    }
}

/// Adds the routes. They take no credentials and say nothing about tenants.
pub fn routes(config: &mut web::ServiceConfig) {
    for (path, ready) in [("/health", false), ("/health/live", false), ("/health/ready", true)] {
        let resource = web::resource(path);
        config.service(if ready {
            resource.route(web::get().to(readiness)).route(web::head().to(readiness))
        } else {
            resource.route(web::get().to(liveness)).route(web::head().to(liveness))
        });
    }
    config.service(web::resource("/metrics").route(web::get().to(metrics)));
}

async fn liveness() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

async fn readiness(readiness: web::Data<Readiness>) -> HttpResponse {
    let (ready, body) = readiness.check().await;
    if ready { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

async fn metrics(metrics: web::Data<Metrics>) -> Result<HttpResponse, ApiError> {
    let text = metrics.render().map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
