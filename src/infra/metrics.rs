//! Prometheus metrics of the process. Labels are route templates, reasons and roles: never ids, never raw paths.

use std::sync::Arc;

use prometheus::{Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

/// Every metric of the process; clones share the same counters.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Requests by method, route template and status.
    pub http_requests: IntCounterVec,
    /// Seconds per request by method and route template.
    pub http_duration: HistogramVec,
    /// Requests being answered.
    pub http_in_flight: IntGauge,
    /// Spans taken in, before they are stored.
    pub spans_accepted: IntCounter,
    /// Spans refused, by reason.
    pub spans_rejected: IntCounterVec,
    /// Spans written to the telemetry store.
    pub spans_stored: IntCounter,
    /// Spans of requests recognised as repeats.
    pub spans_repeated: IntCounter,
    /// Queue entries given up for a fault of their own.
    pub spans_dead: IntCounter,
    /// Data points and log records received that are not stored yet, by signal.
    pub not_stored: IntCounterVec,
    /// Ingest requests turned away, by reason.
    pub ingest_refused: IntCounterVec,
    /// Bytes of request bodies in memory.
    pub ingest_memory: IntGauge,
    /// Seconds a block took, by step (insert, recompute).
    pub store_duration: HistogramVec,
    /// Store operations that failed, by step.
    pub store_errors: IntCounterVec,
    /// Entries waiting in the queue, by shard.
    pub queue_entries: IntGaugeVec,
    /// Entries handed out and not yet acknowledged, by shard.
    pub queue_pending: IntGaugeVec,
    /// Age of the oldest waiting entry in milliseconds, by shard.
    pub queue_lag: IntGaugeVec,
    /// Tokens stored, by kind (input, output).
    pub tokens: IntCounterVec,
    /// Cost stored, in 10^-6 US dollars.
    pub cost_micros: IntCounter,
    /// API key look-ups, by outcome (hit, miss, failed).
    pub key_lookups: IntCounterVec,
    /// Runs of jobs by kind and outcome (done, retried, dead, cancelled, released, lost).
    pub jobs: IntCounterVec,
    /// Seconds a run of a job took, by kind.
    pub jobs_duration: HistogramVec,
    /// Jobs that are queued, running or dead, in the whole installation.
    pub jobs_open: IntGaugeVec,
    /// Seconds that the oldest job has waited past its time.
    pub jobs_oldest: IntGauge,
    /// Requests refused because there were too many, by what is limited (address, sign_in, user, key).
    pub rate_limited: IntCounterVec,
    /// Requests whose limit could not be checked.
    pub rate_limit_unchecked: IntCounter,
    /// Passwords being hashed.
    pub password_hashes: IntGauge,
    /// Sign-ins that wait until a password can be hashed.
    pub password_waiting: IntGauge,
}

impl Metrics {
    /// A fresh set of metrics with the process' own (memory, file descriptors, CPU).
    ///
    /// # Errors
    /// When a name is registered twice.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| -> Result<IntCounter, prometheus::Error> {
            let metric = IntCounter::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let counters = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let metric = IntGauge::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| -> Result<IntGaugeVec, prometheus::Error> {
            let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let histogram = |name: &str, help: &str, labels: &[&str]| -> Result<HistogramVec, prometheus::Error> {
            let buckets = vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
            let metric = HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self {
            http_requests: counters("brokle_http_requests_total", "Requests by method, route and status", &["method", "route", "status"])?,
            http_duration: histogram("brokle_http_request_duration_seconds", "Time to answer", &["method", "route"])?,
            http_in_flight: gauge("brokle_http_requests_in_flight", "Requests being answered")?,
            spans_accepted: counter("brokle_spans_accepted_total", "Spans taken in")?,
            spans_rejected: counters("brokle_spans_rejected_total", "Spans refused", &["reason"])?,
            spans_stored: counter("brokle_spans_stored_total", "Spans written to the telemetry store")?,
            spans_repeated: counter("brokle_spans_deduplicated_total", "Spans of repeated requests")?,
            spans_dead: counter("brokle_spans_dead_total", "Spans given up for a fault of their own")?,
            not_stored: counters(
                "brokle_signals_not_stored_total",
                "Data points and log records received that are not stored yet",
                &["signal"],
            )?,
            ingest_refused: counters("brokle_ingest_refused_total", "Ingest requests turned away", &["reason"])?,
            ingest_memory: gauge("brokle_ingest_memory_bytes", "Request bodies in memory")?,
            store_duration: histogram("brokle_store_duration_seconds", "Time of a block in the store", &["step"])?,
            store_errors: counters("brokle_store_errors_total", "Store operations that failed", &["step"])?,
            queue_entries: gauges("brokle_queue_entries", "Entries waiting in the queue", &["shard"])?,
            queue_pending: gauges("brokle_queue_pending", "Entries handed out and not acknowledged", &["shard"])?,
            queue_lag: gauges("brokle_queue_lag_milliseconds", "Age of the oldest waiting entry", &["shard"])?,
            tokens: counters("brokle_tokens_total", "Tokens stored", &["kind"])?,
            cost_micros: counter("brokle_cost_microdollars_total", "Cost stored in 10^-6 US dollars")?,
            key_lookups: counters("brokle_api_key_lookups_total", "API key look-ups", &["outcome"])?,
            jobs: counters("brokle_jobs_total", "Runs of jobs by kind and outcome", &["kind", "outcome"])?,
            jobs_duration: histogram("brokle_job_duration_seconds", "Time of a run of a job", &["kind"])?,
            jobs_open: gauges("brokle_jobs", "Jobs of the installation that are queued, running or dead", &["status"])?,
            jobs_oldest: gauge("brokle_jobs_oldest_queued_seconds", "How long the oldest job has waited past its time")?,
            rate_limited: counters("brokle_rate_limited_total", "Requests refused because there were too many", &["limit"])?,
            rate_limit_unchecked: counter("brokle_rate_limit_unchecked_total", "Requests whose limit could not be checked")?,
            password_hashes: gauge("brokle_password_hashes_running", "Passwords being hashed")?,
            password_waiting: gauge("brokle_password_hashes_waiting", "Sign-ins that wait until a password can be hashed")?,
            registry: Arc::new(registry),
        })
    }

    /// All metrics in Prometheus' text format.
    ///
    /// # Errors
    /// When a metric cannot be written.
    pub fn render(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::with_capacity(16 * 1024);
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}
