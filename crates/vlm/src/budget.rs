//! What an episode may spend on a model.

use thiserror::Error;

use crate::provider::{Query, Reply, Usage};

/// What a picture is booked at unless a provider knows better, tokens. Rather more than most services
/// count for 640 to 1024 pixels.
pub const PICTURE_TOKENS: u64 = 1600;

/// What a server's chat template may add around a conversation, tokens.
const TEMPLATE_TOKENS: u64 = 256;
/// The same around each turn of it.
const TURN_TOKENS: u64 = 16;
/// The longest token of a vocabulary in use, bytes: runs of blanks or dashes.
const LONGEST_TOKEN_BYTES: usize = 128;

/// The most tokens that a server may count for the words of a question. No tokenizer makes more
/// tokens of a text than it has bytes: what is in no vocabulary is spelled byte by byte.
#[must_use]
pub fn most_text_tokens(query: &Query) -> u64 {
    let turns = query.turns.len() as u64 * TURN_TOKENS;
    text_bytes(query) as u64 + turns + TEMPLATE_TOKENS
}

/// The fewest tokens that question and answer can have; a server that says less is not believed.
#[must_use]
pub fn least_usage(query: &Query, reply: &Reply) -> Usage {
    let least = |bytes: usize| bytes.div_ceil(LONGEST_TOKEN_BYTES).max(1) as u64;
    Usage {
        input_tokens: least(text_bytes(query)),
        output_tokens: least(reply.text.len()),
        estimated: true,
    }
}

fn text_bytes(query: &Query) -> usize {
    let turns = query.turns.iter().map(|turn| turn.text.len());
    query.system.len() + turns.sum::<usize>()
}

/// What a model costs, in any one currency; called US dollars because price lists are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// For a million tokens of questions.
    pub input_usd_per_million: f64,
    /// For a million tokens of answers.
    pub output_usd_per_million: f64,
}

impl Prices {
    /// What so many tokens cost.
    #[must_use]
    pub fn cost_usd(&self, usage: Usage) -> f64 {
        (usage.input_tokens as f64 * self.input_usd_per_million
            + usage.output_tokens as f64 * self.output_usd_per_million)
            / 1e6
    }
}

/// The most that an episode may spend; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BudgetLimits {
    /// Requests to a server, repeated ones included.
    pub queries: Option<u32>,
    /// Tokens of questions and answers together.
    pub tokens: Option<u64>,
    /// Money.
    pub cost_usd: Option<f64>,
}

/// What an episode has spent, questions under way with their most included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Requests to a server.
    pub queries: u32,
    /// Tokens of questions.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
}

impl Spent {
    fn tokens(self) -> u64 {
        self.input_tokens + self.output_tokens
    }
}

/// Why a budget is none, or does not allow another question.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// Negative, infinite or NaN.
    #[error("{name} is {found}, expected a finite number of 0 or more")]
    Number {
        /// Which one.
        name: &'static str,
        /// What was given.
        found: f64,
    },
    /// Money is limited, and nothing costs any.
    #[error(
        "a limit of {limit_usd} USD has no meaning without prices per million tokens; set them"
    )]
    NoPrices {
        /// The limit.
        limit_usd: f64,
    },
    /// The next question would be one too many.
    #[error("the episode may ask {limit} times and has done so")]
    Queries {
        /// The limit.
        limit: u32,
    },
    /// The next question could need more tokens than are left.
    #[error("the next question may need {needed} tokens; {spent} of {limit} are spent")]
    Tokens {
        /// Question and longest answer.
        needed: u64,
        /// So far.
        spent: u64,
        /// The limit.
        limit: u64,
    },
    /// The next question could cost more than is left.
    #[error(
        "the next question may cost {needed_usd:.4} USD; {spent_usd:.4} of {limit_usd:.4} are spent"
    )]
    Money {
        /// Question and longest answer.
        needed_usd: f64,
        /// So far.
        spent_usd: f64,
        /// The limit.
        limit_usd: f64,
    },
}

/// What a try has cost, as far as anybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// Nothing: it was refused, or nobody was reached, before an answer began.
    Nothing,
    /// Nobody knows: the server may have worked. What was booked counts, or what the server said, if
    /// that is more; 0 where it said nothing.
    Most {
        /// What the server said.
        said: Usage,
    },
    /// What the server said of a complete answer counts, number by number, unless it is less than
    /// the answer can have; then what was booked counts.
    Said {
        /// What the server said.
        usage: Usage,
        /// What question and answer have at least, see [`least_usage`].
        least: Usage,
    },
}

/// The most that a question under way may cost. It stays spent if it is dropped without being
/// settled: whoever gave up does not know what the server did.
#[derive(Debug)]
#[must_use = "a booking that is not settled stays spent"]
pub struct Booking {
    episode: u64,
    /// What was asked for.
    asked: Usage,
    /// What was booked: more, if this server has counted more before.
    most: Usage,
}

/// Limits, prices and what is spent. A question books the most that it may cost before it is asked,
/// and belongs to the episode in which it was booked, whenever it ends.
///
/// As long as a server counts no more than was booked, no limit is ever passed. One that counts more is
/// believed: the limit may then be passed by what the questions under way have cost beyond their
/// bookings, and the episode's further questions book as much more as the worst one was.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    limits: BudgetLimits,
    prices: Prices,
    spent: Spent,
    episode: u64,
    /// By what factor the server has counted more input and output tokens than were booked.
    excess: [f64; 2],
}

