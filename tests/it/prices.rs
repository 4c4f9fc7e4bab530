//! Prices: own ones, the list of models without one, why a span costs what it costs, and pricing stored spans anew.

use std::time::{Duration, Instant};

use brokle::observability::rows::ObservationRow;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection;

use crate::harness::{Api, Installation, Spans, TestApp, attribute, now_ns, request, span};
use crate::on_both;

const HOUR_NS: u64 = 3_600_000_000_000;

fn number(key: &str, value: i64) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(Any::IntValue(value)) }), ..KeyValue::default() }
}

/// The `n`th span of a trace, a call of `model` with 1,000 tokens in, 200 of them from the cache, and 100 out.
fn call(trace_id: &[u8], n: u64, start: u64, model: &str) -> Span {
    let mut span = span(trace_id, n, start);
    span.attributes = vec![
        attribute("gen_ai.operation.name", "chat"),
        attribute("gen_ai.provider.name", "openai"),
        attribute("gen_ai.request.model", model),
        number("gen_ai.usage.input_tokens", 1_000),
        number("gen_ai.usage.cache_read.input_tokens", 200),
        number("gen_ai.usage.output_tokens", 100),
        attribute("input.value", "a question"),
        attribute("custom", "kept"),
    ];
    span
}

fn with(mut span: Span, more: KeyValue) -> Span {
    span.attributes.push(more);
    span
}

