//! Agents with tools: support tickets, work on code, a run that fails and one that is not over.

use serde_json::{Value, json};

use super::{CODING, CODING_DEV, CUSTOMERS, DEVELOPERS, SUPPORT, SUPPORT_STAGING, Setting, session};
use crate::cli::demo::content::coding::{Answer, TASKS};
use crate::cli::demo::content::{coding, support};
use crate::cli::demo::llm::{self, GPT_MINI, GPT_REASONING, Manner, Model, PLAIN, SONNET};
use crate::cli::demo::tracer::{At, Draft, Tracer};

const ABOUT_SUPPORT: &str = "answers customers of the bike shop, with access to orders, stock and payments";
const ABOUT_CODING: &str = "reads, edits and tests code in a checkout";

fn arguments(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn call_id(tracer: &mut Tracer, model: &Model) -> String {
    let prefix = if model.provider == "anthropic" { "toolu_01" } else { "call_" };
    format!("{prefix}{}", tracer.random.token(20))
}

/// How the `round`th call of a run is made: from the second on most of the input is cached.
fn manner(round: usize) -> Manner {
    Manner { temperature: 0.0, max_tokens: 4_096, cached_percent: if round == 0 { 0 } else { 82 }, writes_cache: round > 0, ..PLAIN }
}

/// A question that needs the shop's systems.
pub(super) fn ticket(setting: Setting<'_>) -> Draft {
    let ticket = &support::TICKETS[setting.ordinal % support::TICKETS.len()];
    let service = if setting.ordinal % 4 == 3 { SUPPORT_STAGING } else { SUPPORT };
    let model = if setting.ordinal.is_multiple_of(2) { &GPT_REASONING } else { &GPT_MINI };
    let mut tracer = Tracer::new(setting.ids, setting.random, service);
    let user = *tracer.random.pick(&CUSTOMERS);
    let session = session(&mut tracer.random, "chat");
    tracer.identify(user, &session);

    let root = llm::open_agent(&mut tracer, None, "support-agent", ABOUT_SUPPORT);
    tracer.set(root, "brokle.trace.tags", &["web-chat", "order"][..]);
    let mut history = vec![llm::system(support::INSTRUCTIONS), llm::user(ticket.question)];
    tracer.set(root, "gen_ai.input.messages", &json!([llm::user(ticket.question)]));
    for (step, (thought, tool, given, answer)) in ticket.steps.iter().enumerate() {
        if let Some((at, exception, message)) = ticket.fault
            && at == step
        {
            let id = call_id(&mut tracer, model);
            let asks = llm::asks_for(thought, &id, tool, &arguments(given));
            llm::chat(&mut tracer, Some(root), model, &history, &asks, Manner { writes_cache: false, ..manner(step) });
            llm::failing_tool(&mut tracer, root, &id, tool, &arguments(given), (exception, message));
            history.extend([asks, llm::tool_answer(&id, &format!("error: {exception}: {message}"))]);
        }
        let id = call_id(&mut tracer, model);
        let asks = llm::asks_for(thought, &id, tool, &arguments(given));
        llm::chat(&mut tracer, Some(root), model, &history, &asks, Manner { writes_cache: false, ..manner(step) });
        llm::tool(&mut tracer, root, &id, tool, &arguments(given), answer, (40, 420));
        history.extend([asks, llm::tool_answer(&id, answer)]);
    }
    let answer = llm::assistant(ticket.answer);
    let manner = Manner { streaming: true, writes_cache: false, ..manner(1) };
    llm::chat(&mut tracer, Some(root), model, &history, &answer, manner);
    tracer.set(root, "gen_ai.output.messages", &json!([answer]));
    tracer.succeed(root);
    tracer.close(root);
    tracer.finish("support agents with tools")
}

/// The rounds of a task up to `rounds`; what was said and done so far comes back.
fn work(tracer: &mut Tracer, root: At, task: &coding::Task, rounds: usize) -> Vec<Value> {
    let mut history = vec![llm::system(coding::INSTRUCTIONS), llm::user(task.request)];
    for (at, round) in task.rounds.iter().take(rounds).enumerate() {
        let id = call_id(tracer, &SONNET);
        let given = arguments(round.arguments);
        let asks = llm::asks_for(round.thought, &id, round.tool, &given);
        llm::chat(tracer, Some(root), &SONNET, &history, &asks, manner(at));
        let result = match round.answer {
            Answer::Good(answer) => {
                let slow = matches!(round.tool, "run_tests" | "run_command");
                llm::tool(tracer, root, &id, round.tool, &given, answer, if slow { (1_800, 14_000) } else { (4, 60) });
                answer.to_owned()
            }
            Answer::Thrown(exception, message) => {
                llm::failing_tool(tracer, root, &id, round.tool, &given, (exception, message));
                format!("error: {exception}: {message}")
            }
        };
        history.extend([asks, llm::tool_answer(&id, &result)]);
    }
    history
}

fn begin_coding(setting: Setting<'_>) -> (Tracer, At, &'static coding::Task) {
    let task = &TASKS[setting.ordinal % TASKS.len()];
    let service = if setting.ordinal % 3 == 2 { CODING_DEV } else { CODING };
    let mut tracer = Tracer::new(setting.ids, setting.random, service);
    let user = *tracer.random.pick(&DEVELOPERS);
    let session = session(&mut tracer.random, "task");
    tracer.identify(user, &session);
    let root = llm::open_agent(&mut tracer, None, "coder", ABOUT_CODING);
    tracer.set(root, "vcs.repository.name", task.repository);
    tracer.set(root, "brokle.trace.tags", &["coding", task.repository][..]);
    tracer.set(root, "gen_ai.input.messages", &json!([llm::user(task.request)]));
    (tracer, root, task)
}

/// A task on code, done in several rounds; some tools throw, and the model finds its way around it.
pub(super) fn coding(setting: Setting<'_>) -> Draft {
    let (mut tracer, root, task) = begin_coding(setting);
    let history = work(&mut tracer, root, task, task.rounds.len());
    let answer = llm::assistant(task.answer);
    llm::chat(&mut tracer, Some(root), &SONNET, &history, &answer, Manner { streaming: true, ..manner(1) });
    tracer.set(root, "gen_ai.output.messages", &json!([answer]));
    tracer.succeed(root);
    tracer.close(root);
    tracer.finish("agents at work on code")
}

/// A run that fails for good: the provider is overloaded three times in a row.
pub(super) fn failed(setting: Setting<'_>) -> Draft {
    let (mut tracer, root, task) = begin_coding(Setting { ordinal: setting.ordinal + 1, ..setting });
    let history = work(&mut tracer, root, task, 2);
    let (exception, message) = ("OverloadedError", "529 the service is overloaded, try again later");
    for attempt in 1..=3_u64 {
        llm::failing_chat(&mut tracer, Some(root), &SONNET, &history, exception, message);
        if attempt < 3 {
            tracer.wait(900 * attempt, 1_300 * attempt);
        }
    }
    let stack = format!(
        "Error: giving up after 3 attempts\n    at Agent.complete (/srv/app/dist/agent.js:214:13)\n    at Agent.run (/srv/app/dist/agent.js:98:22)\n  caused by {exception}: {message}"
    );
    tracer.fail(root, "AgentRunError", "giving up after 3 attempts", &stack);
    tracer.close(root);
    tracer.finish("runs that failed")
}

/// A run in the middle: the agent and its last tool have not ended.
pub(super) fn running(setting: Setting<'_>) -> Draft {
    let (mut tracer, root, task) = begin_coding(Setting { ordinal: 3, ..setting });
    let mut history = work(&mut tracer, root, task, 4);
    let id = call_id(&mut tracer, &SONNET);
    let given = json!({"command": "docker build -t recommendations-api:slim ."});
    let asks = llm::asks_for("Now the build.", &id, "run_command", &given);
    llm::chat(&mut tracer, Some(root), &SONNET, &history, &asks, manner(4));
    history.push(asks);
    llm::open_tool(&mut tracer, root, &id, "run_command", &given);
    tracer.wait(1_500, 4_000);
    tracer.finish("runs still going on")
}
