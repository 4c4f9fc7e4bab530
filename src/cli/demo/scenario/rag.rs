//! Search in documents: a chain of retriever, reranker and model, as OpenInference writes it.

use serde_json::json;

use super::{LAWYERS, LEGAL, Setting, session};
use crate::cli::demo::content::legal::{INSTRUCTIONS, PASSAGES, QUESTIONS};
use crate::cli::demo::llm::{self, GPT, GPT_MINI};
use crate::cli::demo::random::Random;
use crate::cli::demo::tracer::{At, Draft, Tracer};

const FOUND: usize = 8;
const KEPT: usize = 3;

fn documents(tracer: &mut Tracer, span: At, prefix: &str, found: &[(usize, f64)]) {
    for (at, (passage, score)) in found.iter().enumerate() {
        let passage = &PASSAGES[*passage];
        tracer.set(span, &format!("{prefix}.{at}.document.id"), passage.id);
        tracer.set(span, &format!("{prefix}.{at}.document.content"), passage.text);
        tracer.set(span, &format!("{prefix}.{at}.document.score"), *score);
        tracer.set(span, &format!("{prefix}.{at}.document.metadata"), &json!({"source": passage.source}));
    }
}

/// What the vector search finds: the two that matter somewhere among the first five, scores falling.
fn found(random: &mut Random, relevant: [usize; 2]) -> Vec<(usize, f64)> {
    let mut others: Vec<usize> = (0..PASSAGES.len()).filter(|passage| !relevant.contains(passage)).collect();
    random.shuffle(&mut others);
    others.truncate(FOUND - relevant.len());
    for passage in relevant {
        let at = usize::try_from(random.between(0, 4)).unwrap_or(0);
        others.insert(at.min(others.len()), passage);
    }
    let mut score = 0.86;
    others
        .into_iter()
        .map(|passage| {
            score -= 0.01 + random.fraction() * 0.05;
            (passage, (score * 10_000.0).round() / 10_000.0)
        })
        .collect()
}

/// A lawyer's question.
pub(super) fn search(setting: Setting<'_>) -> Draft {
    let question = &QUESTIONS[setting.ordinal % QUESTIONS.len()];
    let mut tracer = Tracer::new(setting.ids, setting.random, LEGAL);
    let user = *tracer.random.pick(&LAWYERS);
    let session = session(&mut tracer.random, "matter");
    tracer.identify(user, &session);

    let root = llm::open_step(&mut tracer, None, "clause search", "CHAIN");
    llm::input(&mut tracer, root, question.asked);
    tracer.set(root, "tag.tags", &["legal", "rag"][..]);
    tracer.wait(2, 6);

    let rewrite = llm::open_step(&mut tracer, Some(root), "rewrite question", "CHAIN");
    llm::input(&mut tracer, rewrite, question.asked);
    let prompt = [("system", "Rewrite the question as search terms. Keep names of parties."), ("user", question.asked)];
    llm::openinference_chat(&mut tracer, rewrite, &GPT_MINI, &prompt, question.rewritten);
    llm::output(&mut tracer, rewrite, question.rewritten);
    tracer.close(rewrite);

    let candidates = found(&mut tracer.random, question.relevant);
    let retriever = llm::open_step(&mut tracer, Some(root), "vector search", "RETRIEVER");
    llm::input(&mut tracer, retriever, question.rewritten);
    llm::embedding(&mut tracer, retriever, "text-embedding-3-large", "openai", &[question.rewritten]);
    tracer.wait(18, 60);
    documents(&mut tracer, retriever, "retrieval.documents", &candidates);
    tracer.set(retriever, "retrieval.top_k", FOUND as u64);
    tracer.succeed(retriever);
    tracer.close(retriever);

    let reranker = llm::open_step(&mut tracer, Some(root), "rerank", "RERANKER");
    tracer.set(reranker, "reranker.query", question.asked);
    tracer.set(reranker, "reranker.model_name", "rerank-v3.5");
    tracer.set(reranker, "reranker.top_k", KEPT as u64);
    documents(&mut tracer, reranker, "reranker.input_documents", &candidates);
    tracer.wait(90, 260);
    let rest = candidates.iter().map(|(passage, _)| *passage).filter(|passage| !question.relevant.contains(passage));
    let kept: Vec<(usize, f64)> = question.relevant.into_iter().chain(rest).zip([0.9731, 0.8114, 0.2047]).take(KEPT).collect();
    documents(&mut tracer, reranker, "reranker.output_documents", &kept);
    tracer.succeed(reranker);
    tracer.close(reranker);

    let mut context = String::new();
    for (passage, _) in &kept {
        let passage = &PASSAGES[*passage];
        context.push_str(&format!("[{}] {}\n{}\n\n", passage.id, passage.source, passage.text));
    }
    let prompt = format!("{context}Question: {}", question.asked);
    llm::openinference_chat(&mut tracer, root, &GPT, &[("system", INSTRUCTIONS), ("user", &prompt)], question.answer);

    let judge = llm::open_step(&mut tracer, Some(root), "faithfulness", "EVALUATOR");
    llm::input(&mut tracer, judge, question.answer);
    tracer.wait(4, 12);
    let verdict = json!({"score": question.faithfulness, "of": 100, "citations_found": kept.iter().filter(|(passage, _)| question.answer.contains(PASSAGES[*passage].id)).count()});
    llm::output(&mut tracer, judge, &verdict.to_string());
    if question.faithfulness < 80 {
        tracer.set(judge, "brokle.span.level", "WARNING");
    }
    tracer.close(judge);

    llm::output(&mut tracer, root, question.answer);
    tracer.succeed(root);
    tracer.close(root);
    tracer.finish("searches in documents")
}
