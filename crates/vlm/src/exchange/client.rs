//! Asks a provider: cache first, within the budget, again where that may help, and on record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::record::{Attempt, ExchangeRecord, Recorder};
use crate::budget::{Booking, Budget, Charge, Spent, least_usage};
use crate::cache::Cache;
use crate::http::retry::{Failed, Next, RetryPolicy, Tries, luck};
use crate::provider::{Identity, Outcome, Provider, ProviderError, Query, Reply, Usage};

/// Tries of one question that may teach something about requests, beyond those that may fail.
const MOST_CHANGES: usize = 6;

/// How a question ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// The answer, or why there is none.
    pub result: Result<Reply, ProviderError>,
    /// Every try; none if the answer came from the cache or the budget did not allow one.
    pub attempts: Vec<Attempt>,
    /// Whether the answer came from the cache.
    pub from_cache: bool,
    /// What it cost, USD.
    pub cost_usd: f64,
    /// How long it took.
    pub duration: Duration,
}

impl Exchange {
    /// How it ended, by name.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match &self.result {
            Ok(_) => Outcome::Ok,
            Err(error) => error.outcome,
        }
    }
}

/// A provider with its cache, budget and recorder.
pub struct Client {
    provider: Arc<dyn Provider>,
    retry: RetryPolicy,
    budget: Mutex<Budget>,
    cache: Option<Cache>,
    recorder: Option<Recorder>,
}

