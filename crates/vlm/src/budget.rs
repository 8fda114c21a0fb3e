//! What an episode may spend on a model.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::provider::Usage;

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

/// What an episode has spent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Spent {
    /// Requests to a server.
    pub queries: u32,
    /// Tokens of questions and answers together.
    pub tokens: u64,
    /// Money.
    pub cost_usd: f64,
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

/// Limits, prices and what is spent. A question is admitted only if its longest answer could still
/// be paid, so that no limit is ever passed by an honest server.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Budget {
    limits: BudgetLimits,
    prices: Prices,
    spent: Spent,
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
            spent: Spent::default(),
        })
    }

    /// Whether a question that may need so many tokens is still allowed.
    ///
    /// # Errors
    /// [`BudgetError`] names what would be passed.
    pub fn admit(&self, most: Usage) -> Result<(), BudgetError> {
        if let Some(limit) = self.limits.queries
            && self.spent.queries >= limit
        {
            return Err(BudgetError::Queries { limit });
        }
        let needed = most.input_tokens.saturating_add(most.output_tokens);
        let spent = self.spent.tokens;
        if let Some(limit) = self.limits.tokens
            && spent.saturating_add(needed) > limit
        {
            return Err(BudgetError::Tokens {
                needed,
                spent,
                limit,
            });
        }
        let (needed_usd, spent_usd) = (self.prices.cost_usd(most), self.spent.cost_usd);
        if let Some(limit_usd) = self.limits.cost_usd
            && spent_usd + needed_usd > limit_usd
        {
            return Err(BudgetError::Money {
                needed_usd,
                spent_usd,
                limit_usd,
            });
        }
        Ok(())
    }

    /// Takes a question and its answer off the budget; gives what they cost in USD.
    pub fn charge(&mut self, usage: Usage) -> f64 {
        let cost_usd = self.prices.cost_usd(usage);
        let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
        self.spent.queries = self.spent.queries.saturating_add(1);
        self.spent.tokens = self.spent.tokens.saturating_add(tokens);
        self.spent.cost_usd += cost_usd;
        cost_usd
    }

    /// Begins an episode: nothing is spent.
    pub fn start_episode(&mut self) {
        self.spent = Spent::default();
    }

    /// What the episode has spent.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICES: Prices = Prices {
        input_usd_per_million: 2.0,
        output_usd_per_million: 10.0,
    };

    fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
        Usage {
            input_tokens,
            output_tokens,
            estimated: false,
        }
    }

    fn budget(limits: BudgetLimits) -> Budget {
        Budget::new(limits, PRICES).unwrap()
    }

    #[test]
    fn each_limit_stops_the_question_that_could_pass_it() {
        let mut queries = budget(BudgetLimits {
            queries: Some(1),
            ..Default::default()
        });
        queries.admit(usage(1, 1)).unwrap();
        queries.charge(usage(1, 1));
        assert_eq!(
            queries.admit(usage(1, 1)),
            Err(BudgetError::Queries { limit: 1 })
        );
        queries.start_episode();
        queries.admit(usage(1, 1)).unwrap();

        let mut tokens = budget(BudgetLimits {
            tokens: Some(100),
            ..Default::default()
        });
        tokens.admit(usage(60, 40)).unwrap();
        tokens.charge(usage(60, 1));
        assert!(matches!(
            tokens.admit(usage(30, 10)),
            Err(BudgetError::Tokens {
                needed: 40,
                spent: 61,
                limit: 100
            })
        ));
        assert!(tokens.admit(usage(u64::MAX, 1)).is_err());

        let mut money = budget(BudgetLimits {
            cost_usd: Some(0.02),
            ..Default::default()
        });
        assert!((money.charge(usage(5000, 500)) - 0.015).abs() < 1e-12);
        money.admit(usage(1000, 300)).unwrap();
        let error = money.admit(usage(1000, 301)).unwrap_err();
        assert!(error.to_string().contains("0.0150 of 0.0200"), "{error}");
    }

    #[test]
    fn without_limits_everything_is_allowed_and_still_counted() {
        let mut free = Budget::default();
        for _ in 0..3 {
            free.admit(usage(u64::MAX, u64::MAX)).unwrap();
            free.charge(usage(10, 5));
        }
        assert_eq!(
            free.spent(),
            Spent {
                queries: 3,
                tokens: 45,
                cost_usd: 0.0
            }
        );
    }

    #[test]
    fn nonsense_is_refused() {
        let bad = |limits, prices| Budget::new(limits, prices).unwrap_err();
        let limits = BudgetLimits {
            cost_usd: Some(1.0),
            ..Default::default()
        };
        assert_eq!(
            bad(limits, Prices::default()),
            BudgetError::NoPrices { limit_usd: 1.0 }
        );
        for value in [-1.0, f64::NAN, f64::INFINITY] {
            let prices = Prices {
                output_usd_per_million: value,
                ..PRICES
            };
            assert!(matches!(
                bad(BudgetLimits::default(), prices),
                BudgetError::Number { .. }
            ));
        }
    }
}
