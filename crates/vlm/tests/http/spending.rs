//! No server, however it counts, cuts or stalls, makes an episode spend more than it may.

use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tiller_vlm::budget::{Budget, BudgetLimits, Prices};
use tiller_vlm::exchange::{Client, RetryPolicy};
use tiller_vlm::provider::{
    Api, Asking, Identity, Outcome, Provider, ProviderError, Query, Reply, Usage,
};
use tiller_vlm_testing::{
    Act, Script, Server, chunk, chunked_head, client, json_response, query, response, stream_head,
};
use tokio::time::Instant;

const MAX_OUTPUT: u32 = 200;
/// Of a token.
const INPUT_USD: f64 = 0.002;
const OUTPUT_USD: f64 = 0.01;
/// Longer than one of the longest tokens, so that a server that says 1 lies.
const TEXT: &str = "num_stages = 1\n# Stage 1: go there\ndef stage1_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n";

/// What a server does with a question.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// Answers, and counts so much of what may be counted, in percent.
    Answer { counts: u64, says: Says },
    /// Breaks off after it has begun; what it has counted by then it may say.
    Cut { counts: u64, says: Says },
    /// Works and is never heard of; the client gives up.
    Silence { counts: u64 },
    /// Refuses before it works.
    Refuse,
}

/// What a server says of what it has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Truth,
    Nothing,
    Zero,
    /// Fewer tokens than the words can have.
    TooFew,
    /// Only the tokens of the answer.
    Half,
}

fn percent(most: u64, counts: u64) -> u64 {
    (most * counts).div_ceil(100)
}

/// The most of a question, and what the server counts of it.
fn counted(most: Usage, counts: u64) -> Usage {
    Usage {
        input_tokens: percent(most.input_tokens, counts),
        output_tokens: percent(most.output_tokens, counts),
        estimated: false,
    }
}

/// The server's own account, an episode each.
#[derive(Debug, Default)]
struct Account {
    queries: u32,
    tokens: u64,
    cost_usd: f64,
}

impl Account {
    fn add(&mut self, usage: Usage) {
        self.tokens += usage.input_tokens + usage.output_tokens;
        self.cost_usd +=
            usage.input_tokens as f64 * INPUT_USD + usage.output_tokens as f64 * OUTPUT_USD;
    }
}

fn says() -> impl Strategy<Value = Says> {
    prop_oneof![
        3 => Just(Says::Truth),
        1 => Just(Says::Nothing),
        1 => Just(Says::Zero),
        1 => Just(Says::TooFew),
        1 => Just(Says::Half),
    ]
}

/// Deeds of a server that counts up to `most` percent of what was booked, where it says so.
fn deed(most: u64) -> impl Strategy<Value = Deed> {
    let counts = move |says, counts: u64| match says {
        Says::Truth => counts,
        // What nobody is told cannot be known to be more.
        _ => counts.min(100),
    };
    prop_oneof![
        4 => (30..=most, says()).prop_map(move |(n, says)| Deed::Answer { counts: counts(says, n), says }),
        2 => (1..=most, says()).prop_map(move |(n, says)| Deed::Cut { counts: counts(says, n), says }),
        1 => (0..=100u64).prop_map(|counts| Deed::Silence { counts }),
        1 => Just(Deed::Refuse),
    ]
}

/// A provider that does as it is told and keeps the account.
struct Liar {
    identity: Identity,
    deeds: Vec<Deed>,
    next: AtomicUsize,
    account: Arc<Mutex<Account>>,
}

impl Liar {
    fn new(deeds: Vec<Deed>, account: Arc<Mutex<Account>>) -> Self {
        let identity = Identity {
            host: Some("model.example".to_owned()),
            max_output_tokens: MAX_OUTPUT,
            ..tiller_vlm::provider::EmbeddedProvider::new(Arc::new(Nobody))
                .identity()
                .clone()
        };
        Self {
            identity,
            deeds,
            next: AtomicUsize::new(0),
            account,
        }
    }
}

#[derive(Debug)]
struct Nobody;

impl tiller_vlm::Author for Nobody {
    fn author(
        &self,
        _: &tiller_vlm::AuthorRequest,
    ) -> Result<tiller_vlm::Answer, tiller_vlm::AuthorError> {
        Err(tiller_vlm::AuthorError::Empty {
            can: Default::default(),
        })
    }
}