/// A call of the API as the administrator: status and body.
async fn ask(client: &reqwest::Client, url: &str, token: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = client.request(method, format!("{url}{path}")).bearer_auth(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn on(app: &TestApp, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let path = format!("/api/v1/projects/{}{path}", app.project_id);
    ask(&app.client, &app.url, &app.token, method, &path, body).await
}

/// The same, which must succeed: its data.
async fn must(app: &TestApp, method: Method, path: &str, body: Option<Value>) -> Value {
    let (status, mut answer) = on(app, method, path, body).await;
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
    answer["data"].take()
}

/// A re-pricing, once it has ended.
async fn reprice(app: &TestApp, body: Value) -> Value {
    let made = must(app, Method::POST, "/repricings", Some(body)).await;
    let path = format!("/repricings/{}", made["id"].as_str().unwrap());
    let started = Instant::now();
    loop {
        let now = must(app, Method::GET, &path, None).await;
        if !["queued", "running"].contains(&now["state"].as_str().unwrap()) {
            assert_eq!(now["progress"]["done"], now["progress"]["total"], "{now}");
            return now;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{now}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn cost_of(app: &TestApp, trace_id: &[u8], n: u64) -> Value {
    let path = format!("/api/v1/spans/{}/cost?trace_id={}", hex::encode(Spans::span_id(n)), hex::encode(trace_id));
    app.get(&app.path(&path)).await["data"].take()
}

/// The row of the `n`th span of a trace.
async fn row(app: &TestApp, trace_id: &[u8], n: u64) -> ObservationRow {
    let (trace, span) = (hex::encode(trace_id), hex::encode(Spans::span_id(n)));
    app.store().find_span(&app.project_id, Some(&trace), &span).await.unwrap().unwrap()
}

/// Sum of the costs of a trace's spans, beside that of the trace; in 10^-12 dollars.
async fn costs(app: &TestApp, trace_id: &[u8], spans: u64) -> (i128, Option<i128>) {
    let mut sum = 0;
    for n in 0..spans {
        sum += i128::from(row(app, trace_id, n).await.total_cost.unwrap_or(0));
    }
    (sum, app.store().find_trace(&app.project_id, &hex::encode(trace_id)).await.unwrap().unwrap().total_cost)
}

on_both! {
    async fn an_own_price_counts_for_the_next_span(app) {
        let model = "house-model";
        let first = Spans::trace_id();
        assert_eq!(app.send(&request(vec![call(&first, 0, now_ns(), model)])).await.0, 200);
        let trace = app.wait_for_trace(&first, 1).await;
        assert_eq!((&trace["total_cost"], &trace["unpriced_span_count"]), (&Value::Null, &json!(1)));
        let body = json!({"model": "house-*", "prices": [{"rates": {"input": "1", "input_cache_read": "0.1", "output": "10"}}]});
        let made = must(app, Method::POST, "/prices", Some(body.clone())).await;
        assert_eq!((&made["scope"], &made["scope_id"]), (&json!("project"), &json!(app.project_id)));
        // Everywhere within a second.
        if app.worker_url.is_some() {
            tokio::time::sleep(Duration::from_millis(1_000)).await;
        }
        let second = Spans::trace_id();
        assert_eq!(app.send(&request(vec![call(&second, 0, now_ns(), model)])).await.0, 200);
        let trace = app.wait_for_trace(&second, 1).await;
        // 800 at 1, 200 at 0.1, 100 at 10 dollars for a million.
        assert_eq!(trace["total_cost"], "0.00182");
        let cost = cost_of(app, &second, 0).await;
        assert_eq!((&cost["source"], &cost["current"], &cost["match"]["rule"]), (&json!("project"), &json!(true), &json!("pattern")), "{cost}");
        assert_eq!(cost["price_id"], format!("project/{}", made["id"].as_str().unwrap()));
        assert_eq!(cost["lines"], json!([
            {"kind": "input", "tokens": 800, "unit_price": "1", "unit_price_kind": "input", "cost": "0.0008"},
            {"kind": "input_cache_read", "tokens": 200, "unit_price": "0.1", "unit_price_kind": "input_cache_read", "cost": "0.00002"},
            {"kind": "output", "tokens": 100, "unit_price": "10", "unit_price_kind": "output", "cost": "0.001"},
        ]));
        let unpriced = cost_of(app, &first, 0).await;
        assert_eq!((&unpriced["source"], &unpriced["total"], &unpriced["current_total"]), (&json!("none"), &Value::Null, &json!("0.00182")), "{unpriced}");
        let found = must(app, Method::POST, "/prices/match", Some(json!({"model": "house-model"}))).await;
        assert_eq!((&found["match"]["scope"], &found["match"]["model"]), (&json!("project"), &json!("house-*")), "{found}");

        assert_eq!(on(app, Method::POST, "/prices", Some(body)).await.0, 409);
        let (status, wrong) = on(app, Method::POST, "/prices", Some(json!({"model": "m", "prices": [{"rates": {"input": "cheap"}}]}))).await;
        assert_eq!((status, &wrong["error"]["details"][0]["field"]), (400, &json!("prices[0].rates.input")), "{wrong}");
        let path = format!("/prices/{}", made["id"].as_str().unwrap());
        let other = json!({"model": "house-*", "prices": [{"rates": {"input": "2", "output": "20"}}]});
        assert_eq!(must(app, Method::PUT, &path, Some(other)).await["prices"][0]["rates"]["input"], "2");
        let cost = cost_of(app, &second, 0).await;
        assert_eq!((&cost["current"], &cost["total"], &cost["current_total"]), (&json!(false), &json!("0.00182"), &json!("0.004")), "{cost}");
        assert_eq!(cost["lines"][0]["unit_price"], Value::Null, "the rate it was priced at is not there any more: {cost}");
        must(app, Method::DELETE, &path, None).await;
        assert_eq!(on(app, Method::DELETE, &path, None).await.0, 404);
        assert_eq!(must(app, Method::GET, "/prices", None).await, json!([]));
    }

    async fn the_catalogue_can_be_looked_through(app) {
        let page = on(app, Method::GET, "/prices/catalogue?search=GPT-4o&provider=openai&limit=2", None).await.1;
        assert_eq!(page["data"].as_array().unwrap().len(), 2, "{page}");
        assert_eq!(page["meta"]["pagination"]["next_cursor"], "2");
        let price = &page["data"][0]["prices"][0];
        assert!(price["id"].is_string() && price["seen"].is_string() && price["rates"].is_object(), "{page}");
        let next = must(app, Method::GET, "/prices/catalogue?search=GPT-4o&provider=openai&limit=2&page=2", None).await;
        assert_ne!(next[0]["model"], page["data"][0]["model"]);
        assert_eq!(must(app, Method::GET, "/prices/catalogue?search=no-such-thing", None).await, json!([]));
        assert_eq!(on(app, Method::GET, "/prices/catalogue?page=0", None).await.0, 400);
        let found = must(app, Method::POST, "/prices/match", Some(json!({"provider": "Azure", "model": "gpt-4o-2024-08-06"}))).await;
        assert_eq!((&found["match"]["scope"], &found["match"]["provider"]), (&json!("catalogue"), &json!("openai")), "{found}");
        let none = must(app, Method::POST, "/prices/match", Some(json!({"model": "nobody-knows"}))).await;
        assert_eq!(none, json!({"match": null}));
    }

    async fn what_came_before_its_price_is_priced_anew(app) {
        let (trace_id, other, start) = (Spans::trace_id(), Spans::trace_id(), now_ns());
        let model = "model-of-tomorrow";
        // Over several hours, with what no list decides: a cost of the client, rolled-up usage, a known model.
        let mut agent = with(call(&trace_id, 3, start - 2 * HOUR_NS, model), attribute("gen_ai.operation.name", "invoke_agent"));
        agent.attributes[0] = attribute("gen_ai.operation.name", "invoke_agent");
        let spans = vec![
            call(&trace_id, 0, start - 5 * HOUR_NS, model),
            with(call(&trace_id, 1, start - 4 * HOUR_NS, model), attribute("openai.response.service_tier", "batch")),
            with(call(&trace_id, 2, start - 3 * HOUR_NS, model), attribute("gen_ai.usage.cost", "0.5")),
            agent,
            call(&trace_id, 4, start - HOUR_NS, "gpt-4o"),
            call(&other, 0, start, model),
        ];
        assert_eq!(app.send(&request(spans)).await.0, 200);
        app.wait_for_trace(&trace_id, 5).await;
        app.wait_for_trace(&other, 1).await;
        let unpriced = must(app, Method::GET, "/unpriced-models", None).await;
        assert_eq!(unpriced.as_array().unwrap().len(), 1, "{unpriced}");
        assert_eq!((&unpriced[0]["model"], &unpriced[0]["provider"], &unpriced[0]["span_count"]), (&json!(model), &json!("openai"), &json!(3)));
        assert_eq!((&unpriced[0]["reason"], &unpriced[0]["input_tokens"], &unpriced[0]["output_tokens"]), (&json!("unknown_model"), &json!(3_000), &json!(300)));
        assert_eq!(unpriced[0]["usage"], json!({"input": 2_400, "input_cache_read": 600, "output": 300}));
        assert_eq!((cost_of(app, &trace_id, 2).await["source"].clone(), cost_of(app, &trace_id, 3).await["rolled_up"].clone()), (json!("client"), json!(true)));

        let body = |output: Value| json!({"provider": "openai", "model": model, "prices": [{"rates": {"input": "1"}, "batch": {"rates": {"input": "0.5"}}}, output]});
        let half = json!({"provider": "openai", "model": model, "prices": [{"rates": {"input": "1"}}]});
        let made = must(app, Method::POST, "/prices", Some(half)).await;
        let unpriced = must(app, Method::GET, "/unpriced-models", None).await;
        assert_eq!((&unpriced[0]["reason"], &unpriced[0]["missing_rates"]), (&json!("no_rate"), &json!(["output"])));
        let path = format!("/prices/{}", made["id"].as_str().unwrap());
        let late = json!({"provider": "openai", "model": model, "prices": [{"from": "2100-01-01", "rates": {"input": "1", "output": "2"}}]});
        must(app, Method::PUT, &path, Some(late)).await;
        assert_eq!(must(app, Method::GET, "/unpriced-models", None).await[0]["reason"], "before_first_price");
        let mut whole = body(json!({"from": "2100-01-01", "rates": {"input": "9"}}));
        whole["prices"][0]["rates"]["output"] = json!("2");
        must(app, Method::PUT, &path, Some(whole)).await;
        assert_eq!(must(app, Method::GET, "/unpriced-models", None).await[0]["reason"], "price_known");

        let before: Vec<ObservationRow> = vec![row(app, &trace_id, 0).await, row(app, &trace_id, 2).await, row(app, &trace_id, 3).await, row(app, &trace_id, 4).await];
        let known = costs(app, &trace_id, 5).await;
        assert_eq!(Some(known.0), known.1);
        let preview = reprice(app, json!({"mode": "preview"})).await;
        assert_eq!(preview["state"], "done", "{preview}");
        let result = &preview["result"];
        assert_eq!((&result["spans"], &result["changed"], &result["newly_priced"], &result["no_longer_priced"]), (&json!(4), &json!(3), &json!(3), &json!(0)), "{preview}");
        assert_eq!(row(app, &trace_id, 0).await, before[0], "a preview changes nothing");
        // Only part of it, by time and by model.
        let nothing = reprice(app, json!({"mode": "preview", "models": [{"model": "another"}]})).await;
        assert_eq!(nothing["result"]["spans"], 0);
        let part = reprice(app, json!({"mode": "preview", "end_time": ((start - 4 * HOUR_NS) / 1_000_000_000).to_string(), "models": [{"provider": "openai", "model": model}]})).await;
        assert_eq!(part["result"]["changed"], 1, "{part}");

        let applied = reprice(app, json!({"mode": "apply"})).await;
        assert_eq!((&applied["state"], &applied["result"]), (&json!("done"), result));
        // 1,000 in at 1 and 100 out at 2; the batch at half for what it read.
        assert_eq!(row(app, &trace_id, 0).await.total_cost, Some(1_200_000_000));
        assert_eq!(row(app, &trace_id, 1).await.total_cost, Some(700_000_000));
        let (sum, of_trace) = costs(app, &trace_id, 5).await;
        assert_eq!(Some(sum), of_trace, "a trace costs what its spans cost");
        assert_eq!(sum, known.0 + 1_900_000_000);
        let trace = app.wait_for_trace(&other, 1).await;
        assert_eq!((&trace["total_cost"], &trace["unpriced_span_count"]), (&json!("0.0012"), &json!(0)));
        assert_eq!(must(app, Method::GET, "/unpriced-models", None).await, json!([]));
        let changed = row(app, &trace_id, 0).await;
        let (total_cost, cost_details, cost_source, price_id) = (changed.total_cost, changed.cost_details.clone(), changed.cost_source.clone(), changed.price_id.clone());
        assert_eq!(changed, ObservationRow { total_cost, cost_details, cost_source, price_id, row_version: before[0].row_version + 1, ..before[0].clone() }, "nothing else is another");
        for (n, row_before) in [(2, &before[1]), (3, &before[2]), (4, &before[3])] {
            assert_eq!(&row(app, &trace_id, n).await, row_before, "no list decides the cost of span {n}, or it is the same");
        }

        let again = reprice(app, json!({"mode": "apply"})).await;
        assert_eq!((&again["state"], &again["result"]["changed"]), (&json!("done"), &json!(0)), "{again}");
        assert_eq!(row(app, &trace_id, 0).await, changed);
        // Nothing is lost when the store merges.
        app.optimize("observations").await;
        app.optimize("traces").await;
        assert_eq!(costs(app, &trace_id, 5).await, (sum, Some(sum)));
        assert_eq!(must(app, Method::GET, "/repricings", None).await.as_array().unwrap().len(), 5);
    }

    async fn what_the_client_sends_later_beats_a_new_price_and_a_redelivery_does_not(app) {
        let (trace_id, start) = (Spans::trace_id(), now_ns());
        assert_eq!(app.send(&request(vec![call(&trace_id, 0, start, "late-model")])).await.0, 200);
        app.wait_for_trace(&trace_id, 1).await;
        let before = row(app, &trace_id, 0).await;
        let price = json!({"model": "late-model", "prices": [{"rates": {"input": "1", "output": "2"}}]});
        must(app, Method::POST, "/prices", Some(price)).await;
        assert_eq!(reprice(app, json!({"mode": "apply"})).await["result"]["changed"], 1);
        // A queue delivers the entry again that the span came in, as it was priced then.
        app.store().insert_observations(std::iter::once(&before), "again").await.unwrap();
        app.store().recompute(std::iter::once(&before)).await.unwrap();
        assert_eq!(row(app, &trace_id, 0).await.total_cost, Some(1_200_000_000));
        assert_eq!(costs(app, &trace_id, 1).await.1, Some(1_200_000_000));
        // The client sent a correction a moment after the span; it is stored only now.
        let correction = ObservationRow { name: "corrected".to_owned(), row_version: before.row_version + 1_000, ..before.clone() };
        app.store().insert_observations(std::iter::once(&correction), "correction").await.unwrap();
        assert_eq!(row(app, &trace_id, 0).await, correction);
        // And one by the front door.
        let mut renamed = call(&trace_id, 0, start, "late-model");
        renamed.name = "renamed".to_owned();
        assert_eq!(app.send(&request(vec![renamed])).await.0, 200);
        let started = Instant::now();
        while row(app, &trace_id, 0).await.name != "renamed" {
            assert!(started.elapsed() < Duration::from_secs(20));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(row(app, &trace_id, 0).await.total_cost, Some(1_200_000_000), "priced as spans are that come now");
    }
}

/// A re-pricing of many spans through a worker that is killed again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_re_pricing_goes_on_and_one_can_be_cancelled() {
    const SPANS: u64 = 200;
    const TRACES: usize = 60;
    let installation = Installation::split().await.initialised().with("JOBS_LEASE_SECONDS", "2");
    let server = installation.start("server").await;
    let mut worker = installation.start("worker").await;
    let api = Api::sign_in(&server.url).await;
    let start = now_ns();
    let traces: Vec<Vec<u8>> = (0..TRACES).map(|_| Spans::trace_id()).collect();
    for (at, trace_id) in traces.iter().enumerate() {
        let hour = HOUR_NS * (at as u64 % 5);
        let spans = (0..SPANS).map(|n| call(trace_id, n, start - hour + n, "bulk-model")).collect();
        let body = prost::Message::encode_to_vec(&request(spans));
        let post = api.client.post(format!("{}/v1/traces", api.url)).header("x-api-key", crate::harness::API_KEY);
        let answer = post.header("content-type", "application/x-protobuf").body(body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let all = SPANS * TRACES as u64;
    let project = |path: &str| format!("/api/v1/projects/{}{path}", api.project_id);
    let ask = |method, path: String, body| {
        let api = api.clone();
        async move {
            let (status, mut answer) = ask(&api.client, &api.url, &api.token, method, &path, body).await;
            (status, if status < 300 { answer["data"].take() } else { answer })
        }
    };
    let started = Instant::now();
    loop {
        let unpriced = ask(Method::GET, project("/unpriced-models"), None).await.1;
        if unpriced[0]["span_count"] == all {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{unpriced}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let price = json!({"model": "bulk-model", "prices": [{"rates": {"input": "1", "output": "2"}}]});
    assert_eq!(ask(Method::POST, project("/prices"), Some(price)).await.0, 201);

    // One that is cancelled once it has begun ends before its end.
    let made = ask(Method::POST, project("/repricings"), Some(json!({"mode": "apply"}))).await.1;
    let first = project(&format!("/repricings/{}", made["id"].as_str().unwrap()));
    let (status, refused) = ask(Method::POST, project("/repricings"), Some(json!({"mode": "apply"}))).await;
    assert_eq!((status, &refused["error"]["details"]["reason"]), (409, &json!("REPRICING_RUNNING")), "{refused}");
    let (status, cancelled) = ask(Method::POST, format!("{first}/cancel"), None).await;
    assert_eq!(status, 200, "{cancelled}");
    let ended = async |path: &str, patience: u64| {
        let started = Instant::now();
        loop {
            let now = ask(Method::GET, path.to_owned(), None).await.1;
            if !["queued", "running"].contains(&now["state"].as_str().unwrap_or_default()) {
                return now;
            }
            assert!(started.elapsed() < Duration::from_secs(patience), "{now}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let cancelled = ended(&first, 20).await;
    assert_eq!(cancelled["state"], "cancelled", "{cancelled}");
    let before = cancelled["result"]["changed"].as_u64().unwrap_or(0);
    assert!(before < all, "{cancelled}");

    let (status, made) = ask(Method::POST, project("/repricings"), Some(json!({"mode": "apply"}))).await;
    assert_eq!(status, 202, "{made}");
    let second = project(&format!("/repricings/{}", made["id"].as_str().unwrap()));
    for _ in 0..3 {
        let started = Instant::now();
        let seen = ask(Method::GET, second.clone(), None).await.1["progress"]["done"].as_u64().unwrap();
        loop {
            let now = ask(Method::GET, second.clone(), None).await.1;
            if now["progress"]["done"].as_u64().unwrap() > seen || now["state"] == "done" {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "{now}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        worker.process.kill();
        worker = installation.start_on(worker.port(), "worker").await;
    }
    let done = ended(&second, 60).await;
    assert_eq!((&done["state"], &done["result"]["spans"]), (&json!("done"), &json!(all)), "{done}");
    let url = installation.services.as_ref().unwrap().database_url.clone();
    let mut database = sqlx::PgConnection::connect(&url).await.unwrap();
    let query = sqlx::query_scalar("SELECT run FROM repricings WHERE id = $1").bind(done["id"].as_str().unwrap());
    let runs: i32 = query.fetch_one(&mut database).await.unwrap();
    database.close().await.unwrap();
    assert!(runs > 1, "no kill hit the re-pricing");
    assert_eq!(done["result"]["changed"].as_u64().unwrap(), all - before, "each change counts once: {done}");
    for trace_id in &traces {
        let path = format!("/api/v1/traces/{}?project_id={}", hex::encode(trace_id), api.project_id);
        let trace = api.get(&path).await;
        assert_eq!((&trace["data"]["total_cost"], &trace["data"]["unpriced_span_count"]), (&json!("0.24"), &json!(0)), "{trace}");
    }
    worker.stop().await;
    server.stop().await;
}
