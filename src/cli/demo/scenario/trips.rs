//! A trip: a planner that hands parts of the work to specialists at the same time, as Brokle's SDKs write it.

use serde_json::{Value, json};

use super::{CUSTOMERS, Setting, TRAVEL, TRAVEL_STAGING, session};
use crate::cli::demo::content::travel::{PLANNER, SPECIALIST, TRIPS, Trip};
use crate::cli::demo::llm::{self, FLASH, GPT, GPT_MINI, Manner, Model, PLAIN};
use crate::cli::demo::tracer::{At, Draft, Tracer};

struct Errand {
    agent: &'static str,
    tool: &'static str,
    arguments: Value,
    found: &'static str,
    choice: &'static str,
}

fn errands(trip: &Trip) -> [Errand; 3] {
    let (from, to) = trip.dates;
    [
        Errand {
            agent: "flight agent",
            tool: "search_connections",
            arguments: json!({"origin": trip.origin, "destination": trip.city, "from": from, "to": to}),
            found: trip.flights,
            choice: trip.flight_choice,
        },
        Errand {
            agent: "hotel agent",
            tool: "search_hotels",
            arguments: json!({"city": trip.city, "from": from, "to": to, "min_rating": 8}),
            found: trip.hotels,
            choice: trip.hotel_choice,
        },
        Errand {
            agent: "activity agent",
            tool: "search_activities",
            arguments: json!({"city": trip.city, "from": from, "to": to}),
            found: trip.sights,
            choice: trip.sights_choice,
        },
    ]
}

fn run_errand(tracer: &mut Tracer, parent: At, errand: &Errand, trip: &Trip, model: &Model) {
    let agent = llm::open_typed(tracer, Some(parent), errand.agent, "agent");
    let task = format!("{} ({})", errand.agent, trip.request);
    llm::input(tracer, agent, &task);
    let id = format!("call_{}", tracer.random.token(20));
    let mut history = vec![llm::system(SPECIALIST), llm::user(&task)];
    let asks = llm::asks_for("", &id, errand.tool, &errand.arguments);
    llm::chat(tracer, Some(agent), model, &history, &asks, PLAIN);
    llm::tool(tracer, agent, &id, errand.tool, &errand.arguments, errand.found, (240, 1_900));
    history.extend([asks, llm::tool_answer(&id, errand.found)]);
    if errand.tool == "search_activities" {
        let id = format!("call_{}", tracer.random.token(20));
        let given = json!({"city": trip.city, "month": trip.dates.0});
        let asks = llm::asks_for("", &id, "get_climate", &given);
        llm::chat(tracer, Some(agent), model, &history, &asks, PLAIN);
        llm::tool(tracer, agent, &id, "get_climate", &given, trip.weather, (60, 240));
        history.extend([asks, llm::tool_answer(&id, trip.weather)]);
    }
    llm::chat(tracer, Some(agent), model, &history, &llm::assistant(errand.choice), PLAIN);
    llm::output(tracer, agent, errand.choice);
    tracer.close(agent);
}

/// A trip, from the request to the plan.
pub(super) fn plan(setting: Setting<'_>) -> Draft {
    let trip = &TRIPS[setting.ordinal % TRIPS.len()];
    let service = if setting.ordinal % 3 == 1 { TRAVEL_STAGING } else { TRAVEL };
    let specialist = if setting.ordinal.is_multiple_of(2) { &FLASH } else { &GPT_MINI };
    let mut tracer = Tracer::new(setting.ids, setting.random, service);
    let user = *tracer.random.pick(&CUSTOMERS);
    let session = session(&mut tracer.random, "trip");
    tracer.identify(user, &session);

    let root = llm::open_typed(&mut tracer, None, "plan a trip", "workflow");
    llm::input(&mut tracer, root, trip.request);
    tracer.set(root, "brokle.trace.tags", &["travel", "multi-agent"][..]);
    tracer.set(root, "brokle.prompt.name", "trip-planner");
    tracer.set(root, "brokle.prompt.version", "11");
    tracer.wait(3, 10);

    let split = llm::assistant(
        "Flights, hotel and activities can be looked up at the same time. I'll ask the three specialists and then write the plan.",
    );
    llm::chat(&mut tracer, Some(root), &GPT, &[llm::system(PLANNER), llm::user(trip.request)], &split, PLAIN);

    // The specialists work side by side.
    let (start, mut end) = (tracer.now(), 0);
    let errands = errands(trip);
    for errand in &errands {
        tracer.rewind(start);
        tracer.wait(1, 12);
        run_errand(&mut tracer, root, errand, trip, specialist);
        end = end.max(tracer.now());
    }
    tracer.rewind(end);

    let mut history = vec![llm::system(PLANNER), llm::user(trip.request), split];
    history.extend(errands.iter().map(|errand| llm::user(&format!("{}: {}", errand.agent, errand.choice))));
    let manner = Manner { streaming: true, max_tokens: 2_048, cached_percent: 30, ..PLAIN };
    llm::chat(&mut tracer, Some(root), &GPT, &history, &llm::assistant(trip.plan), manner);

    let check = llm::open_typed(&mut tracer, Some(root), "budget check", "guardrail");
    llm::input(&mut tracer, check, trip.plan);
    tracer.wait(2, 9);
    llm::output(&mut tracer, check, r#"{"within_budget":true,"sums_add_up":true}"#);
    tracer.close(check);

    llm::output(&mut tracer, root, trip.plan);
    tracer.succeed(root);
    tracer.close(root);
    tracer.finish("trips planned by several agents")
}