impl Client {
    /// A client with neither limits nor cache nor recorder.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self {
            provider,
            retry: RetryPolicy::default(),
            budget: Mutex::default(),
            cache: None,
            recorder: None,
        }
    }

    /// The same with other waits between tries.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The same with a budget.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = Mutex::new(budget);
        self
    }

    /// The same with a cache for answers that cost something.
    #[must_use]
    pub fn with_cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// The same with a recorder.
    #[must_use]
    pub fn with_recorder(mut self, recorder: Recorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Who is asked.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        self.provider.identity()
    }

    /// Whether a question costs time and money.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.provider.is_remote()
    }

    /// Begins an episode: its budget is whole again.
    pub fn start_episode(&self) {
        self.budget().start_episode();
    }

    /// What the episode has spent.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.budget().spent()
    }

    /// What the episode has spent, USD.
    #[must_use]
    pub fn cost_usd(&self) -> f64 {
        self.budget().cost_usd()
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        // Numbers cannot be left half changed by a panic elsewhere.
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, within the provider's total timeout. Disk trouble is logged and does not keep an answer back.
    pub async fn ask(&self, query: &Query) -> Exchange {
        let started = Instant::now();
        let cache = self.cache.as_ref().filter(|_| self.provider.is_remote());
        let key = cache.map(|_| Cache::key(query, self.identity()));
        let cached = cache
            .zip(key.as_ref())
            .and_then(|(cache, key)| cache.get(key));
        let mut exchange = match cached {
            Some(reply) => Exchange {
                result: Ok(reply),
                attempts: Vec::new(),
                from_cache: true,
                cost_usd: 0.0,
                duration: Duration::ZERO,
            },
            None => {
                self.ask_provider(query, started + self.provider.total_timeout())
                    .await
            }
        };
        exchange.duration = started.elapsed();
        if let (Some(cache), Some(key), Ok(reply), false) =
            (cache, &key, &exchange.result, exchange.from_cache)
            && let Err(error) = cache.put(key, self.identity(), reply)
        {
            tracing::warn!("cannot keep an answer in the cache: {error}");
        }
        self.record(query, &exchange);
        exchange
    }

    /// Drops the cached answer to a question, so that it is asked anew: for answers that led to
    /// nothing.
    pub fn forget(&self, query: &Query) {
        if let Some(cache) = &self.cache {
            cache.remove(&Cache::key(query, self.identity()));
        }
    }

    fn record(&self, query: &Query, exchange: &Exchange) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let mut record = ExchangeRecord::new(query, self.identity(), &exchange.result);
        record.cost_usd = exchange.cost_usd;
        record.from_cache = exchange.from_cache;
        record.duration_ms = milliseconds(exchange.duration);
        record.attempts.clone_from(&exchange.attempts);
        if let Err(error) = recorder.write(&record, query) {
            tracing::warn!("cannot record an exchange: {error}");
        }
    }

    async fn ask_provider(&self, query: &Query, deadline: Instant) -> Exchange {
        let began = Instant::now();
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut cost_usd = 0.0;
        let mut tries = Tries::new(self.retry);
        let mut before: Option<ProviderError> = None;
        let mut changes = 0;
        let result = loop {
            let booking = match self.book(query) {
                Ok(booking) => booking,
                // What went wrong first says more than the budget that forbids another try.
                Err(error) => break Err(before.unwrap_or(error)),
            };
            let started = Instant::now();
            // Given up here, by dropping this future, the try stays booked.
            let result = self.provider.ask(query, deadline).await;
            cost_usd += self.settle(booking, query, &result);
            let error = result.as_ref().err();
            attempts.push(Attempt {
                outcome: error
                    .map_or(Outcome::Ok, |error| error.outcome)
                    .name()
                    .to_owned(),
                detail: error.map(|error| error.detail.clone()).unwrap_or_default(),
                duration_ms: milliseconds(started.elapsed()),
                wait_ms: 0,
            });
            let mut error = match result {
                // The request is another one by now. There is an end to what can be learnt.
                Err(error) if error.is_learnt_from && changes < MOST_CHANGES => {
                    changes += 1;
                    before = Some(error);
                    continue;
                }
                Err(error) if error.outcome.is_transient() => error,
                Err(mut error) => {
                    // What kept us until the time was up says more than that it was up.
                    if let Some(before) = before.filter(|_| error.outcome == Outcome::TimeoutTotal)
                    {
                        error.detail += &format!("; before that {}", before.detail);
                        error.detail += &asked_so_often(&attempts, began);
                    }
                    break Err(error);
                }
                reply => break reply,
            };
            let failed = Failed {
                asked: error.retry_after,
                free: error.charge == Charge::Nothing,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = match tries.after(failed, left, luck()) {
                Next::Again(wait) => wait,
                Next::GiveUp => {
                    if tries.put_off > 0 {
                        error.detail += &asked_so_often(&attempts, began);
                    }
                    break Err(error);
                }
                Next::TooLong(asked) => {
                    let (asked, left) = (asked.as_secs_f64(), left.as_secs_f64());
                    error.detail += &format!(
                        "; the server asks to wait {asked:.1} s, and {left:.1} s are left of the total time"
                    );
                    break Err(error);
                }
            };
            tell_wait(&error, wait);
            if let Some(attempt) = attempts.last_mut() {
                attempt.wait_ms = milliseconds(wait);
            }
            sleep(wait).await;
            before = Some(error);
        };
        Exchange {
            result,
            attempts,
            from_cache: false,
            cost_usd,
            duration: Duration::ZERO,
        }
    }

    /// Books a try; nothing for a provider that costs nothing.
    fn book(&self, query: &Query) -> Result<Option<Booking>, ProviderError> {
        if !self.provider.is_remote() {
            return Ok(None);
        }
        let booked = self.budget().book(Usage {
            input_tokens: self.provider.expected_input_tokens(query),
            output_tokens: u64::from(self.identity().max_output_tokens),
            estimated: true,
        });
        booked
            .map(Some)
            .map_err(|error| ProviderError::new(Outcome::BudgetExhausted, error.to_string()))
    }

    /// Settles a try with the budget; gives its cost in USD.
    fn settle(
        &self,
        booking: Option<Booking>,
        query: &Query,
        result: &Result<Reply, ProviderError>,
    ) -> f64 {
        let charge = match result {
            Err(error) => error.charge,
            // The server said nothing, or half of it.
            Ok(reply) if reply.usage.estimated => Charge::Most { said: reply.usage },
            Ok(reply) => Charge::Said {
                usage: reply.usage,
                least: least_usage(query, reply),
            },
        };
        booking.map_or(0.0, |booking| self.budget().settle(booking, charge))
    }
}

fn asked_so_often(attempts: &[Attempt], began: Instant) -> String {
    let spent = began.elapsed().as_secs_f64();
    format!("; asked {} times in {spent:.1} s", attempts.len())
}

/// A person who watches is told of waits that are long enough to wonder about.
fn tell_wait(error: &ProviderError, wait: Duration) {
    let seconds = wait.as_secs_f64();
    let who = match error.retry_after {
        Some(asked) if !asked.is_zero() => "as the server asks",
        Some(_) => "for the server cannot answer yet",
        None => "of our own accord",
    };
    if wait > Duration::from_secs(1) {
        tracing::info!("waiting {seconds:.1} s, {who}: {error}");
    } else {
        tracing::debug!("waiting {seconds:.2} s, {who}: {error}");
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
