//! Cache, budget, records, replay and the background, with a real server behind them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tiller_reward::CompileOptions;
use tiller_vlm::advice::{AdviceQuestion, Adviser, Asked, Moment};
use tiller_vlm::budget::{Budget, BudgetLimits, Prices};
use tiller_vlm::cache::Cache;
use tiller_vlm::exchange::{Background, Client, Recorder};
use tiller_vlm::prompt::PromptSet;
use tiller_vlm::provider::{
    Api, EmbeddedProvider, FilesProvider, Matching, Outcome, Picture, Provider, Query,
};
use tiller_vlm::repair::{
    Authored, Authoring, AuthoringPolicy, AuthoringStatus, AuthoringTask, Fallback, Step,
};
use tiller_vlm::{Answer, Author, AuthorError, AuthorRequest, SceneKeypoint};
use tiller_vlm_testing::{
    Act, Ending, KEY, Script, Server, client, query, response, shows_key, streamed, threaded,
};

const GOOD: &str = "```python\nnum_stages = 1\n# Stage 1: go\ndef stage1_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n```";
const BAD: &str = "```python\nnum_stages = 1\n# Stage 1: go\ndef stage1_guidance(keypoints, action_sequence):\n    return -torch.norm(action_sequence - keypoints[7], dim=-1)\n```";

const OPENAI: Api = Api::OpenAi;

fn answers(texts: &[&str]) -> Vec<Script> {
    texts
        .iter()
        .map(|text| streamed(OPENAI, text, Ending::Complete))
        .collect()
}

fn prompts() -> Arc<PromptSet> {
    Arc::new(PromptSet::load(None).unwrap())
}

fn scene() -> Vec<SceneKeypoint> {
    vec![SceneKeypoint {
        index: 0,
        name: "drawer handle".to_owned(),
        position_m: [0.58, -0.3, 0.06],
    }]
}

fn task(instruction: &str) -> AuthoringTask {
    AuthoringTask {
        request: AuthorRequest {
            hand: tiller_vlm::HandAccess::POSITIONS,
            instruction: instruction.to_owned(),
            keypoints: scene(),
        },
        picture: Some(Picture::new(b"\x89PNG\r\n\x1a\npicture".to_vec()).unwrap()),
        options: CompileOptions::new(1, 17),
        source: "a model".to_owned(),
        embedded: Some(Arc::new(Embedded)),
    }
}

async fn author(client: &Client, instruction: &str, fallback: Fallback) -> Authored {
    let policy = AuthoringPolicy {
        max_repairs: 2,
        fallback,
    };
    let mut step = Authoring::begin(prompts(), task(instruction), policy);
    loop {
        step = match step {
            Step::Ask(authoring, query) => authoring.take(client.ask(&query).await.result),
            Step::Done(authored) => return authored,
        };
    }
}

fn files_of(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).unwrap();
            (
                entry.file_name().into_string().unwrap(),
                String::from_utf8_lossy(&bytes).into_owned(),
            )
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn the_same_question_is_paid_once() {
    let server = Server::start(answers(&[GOOD, "another"])).await;
    let folder = tempfile::tempdir().unwrap();
    let client = server.client(OPENAI).with_cache(Cache::new(folder.path()));
    let first = client.ask(&query()).await;
    let second = client.ask(&query()).await;
    assert_eq!((first.from_cache, second.from_cache), (false, true));
    assert_eq!(first.result, second.result);
    let other = Query {
        system: "other rules".to_owned(),
        ..query()
    };
    assert_eq!(client.ask(&other).await.result.unwrap().text, "another");
    assert_eq!((server.requests().len(), client.spent().queries), (2, 2));
    client.forget(&query());
    assert!(
        !client.ask(&query()).await.from_cache,
        "a forgotten answer is asked for again"
    );
}

