//! Work without a user: documents embedded over night, a judge that looks at what was answered.

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;

use super::{NIGHTLY, Setting};
use crate::cli::demo::content::support::ARTICLES;
use crate::cli::demo::llm::{self, GPT_MINI, PLAIN};
use crate::cli::demo::tracer::{Draft, Tracer, attribute};

const BATCH: usize = 2;
const JUDGED: usize = 3;

/// The help centre, embedded in batches; one batch is throttled and tried again.
pub(super) fn embedding(setting: Setting<'_>) -> Draft {
    let throttled = 2;
    let mut tracer = Tracer::new(setting.ids, setting.random, NIGHTLY);
    let root = llm::open_typed(&mut tracer, None, "embed help centre", "workflow");
    tracer.set(root, "brokle.trace.tags", &["nightly", "index"][..]);
    llm::input(
        &mut tracer,
        root,
        &json!({"collection": "help-centre", "documents": ARTICLES.len(), "model": "text-embedding-3-small"}).to_string(),
    );
    tracer.wait(80, 200);
    for (number, batch) in ARTICLES.chunks(BATCH).enumerate() {
        if number == throttled {
            tracer.event(root, "rate_limited", vec![attribute("retry_after_ms", 1_200_u64), attribute("batch", number as u64)]);
            tracer.pass(1_200_000_000);
        }
        llm::embedding(&mut tracer, root, "text-embedding-3-small", "openai", batch);
        let upsert = tracer.open(Some(root), "upsert vectors", SpanKind::Client);
        tracer.set(upsert, "db.system.name", "postgresql");
        tracer.set(upsert, "db.operation.name", "INSERT");
        tracer.set(upsert, "db.collection.name", "help_centre_vectors");
        tracer.set(upsert, "db.operation.batch.size", batch.len() as u64);
        tracer.wait(6, 30);
        tracer.close(upsert);
    }
    llm::output(&mut tracer, root, &json!({"embedded": ARTICLES.len(), "retried_batches": 1}).to_string());
    tracer.succeed(root);
    tracer.close(root);
    tracer.finish("embedding jobs")
}

fn text_of<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    let Some(Value::StringValue(text)) = &attribute.value.as_ref()?.value else { return None };
    Some(text)
}

/// A judge reads answers of other traces, and each verdict points to what it judges.
pub(super) fn evaluation(setting: Setting<'_>) -> Draft {
    let judged: Vec<&Span> = setting.earlier.iter().filter(|span| text_of(span, "output.value").is_some()).take(JUDGED).collect();
    let mut tracer = Tracer::new(setting.ids, setting.random, NIGHTLY);
    let root = llm::open_typed(&mut tracer, None, "judge helpfulness", "evaluator");
    tracer.set(root, "brokle.trace.tags", &["nightly", "evaluation"][..]);
    tracer.wait(10, 40);
    let mut scores = Vec::new();
    for span in judged {
        let verdict = llm::open_typed(&mut tracer, Some(root), "judge one answer", "evaluator");
        tracer.link(verdict, span, "evaluates");
        let (question, answer) = (text_of(span, "input.value").unwrap_or_default(), text_of(span, "output.value").unwrap_or_default());
        let input = [
            llm::system("You judge answers. Give a score from 1 to 5 for helpfulness and one sentence why. Answer in JSON."),
            llm::user(&format!("Question:\n{question}\n\nAnswer:\n{answer}")),
        ];
        let score = tracer.random.between(3, 5);
        let reason = match score {
            5 => "Complete, concrete, and nothing in it goes beyond the question.",
            4 => "Correct and useful; the most important point could stand first.",
            _ => "Correct, but the reader still has to find out what to do next.",
        };
        let output = json!({"score": score, "reason": reason}).to_string();
        llm::chat(&mut tracer, Some(verdict), &GPT_MINI, &input, &llm::assistant(&output), PLAIN);
        llm::output(&mut tracer, verdict, &output);
        tracer.set(verdict, "gen_ai.evaluation.name", "helpfulness");
        tracer.set(verdict, "gen_ai.evaluation.score.value", score);
        tracer.close(verdict);
        scores.push(score);
    }
    llm::output(&mut tracer, root, &json!({"judged": scores.len(), "scores": scores}).to_string());
    tracer.succeed(root);
    tracer.close(root);
    tracer.finish("evaluations of other traces")
}