fn said(usage: Usage, says: Says) -> Usage {
    let (input_tokens, output_tokens) = match says {
        Says::Truth => (usage.input_tokens, usage.output_tokens),
        // Guessed by the client.
        Says::Nothing => (120, TEXT.len() as u64 / 3),
        Says::Zero => (0, 0),
        Says::TooFew => (1, 1),
        Says::Half => (0, usage.output_tokens),
    };
    Usage {
        input_tokens,
        output_tokens,
        estimated: says == Says::Nothing,
    }
}

impl Provider for Liar {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn ask<'a>(&'a self, query: &'a Query, _: Instant) -> Asking<'a> {
        Box::pin(async move {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let most = Usage {
                input_tokens: self.expected_input_tokens(query),
                output_tokens: u64::from(MAX_OUTPUT),
                estimated: false,
            };
            let deed = self.deeds[number % self.deeds.len()];
            let take = |counts| counted(most, counts);
            let cost = match deed {
                Deed::Answer { counts, .. }
                | Deed::Cut { counts, .. }
                | Deed::Silence { counts } => take(counts),
                Deed::Refuse => Usage::default(),
            };
            {
                let mut account = self.account.lock().unwrap();
                account.queries += 1;
                account.add(cost);
            }
            // Others are asked, given up, or an episode begins in between.
            tokio::task::yield_now().await;
            match deed {
                Deed::Answer { counts, says } => Ok(Reply {
                    text: TEXT.to_owned(),
                    model: "liar".to_owned(),
                    usage: said(take(counts), says),
                }),
                Deed::Cut { counts, says } => {
                    let said = said(take(counts), says);
                    let lost = ProviderError::new(Outcome::ConnectionLost, "cut");
                    Err(lost.after_an_answer_began(said))
                }
                Deed::Silence { .. } => pending().await,
                Deed::Refuse => Err(ProviderError::new(Outcome::RateLimited, "not now")),
            }
        })
    }
}

/// Asks; a silent provider is given up.
async fn question(client: &Client) {
    let query = long_query();
    tokio::select! {
        biased;
        _ = client.ask(&query) => {}
        () = given_up() => {}
    }
}

fn long_query() -> Query {
    let mut query = query();
    // More than one of the longest tokens, so that a server that says 1 lies here as well.
    query.system = "rules ".repeat(60);
    query
}

/// Whether the future has ended by then.
async fn poll_once(future: Pin<&mut impl Future<Output = ()>>) -> bool {
    tokio::select! {
        biased;
        () = future => true,
        () = std::future::ready(()) => false,
    }
}

/// Longer than the waits between tries of these tests, which are none.
async fn given_up() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

fn prices() -> Prices {
    Prices {
        input_usd_per_million: INPUT_USD * 1e6,
        output_usd_per_million: OUTPUT_USD * 1e6,
    }
}

/// What one question books.
fn one_booking() -> Account {
    let liar = Liar::new(Vec::new(), Arc::default());
    let mut account = Account::default();
    account.add(Usage {
        input_tokens: liar.expected_input_tokens(&long_query()),
        output_tokens: u64::from(MAX_OUTPUT),
        estimated: false,
    });
    account
}

const AT_ONCE: RetryPolicy = RetryPolicy {
    attempts: 3,
    first_wait: Duration::ZERO,
    longest_wait: Duration::ZERO,
};

fn limits() -> impl Strategy<Value = BudgetLimits> {
    let one = one_booking();
    (
        proptest::option::of(1..30u32),
        proptest::option::of(one.tokens / 2..one.tokens * 6),
        proptest::option::of(one.cost_usd * 0.5..one.cost_usd * 6.0),
    )
        .prop_map(|(queries, tokens, cost_usd)| BudgetLimits {
            queries,
            tokens,
            cost_usd,
        })
}

/// Asserts that the account stays within the limits and `spare` bookings.
fn check(account: &Account, limits: BudgetLimits, spare: f64) -> Result<(), TestCaseError> {
    let one = one_booking();
    if let Some(limit) = limits.queries {
        prop_assert!(account.queries <= limit, "{account:?} of {limits:?}");
    }
    if let Some(limit) = limits.tokens {
        let most = limit as f64 + spare * one.tokens as f64;
        prop_assert!(account.tokens as f64 <= most, "{account:?} of {limits:?}");
    }
    if let Some(limit) = limits.cost_usd {
        let most = limit + spare * one.cost_usd + 1e-9;
        prop_assert!(account.cost_usd <= most, "{account:?} of {limits:?}");
    }
    Ok(())
}