#[tokio::test]
async fn failures_are_not_cached() {
    let broken = response("400 Bad Request", "", "no");
    let server = Server::start(vec![broken, streamed(OPENAI, GOOD, Ending::Complete)]).await;
    let folder = tempfile::tempdir().unwrap();
    let client = server.client(OPENAI).with_cache(Cache::new(folder.path()));
    assert_eq!(
        client.ask(&query()).await.outcome(),
        Outcome::RequestRejected
    );
    assert_eq!(client.ask(&query()).await.outcome(), Outcome::Ok);
}

#[tokio::test]
async fn a_spent_budget_keeps_questions_back_until_the_next_episode() {
    let server = Server::start(answers(&[GOOD])).await;
    let with = |limits| {
        let prices = Prices {
            input_usd_per_million: 1000.0,
            output_usd_per_million: 1000.0,
        };
        server
            .client(OPENAI)
            .with_budget(Budget::new(limits, prices).unwrap())
    };
    let client = with(BudgetLimits {
        queries: Some(1),
        ..Default::default()
    });
    let first = client.ask(&query()).await;
    // 11 and 22 tokens, as the server says.
    assert!((first.cost_usd - 0.033).abs() < 1e-12);
    let second = client.ask(&query()).await;
    assert_eq!(second.outcome(), Outcome::BudgetExhausted);
    assert!(second.attempts.is_empty());
    client.start_episode();
    assert_eq!(client.ask(&query()).await.outcome(), Outcome::Ok);
    assert_eq!(server.requests().len(), 2);
    for limits in [
        BudgetLimits {
            tokens: Some(4000),
            ..Default::default()
        },
        BudgetLimits {
            cost_usd: Some(4.0),
            ..Default::default()
        },
    ] {
        // The longest answer, 8192 tokens, could pass either.
        assert_eq!(
            with(limits).ask(&query()).await.outcome(),
            Outcome::BudgetExhausted
        );
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn further_tries_are_paid_from_the_budget_too() {
    let server = Server::start(vec![response("500 Internal Server Error", "", "")]).await;
    let limits = BudgetLimits {
        queries: Some(2),
        ..Default::default()
    };
    let budget = Budget::new(limits, Prices::default()).unwrap();
    let exchange = server
        .client(OPENAI)
        .with_budget(budget)
        .ask(&query())
        .await;
    assert_eq!(
        (exchange.outcome(), server.requests().len()),
        (Outcome::ServerError, 2)
    );
}

#[tokio::test]
async fn a_recorded_run_is_reproduced_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("vlm");
    let mut scripts = answers(&[BAD]);
    scripts.push(response("503 Service Unavailable", "", KEY));
    scripts.extend(answers(&["What a nice picture!", GOOD]));
    let server = Server::start(scripts).await;
    let client = server
        .client(OPENAI)
        .with_recorder(Recorder::new(&run).unwrap());
    let live = author(&client, "open the drawer", Fallback::Hold).await;
    assert_eq!((live.status, live.answers), (AuthoringStatus::Repaired, 3));
    assert_eq!(server.requests().len(), 4);

    let files = files_of(&run);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names[..3],
        ["0001-reward.json", "0002-repair.json", "0003-repair.json"]
    );
    assert!(names.len() == 4 && names[3].ends_with(".png"), "{names:?}");
    for (name, text) in &files {
        assert!(
            !shows_key(text) && !text.to_lowercase().contains("bearer"),
            "{name}: {text}"
        );
    }
    let second: serde_json::Value = serde_json::from_str(&files[1].1).unwrap();
    assert_eq!(second["attempts"][0]["outcome"], "server_error");
    assert_eq!(second["usage"]["input_tokens"], 11);
    assert_eq!(second["turns"][1]["text"], BAD);

    for matching in [Matching::Exact, Matching::InOrder] {
        let replay = Client::new(Arc::new(FilesProvider::open(&run, matching).unwrap()));
        let again = author(&replay, "open the drawer", Fallback::Hold).await;
        assert_eq!(
            (again.status, again.answers, &again.message),
            (live.status, live.answers, &live.message)
        );
        assert_eq!(
            again.written.unwrap().text,
            live.written.as_ref().unwrap().text
        );
    }
    let replay = Client::new(Arc::new(
        FilesProvider::open(&run, Matching::Exact).unwrap(),
    ));
    let other = author(&replay, "close the drawer", Fallback::Embedded).await;
    assert_eq!(
        (other.status, other.cause),
        (
            AuthoringStatus::FallbackEmbedded,
            Some(Outcome::NoRecording)
        )
    );
}

