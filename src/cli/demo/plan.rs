//! Which runs a demo has and when each happened.

use super::content::conversation;
use super::random::Random;
use super::scenario::{self, Kind, Setting};
use super::tracer::Draft;

const SECOND: u64 = 1_000_000_000;
/// The newest run ended this long ago.
const NEWEST: u64 = 3 * SECOND;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub traces: usize,
    pub hours: u64,
    pub seed: u64,
    /// Nanoseconds since the Unix epoch.
    pub now: u64,
}

/// All traces, oldest first, each in its place in time. Same seed and time, same bytes; content and durations depend on the seed only.
pub(super) fn generate(wanted: Wanted) -> Vec<Draft> {
    let content = Random::new(wanted.seed);
    // Two demos sent one after the other are two sets of traces, not one set twice.
    let ids = Random::new(wanted.seed ^ wanted.now.rotate_left(17));
    let turns = scenario::turns(wanted.traces);
    let kinds = scenario::kinds(wanted.traces - turns);
    let session = format!("lesson-{}", ids.part(u64::MAX).token(10).to_lowercase());
    let setting = |number: usize, ordinal, earlier| Setting {
        ids: ids.part(number as u64 + 1),
        random: content.part(number as u64 + 1),
        ordinal,
        earlier,
        conversation: &session,
    };

    let window = wanted.hours * 3_600 * SECOND;
    let oldest = wanted.now.saturating_sub(window);
    // The rest of the window is room for the oldest run's own length.
    let spread = window / 100 * 96;

    let mut placed = conversation_turns(turns, wanted, spread, |turn| scenario::write(Kind::Turn(turn), setting(turn, turn, &[])));
    let mut drafts: Vec<(Kind, Draft)> = Vec::new();
    for (at, kind) in kinds.iter().enumerate().filter(|(_, kind)| **kind != Kind::Evaluation) {
        let ordinal = kinds[..at].iter().filter(|other| *other == kind).count();
        drafts.push((*kind, scenario::write(*kind, setting(conversation::TURNS.len() + at, ordinal, &[]))));
    }

    // The running one and the judge are the newest; the others lie in any order.
    let mut order = content.part(0);
    order.shuffle(&mut drafts);
    drafts.sort_by_key(|(kind, _)| *kind != Kind::Running);
    let count = drafts.len() as u64 + 1;
    for (slot, (_, draft)) in drafts.into_iter().enumerate() {
        let age = if slot == 0 { 0 } else { slot as u64 * (spread / count) + order.between(0, spread / count / 10 * 8) };
        let start = wanted.now.saturating_sub(NEWEST + age + draft.length).max(oldest);
        placed.push(draft.place(start));
    }
    placed.sort_by_key(|draft| draft.spans.first().map_or(0, |root| root.start_time_unix_nano));
    if let Some(at) = kinds.iter().position(|kind| *kind == Kind::Evaluation) {
        let roots: Vec<_> = placed.iter().rev().filter_map(|draft| draft.spans.first().cloned()).collect();
        let judge = scenario::write(Kind::Evaluation, setting(conversation::TURNS.len() + at, 0, &roots));
        let start = wanted.now.saturating_sub(NEWEST + judge.length).max(oldest);
        placed.push(judge.place(start));
        placed.sort_by_key(|draft| draft.spans.first().map_or(0, |root| root.start_time_unix_nano));
    }
    placed
}

/// The turns of the conversation one after the other, with the learner's pauses between them.
fn conversation_turns(turns: usize, wanted: Wanted, spread: u64, write: impl Fn(usize) -> Draft) -> Vec<Draft> {
    let mut random = Random::new(wanted.seed).part(1_000_003);
    let longest_pause = (spread / 2 / (turns as u64 + 1)).min(170 * SECOND);
    let mut start = wanted.now.saturating_sub(spread / 10 * 6);
    (0..turns)
        .map(|turn| {
            let draft = write(turn).place(start);
            start += draft.length + random.between(longest_pause / 4, longest_pause / 10 * 9);
            draft
        })
        .collect()
}
