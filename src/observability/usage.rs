//! The kinds of usage that are stored and priced: tokens, each counted exactly once.

/// A kind of token usage. The kinds are disjoint: a cached input token is not counted under `input` too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum UsageKind {
    /// Input tokens that were neither cached nor of another medium.
    Input,
    InputCacheRead,
    /// Cache writes that live for five minutes, and those whose life is not told.
    InputCacheWrite5m,
    InputCacheWrite1h,
    InputAudio,
    InputImage,
    /// Visible output tokens.
    Output,
    OutputReasoning,
    OutputAudio,
}

impl UsageKind {
    /// How many kinds there are.
    pub const COUNT: usize = 9;

    /// Every kind, in the order in which they are stored.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Input,
        Self::InputCacheRead,
        Self::InputCacheWrite5m,
        Self::InputCacheWrite1h,
        Self::InputAudio,
        Self::InputImage,
        Self::Output,
        Self::OutputReasoning,
        Self::OutputAudio,
    ];

    /// The key in `usage_details`, `cost_details` and the price catalogue.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::InputCacheRead => "input_cache_read",
            Self::InputCacheWrite5m => "input_cache_write_5m",
            Self::InputCacheWrite1h => "input_cache_write_1h",
            Self::InputAudio => "input_audio",
            Self::InputImage => "input_image",
            Self::Output => "output",
            Self::OutputReasoning => "output_reasoning",
            Self::OutputAudio => "output_audio",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the kind is part of what the model read.
    #[must_use]
    pub fn is_input(self) -> bool {
        self < Self::Output
    }
}

/// Tokens by kind; `None` where nothing was said, which is not zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens([Option<u64>; UsageKind::COUNT]);

impl Tokens {
    #[must_use]
    pub fn get(&self, kind: UsageKind) -> Option<u64> {
        self.0[kind as usize]
    }

    pub fn set(&mut self, kind: UsageKind, tokens: u64) {
        self.0[kind as usize] = Some(tokens);
    }

    /// The kinds that were told, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (UsageKind, u64)> + '_ {
        UsageKind::ALL.into_iter().filter_map(|kind| self.get(kind).map(|tokens| (kind, tokens)))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The sum over the input kinds.
    #[must_use]
    pub fn input(&self) -> u64 {
        self.iter().filter(|(kind, _)| kind.is_input()).fold(0, |sum, (_, tokens)| sum.saturating_add(tokens))
    }

    /// The sum over the output kinds.
    #[must_use]
    pub fn output(&self) -> u64 {
        self.iter().filter(|(kind, _)| !kind.is_input()).fold(0, |sum, (_, tokens)| sum.saturating_add(tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_are_in_place() {
        for (at, kind) in UsageKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
            assert_eq!(UsageKind::from_name(kind.name()), Some(kind));
            assert_eq!(kind.is_input(), kind.name().starts_with("input"));
        }
    }
}