#[tokio::test]
async fn failures_are_reproduced_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(vec![response("401 Unauthorized", "", KEY)]).await;
    let client = server
        .client(OPENAI)
        .with_recorder(Recorder::new(folder.path()).unwrap());
    let live = author(&client, "open the drawer", Fallback::Embedded).await;
    let replay = Client::new(Arc::new(
        FilesProvider::open(folder.path(), Matching::Exact).unwrap(),
    ));
    let again = author(&replay, "open the drawer", Fallback::Embedded).await;
    assert_eq!(
        (live.status, live.cause),
        (
            AuthoringStatus::FallbackEmbedded,
            Some(Outcome::Unauthorised)
        )
    );
    assert_eq!(
        (again.status, again.cause, again.message),
        (live.status, live.cause, live.message)
    );
}

#[tokio::test]
async fn records_of_a_second_run_continue_those_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(answers(&[GOOD])).await;
    for _ in 0..2 {
        let client = server
            .client(OPENAI)
            .with_recorder(Recorder::new(folder.path()).unwrap());
        client.ask(&query()).await.result.unwrap();
    }
    let names: Vec<String> = files_of(folder.path())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["0001-reward.json", "0002-reward.json"]);
    let replay = FilesProvider::open(folder.path(), Matching::Exact).unwrap();
    let client = Client::new(Arc::new(replay));
    let outcomes = [
        client.ask(&query()).await.outcome(),
        client.ask(&query()).await.outcome(),
        client.ask(&query()).await.outcome(),
    ];
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Ok, Outcome::NoRecording]);
}

#[tokio::test]
async fn files_that_are_no_records_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| {
        FilesProvider::open(path, Matching::Exact)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert!(open(folder.path()).contains("holds no recorded exchange"));
    assert!(open(&folder.path().join("missing.md")).contains("missing.md"));
    let bad = folder.path().join("0001-reward.json");
    std::fs::write(&bad, "{}").unwrap();
    assert!(open(folder.path()).contains("0001-reward.json: not a recorded exchange"));
    let answer = folder.path().join("answer.md");
    std::fs::write(&answer, GOOD).unwrap();
    let client = Client::new(Arc::new(
        FilesProvider::open(&answer, Matching::Exact).unwrap(),
    ));
    assert_eq!(
        author(&client, "anything", Fallback::Hold).await.status,
        AuthoringStatus::Ok
    );
}

/// Understands what is about a drawer.
#[derive(Debug)]
struct Embedded;

impl Author for Embedded {
    fn author(&self, request: &AuthorRequest) -> Result<Answer, AuthorError> {
        if !request.instruction.ends_with("the drawer") {
            return Err(AuthorError::UnknownVerb {
                phrase: request.instruction.clone(),
                can: Default::default(),
            });
        }
        Ok(Answer {
            text: GOOD.to_owned(),
            source: "embedded".to_owned(),
            understood: None,
        })
    }
}