impl Default for Budget {
    /// No limits, no prices.
    fn default() -> Self {
        Self {
            limits: BudgetLimits::default(),
            prices: Prices::default(),
            spent: Spent::default(),
            episode: 0,
            excess: [1.0; 2],
        }
    }
}

impl Budget {
    /// Checks limits and prices.
    ///
    /// # Errors
    /// [`BudgetError::Number`] and [`BudgetError::NoPrices`].
    pub fn new(limits: BudgetLimits, prices: Prices) -> Result<Self, BudgetError> {
        for (name, found) in [
            ("the price of input tokens", prices.input_usd_per_million),
            ("the price of output tokens", prices.output_usd_per_million),
            ("the limit on money", limits.cost_usd.unwrap_or(0.0)),
        ] {
            if !found.is_finite() || found < 0.0 {
                return Err(BudgetError::Number { name, found });
            }
        }
        if let Some(limit_usd) = limits.cost_usd
            && prices == Prices::default()
        {
            return Err(BudgetError::NoPrices { limit_usd });
        }
        Ok(Self {
            limits,
            prices,
            ..Self::default()
        })
    }

    /// Books a question that may need so many tokens, if that is still allowed.
    ///
    /// # Errors
    /// [`BudgetError`] names what would be passed.
    pub fn book(&mut self, asked: Usage) -> Result<Booking, BudgetError> {
        let asked = bounded(asked);
        let scaled = |tokens: u64, factor: f64| (tokens as f64 * factor).ceil() as u64;
        let most = bounded(Usage {
            input_tokens: scaled(asked.input_tokens, self.excess[0]),
            output_tokens: scaled(asked.output_tokens, self.excess[1]),
            ..asked
        });
        if let Some(limit) = self.limits.queries
            && self.spent.queries >= limit
        {
            return Err(BudgetError::Queries { limit });
        }
        let needed = most.input_tokens + most.output_tokens;
        let spent = self.spent.tokens();
        if let Some(limit) = self.limits.tokens
            && spent.saturating_add(needed) > limit
        {
            return Err(BudgetError::Tokens {
                needed,
                spent,
                limit,
            });
        }
        let (needed_usd, spent_usd) = (self.prices.cost_usd(most), self.cost_usd());
        if let Some(limit_usd) = self.limits.cost_usd
            && spent_usd + needed_usd > limit_usd
        {
            return Err(BudgetError::Money {
                needed_usd,
                spent_usd,
                limit_usd,
            });
        }
        self.spent.queries = self.spent.queries.saturating_add(1);
        replace(&mut self.spent, Usage::default(), most);
        Ok(Booking {
            episode: self.episode,
            asked,
            most,
        })
    }

    /// Replaces what was booked for a question by what it has cost; gives that in USD. The account of
    /// an episode that has ended meanwhile is closed, and the next one's is not touched.
    pub fn settle(&mut self, booking: Booking, charge: Charge) -> f64 {
        let Booking {
            episode,
            asked,
            most,
        } = booking;
        let used = match charge {
            Charge::Nothing => Usage::default(),
            Charge::Most { said } => larger(most, bounded(said)),
            Charge::Said { usage, least } => {
                let usage = bounded(usage);
                let credible = |said: u64, least: u64, most: u64| match said >= least {
                    true => said,
                    false => most.max(least),
                };
                Usage {
                    input_tokens: credible(
                        usage.input_tokens,
                        least.input_tokens,
                        most.input_tokens,
                    ),
                    output_tokens: credible(
                        usage.output_tokens,
                        least.output_tokens,
                        most.output_tokens,
                    ),
                    ..usage
                }
            }
        };
        if episode == self.episode {
            // Only what was said beyond a booking teaches; what was booked itself does not.
            for (index, used, most, asked) in [
                (0, used.input_tokens, most.input_tokens, asked.input_tokens),
                (
                    1,
                    used.output_tokens,
                    most.output_tokens,
                    asked.output_tokens,
                ),
            ] {
                if used > most {
                    self.excess[index] = used as f64 / asked.max(1) as f64;
                }
            }
            replace(&mut self.spent, most, used);
        }
        self.prices.cost_usd(used)
    }

    /// Begins an episode: nothing is spent. Questions under way stay with the episode before.
    pub fn start_episode(&mut self) {
        self.spent = Spent::default();
        self.excess = [1.0; 2];
        self.episode += 1;
    }

    /// What the episode has spent.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// What the episode has spent, USD.
    #[must_use]
    pub fn cost_usd(&self) -> f64 {
        self.prices.cost_usd(Usage {
            input_tokens: self.spent.input_tokens,
            output_tokens: self.spent.output_tokens,
            estimated: false,
        })
    }
}

fn replace(spent: &mut Spent, old: Usage, new: Usage) {
    let replaced = |spent: u64, old: u64, new: u64| spent.saturating_sub(old).saturating_add(new);
    spent.input_tokens = replaced(spent.input_tokens, old.input_tokens, new.input_tokens);
    spent.output_tokens = replaced(spent.output_tokens, old.output_tokens, new.output_tokens);
}

/// The larger one, number by number.
pub(crate) fn larger(one: Usage, other: Usage) -> Usage {
    Usage {
        input_tokens: one.input_tokens.max(other.input_tokens),
        output_tokens: one.output_tokens.max(other.output_tokens),
        estimated: one.estimated || other.estimated,
    }
}

/// Token counts come from servers; sums of these do not overflow.
fn bounded(usage: Usage) -> Usage {
    const MOST: u64 = 1 << 32;
    Usage {
        input_tokens: usage.input_tokens.min(MOST),
        output_tokens: usage.output_tokens.min(MOST),
        ..usage
    }
}

#[cfg(test)]
mod tests;