fn within<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Asks until the deeds are done with and more, through several episodes; after each question the
/// server's account is compared with the limits.
async fn spend(
    deeds: Vec<Deed>,
    limits: BudgetLimits,
    episodes: &[usize],
    at_once: bool,
    spare: f64,
) -> Result<(), TestCaseError> {
    let account = Arc::new(Mutex::new(Account::default()));
    let liar = Liar::new(deeds, account.clone());
    let client = Client::new(Arc::new(liar))
        .with_retry(AT_ONCE)
        .with_budget(Budget::new(limits, prices()).unwrap());
    for questions in episodes {
        // One that is under way when an episode begins.
        let mut straddling = pin!(question(&client));
        let mut over = !at_once || poll_once(straddling.as_mut()).await;
        client.start_episode();
        *account.lock().unwrap() = Account::default();
        for _ in 0..*questions {
            if at_once {
                tokio::join!(question(&client), question(&client), async {
                    if !over {
                        straddling.as_mut().await;
                    }
                });
                over = true;
            } else {
                question(&client).await;
            }
            let account = account.lock().unwrap();
            check(&account, limits, spare)?;
            // The client never believes to have spent less than the server has counted.
            let spent = client.spent();
            prop_assert!(spent.input_tokens + spent.output_tokens >= account.tokens);
            prop_assert!(client.cost_usd() >= account.cost_usd - 1e-9);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// A server that counts no more than what was booked never brings an episode past a limit, however
    /// it lies, cuts or stalls, and however many questions are under way.
    #[test]
    fn limits_hold_against_liars(
        deeds in prop::collection::vec(deed(100), 1..12),
        limits in limits(),
        episodes in prop::collection::vec(1..12usize, 1..4),
        at_once: bool,
    ) {
        within(spend(deeds, limits, &episodes, at_once, 0.0))?;
    }

    /// One that counts up to twice as much brings it past by no more than what one question books.
    #[test]
    fn a_server_that_counts_more_passes_a_limit_by_no_more_than_one_booking(
        deeds in prop::collection::vec(deed(200), 1..12),
        limits in limits(),
        episodes in prop::collection::vec(1..12usize, 1..4),
    ) {
        within(spend(deeds, limits, &episodes, false, 1.0))?;
    }

    /// One that always counts so many times as much surprises once an episode.
    #[test]
    fn a_server_that_counts_more_is_known_after_its_first_answer(
        times in 2..20u64,
        tokens in 1..60u64,
        questions in 1..60usize,
    ) {
        let one = one_booking().tokens;
        let limits = BudgetLimits { tokens: Some(one * tokens), ..Default::default() };
        let says = Says::Truth;
        let deeds = vec![Deed::Answer { counts: 100 * times, says }];
        let spare = times.saturating_sub(tokens) as f64;
        within(spend(deeds, limits, &[questions, questions], false, spare))?;
    }
}

/// What a real server is told to do with a connection, and what it counts.
fn script(deed: Deed, most: Usage) -> (Script, Usage) {
    let stream = |usage: Option<Usage>, ends: bool| {
        let finish = if ends { json!("stop") } else { Value::Null };
        let mut event = json!({"model": "liar", "choices": [{"delta": {"content": TEXT}, "finish_reason": finish}]});
        if let Some(usage) = usage {
            event["usage"] = json!({"prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens});
        }
        format!("data: {event}\n\n")
    };
    let usage_said = |usage, says| (says != Says::Nothing).then(|| said(usage, says));
    match deed {
        Deed::Answer { counts, says } => {
            let usage = counted(most, counts);
            let text = stream(usage_said(usage, says), true);
            (vec![stream_head(), Act::Send(text.into_bytes())], usage)
        }
        Deed::Cut { counts, says } => {
            let usage = counted(most, counts);
            let text = stream(usage_said(usage, says), false);
            (vec![chunked_head(), chunk(&text)], usage)
        }
        Deed::Silence { counts } => (vec![Act::Hang], counted(most, counts)),
        Deed::Refuse => {
            let body = r#"{"error": {"message": "not now"}}"#;
            (
                response("429 Too Many Requests", "", body),
                Usage::default(),
            )
        }
    }
}

async fn spend_over_http(
    deeds: Vec<Deed>,
    limits: BudgetLimits,
    questions: usize,
) -> Result<(), TestCaseError> {
    let one = Liar::new(Vec::new(), Arc::default());
    let most = Usage {
        input_tokens: one.expected_input_tokens(&long_query()),
        output_tokens: u64::from(MAX_OUTPUT),
        estimated: false,
    };
    let account = Arc::new(Mutex::new(Account::default()));
    let of_server = account.clone();
    let server = Server::start_with(Arc::new(move |number, _: &str| {
        let (script, usage) = script(deeds[number % deeds.len()], most);
        let mut account = of_server.lock().unwrap();
        account.queries += 1;
        account.add(usage);
        script
    }))
    .await;
    let mut config = server.config(Api::OpenAi);
    config.max_output_tokens = MAX_OUTPUT;
    // Silence ends in a timeout here, or in a question that is given up first.
    config.timeouts.first_byte = Duration::from_millis(60);
    let client = client(config).with_budget(Budget::new(limits, prices()).unwrap());
    for number in 0..questions {
        let patience = if number % 3 == 2 { 30 } else { 10_000 };
        let query = long_query();
        // Given up or not, the account decides.
        let _ = tokio::time::timeout(Duration::from_millis(patience), client.ask(&query)).await;
        check(&account.lock().unwrap(), limits, 0.0)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// The same with real connections: streams, breaks, timeouts and refusals.
    #[test]
    fn limits_hold_against_liars_over_http(
        deeds in prop::collection::vec(deed(100), 1..8),
        limits in limits(),
    ) {
        within(spend_over_http(deeds, limits, 6))?;
    }
}

/// What a question costs with no limit, as often as it is asked.
async fn cost(scripts: Vec<Script>) -> (Outcome, u64, u64) {
    let hangs = matches!(scripts[0][..], [Act::Hang]);
    let server = Server::start(scripts).await;
    let mut config = server.config(Api::OpenAi);
    config.max_output_tokens = MAX_OUTPUT;
    if hangs {
        config.timeouts.first_byte = Duration::from_millis(60);
    }
    let client =
        client(config).with_budget(Budget::new(BudgetLimits::default(), prices()).unwrap());
    let exchange = client.ask(&long_query()).await;
    let spent = client.spent();
    let cost_usd = spent.input_tokens as f64 * INPUT_USD + spent.output_tokens as f64 * OUTPUT_USD;
    assert!((exchange.cost_usd - cost_usd).abs() < 1e-9);
    (exchange.outcome(), spent.input_tokens, spent.output_tokens)
}

#[tokio::test]
async fn every_kind_of_try_has_its_price() {
    let input = Liar::new(Vec::new(), Arc::default()).expected_input_tokens(&long_query());
    let most = u64::from(MAX_OUTPUT);
    let whole = |finish: &str, usage: Value| {
        json_response(
            json!({"choices": [{"message": {"content": TEXT}, "finish_reason": finish}], "usage": usage})
                .to_string(),
        )
    };
    let tokens =
        |input: u64, output: u64| json!({"prompt_tokens": input, "completion_tokens": output});
    let refused = |status| response(status, "", "{\"error\": {\"message\": \"no\"}}");
    for (scripts, expected) in [
        (vec![whole("stop", tokens(150, 60))], (Outcome::Ok, 150, 60)),
        (
            vec![whole("stop", tokens(150, 1))],
            (Outcome::Ok, 150, most),
        ),
        (
            vec![whole("stop", tokens(0, 0))],
            (Outcome::Ok, input, most),
        ),
        (vec![whole("stop", Value::Null)], (Outcome::Ok, input, most)),
        (
            vec![whole("stop", tokens(5000, 6000))],
            (Outcome::Ok, 5000, 6000),
        ),
        (
            vec![whole("content_filter", tokens(150, 2))],
            (Outcome::RefusedByModel, input, most),
        ),
        (
            vec![whole("content_filter", tokens(5000, 2))],
            (Outcome::RefusedByModel, 5000, most),
        ),
        (
            vec![json_response("{}")],
            (Outcome::MalformedAnswer, input, most),
        ),
        (
            vec![refused("400 Bad Request")],
            (Outcome::RequestRejected, 0, 0),
        ),
        (
            vec![refused("500 Internal Server Error")],
            (Outcome::ServerError, 0, 0),
        ),
        // Three tries of each.
        (
            vec![vec![Act::Hang]],
            (Outcome::TimeoutFirstByte, 3 * input, 3 * most),
        ),
        (vec![vec![]], (Outcome::ConnectionLost, 3 * input, 3 * most)),
        // An error within an answer, though its name is that of a refusal.
        (
            vec![json_response(
                "{\"error\": {\"code\": 400, \"message\": \"no\"}}",
            )],
            (Outcome::RequestRejected, input, most),
        ),
    ] {
        assert_eq!(cost(scripts.clone()).await, expected, "{scripts:?}");
    }
}