#[tokio::test]
async fn an_embedded_author_is_a_provider_like_the_others() {
    let provider = EmbeddedProvider::new(Arc::new(Embedded));
    assert!(!provider.is_remote());
    let client = Client::new(Arc::new(provider));
    let sound = author(&client, "open the drawer", Fallback::Hold).await;
    assert_eq!((sound.status, sound.answers), (AuthoringStatus::Ok, 1));
    let refused = author(&client, "make coffee", Fallback::Hold).await;
    assert_eq!(refused.cause, Some(Outcome::InstructionRefused));
    assert!(
        refused.message.contains("I do not know how to make coffee"),
        "{}",
        refused.message
    );
    assert_eq!(client.ask(&query()).await.outcome(), Outcome::Unsupported);
    assert_eq!(client.spent().queries, 0);
}

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_background_answers_cancels_and_ends() {
    let (server, _stop) = threaded(vec![
        vec![Act::Hang],
        streamed(OPENAI, "one", Ending::Complete),
    ]);
    let mut background = Background::start(Arc::new(server.client(OPENAI))).unwrap();
    assert!(background.poll().is_none());
    let hanging = background.ask(query());
    while server.requests().is_empty() {
        std::thread::yield_now();
    }
    let answered = background.ask(query());
    let (ticket, exchange) = background.wait(PATIENCE).unwrap();
    assert_eq!(
        (ticket, exchange.outcome()),
        (answered, Outcome::Ok),
        "a hanging question delays no other"
    );
    background.cancel(hanging);
    background.ask(query());
    // Ends although a question may be under way.
    drop(background);
}

fn question(visit: u32) -> AdviceQuestion {
    AdviceQuestion {
        moment: Moment { program: 1, visit },
        instruction: "open the drawer".to_owned(),
        stages: vec!["reach".to_owned(), "pull".to_owned()],
        stage: 1,
        reason: "no progress for 5 s".to_owned(),
        keypoints: scene(),
        picture: None,
    }
}

/// Polls until something is counted beyond the questions.
fn advised(adviser: &mut Adviser, now: Moment) -> Option<u32> {
    let before = adviser.counts();
    loop {
        let advice = adviser.poll(now);
        if advice.is_some() || adviser.counts() != before {
            return advice.map(|advice| advice.stage);
        }
        std::thread::yield_now();
    }
}

#[test]
fn advice_is_asked_for_in_the_background_and_taken_only_in_time() {
    let (server, _stop) = threaded(
        [
            answers(&[
                "{\"stage\": 2, \"reason\": \"it is open\"}",
                "stage two",
                "{\"stage\": 3}",
                "{\"stage\": 1}",
            ]),
            vec![response("401 Unauthorized", "", "")],
        ]
        .concat(),
    );
    let mut adviser = Adviser::start(Arc::new(server.client(OPENAI)), prompts()).unwrap();
    let now = |visit| Moment { program: 1, visit };
    let mut ask = |asked: u32, current: u32| {
        assert_eq!(adviser.ask(question(asked)), Asked::Yes);
        (advised(&mut adviser, now(current)), adviser.counts())
    };
    assert_eq!(ask(1, 1).0, Some(2));
    assert_eq!(ask(2, 2).1.malformed, 1);
    assert_eq!(ask(3, 3).1.impossible, 1);
    assert_eq!(ask(4, 5).1.late, 1);
    let (none, counts) = ask(5, 5);
    assert_eq!(
        (none, counts.failed, counts.taken, counts.asked),
        (None, 1, 1, 5)
    );
    let body = &server.requests()[0];
    for part in ["no progress for 5 s", "pull", "drawer handle"] {
        assert!(body.contains(part), "`{part}` is missing in {body}");
    }
}

#[test]
fn a_model_that_never_answers_holds_nobody_up() {
    let (server, _stop) = threaded(vec![vec![Act::Hang]]);
    let mut config = server.config(OPENAI);
    config.timeouts.total = Duration::from_secs(3600);
    config.timeouts.first_byte = Duration::from_secs(3600);
    let mut adviser = Adviser::start(Arc::new(client(config)), prompts()).unwrap();
    assert_eq!(adviser.ask(question(1)), Asked::Yes);
    for _ in 0..1000 {
        assert_eq!(
            adviser.poll(Moment {
                program: 1,
                visit: 1
            }),
            None
        );
    }
    assert_eq!(adviser.ask(question(1)), Asked::Busy);
    assert_eq!(adviser.ask(question(2)), Asked::InsteadOfOld);
    let counts = adviser.counts();
    assert_eq!((counts.asked, counts.busy, counts.late), (2, 1, 1));
}
