//! What an episode may spend on a model.

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

/// Limits, prices and what is spent. A question books the most that it may cost before it is asked,
/// so that no limit is ever passed by an honest server, and a question that is given up stays booked.
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

    /// Books a question that may need so many tokens, if that is still allowed.
    ///
    /// # Errors
    /// [`BudgetError`] names what would be passed.
    pub fn book(&mut self, most: Usage) -> Result<(), BudgetError> {
        let most = believable(most);
        if let Some(limit) = self.limits.queries
            && self.spent.queries >= limit
        {
            return Err(BudgetError::Queries { limit });
        }
        let needed = most.input_tokens + most.output_tokens;
        let spent = self.spent.tokens();
        if let Some(limit) = self.limits.tokens
            && spent + needed > limit
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
        self.spent.input_tokens += most.input_tokens;
        self.spent.output_tokens += most.output_tokens;
        Ok(())
    }

    /// Replaces what was booked for a question by what it has needed; gives its cost in USD.
    pub fn settle(&mut self, booked: Usage, used: Usage) -> f64 {
        let (booked, used) = (believable(booked), believable(used));
        // An episode may have begun in between, and its account is empty.
        let spent = &mut self.spent;
        spent.input_tokens =
            spent.input_tokens.saturating_sub(booked.input_tokens) + used.input_tokens;
        spent.output_tokens =
            spent.output_tokens.saturating_sub(booked.output_tokens) + used.output_tokens;
        self.prices.cost_usd(used)
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

/// Token counts come from servers; sums of these cannot overflow.
fn believable(usage: Usage) -> Usage {
    const MOST: u64 = 1 << 32;
    Usage {
        input_tokens: usage.input_tokens.min(MOST),
        output_tokens: usage.output_tokens.min(MOST),
        ..usage
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
        queries.book(usage(1, 1)).unwrap();
        assert_eq!(
            queries.book(usage(1, 1)),
            Err(BudgetError::Queries { limit: 1 })
        );
        queries.start_episode();
        queries.book(usage(1, 1)).unwrap();

        let mut tokens = budget(BudgetLimits {
            tokens: Some(100),
            ..Default::default()
        });
        tokens.book(usage(60, 40)).unwrap();
        tokens.settle(usage(60, 40), usage(60, 1));
        let expected = BudgetError::Tokens {
            needed: 40,
            spent: 61,
            limit: 100,
        };
        assert_eq!(tokens.book(usage(30, 10)), Err(expected));
        assert!(tokens.book(usage(u64::MAX, 1)).is_err());

        let mut money = budget(BudgetLimits {
            cost_usd: Some(0.02),
            ..Default::default()
        });
        money.book(usage(5000, 1000)).unwrap();
        let cost_usd = money.settle(usage(5000, 1000), usage(5000, 500));
        assert!((cost_usd - 0.015).abs() < 1e-12);
        let error = money.book(usage(1000, 301)).unwrap_err();
        assert!(error.to_string().contains("0.0150 of 0.0200"), "{error}");
        money.book(usage(1000, 299)).unwrap();
    }

    #[test]
    fn questions_under_way_and_given_up_stay_booked() {
        let mut budget = budget(BudgetLimits {
            tokens: Some(100),
            ..Default::default()
        });
        budget.book(usage(10, 50)).unwrap();
        assert!(budget.book(usage(10, 50)).is_err());
        budget.start_episode();
        budget.settle(usage(10, 50), usage(10, 5));
        assert_eq!(
            budget.spent().input_tokens + budget.spent().output_tokens,
            15
        );
    }

    #[test]
    fn without_limits_everything_is_allowed_and_still_counted() {
        let mut free = Budget::default();
        for _ in 0..3 {
            free.book(usage(u64::MAX, u64::MAX)).unwrap();
            free.settle(usage(u64::MAX, u64::MAX), usage(10, 5));
        }
        let spent = Spent {
            queries: 3,
            input_tokens: 30,
            output_tokens: 15,
        };
        assert_eq!((free.spent(), free.cost_usd()), (spent, 0.0));
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
