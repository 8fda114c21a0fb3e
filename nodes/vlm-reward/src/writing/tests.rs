use std::thread::yield_now;

use tiller_playtable_author::EmbeddedAuthor;
use tiller_reward::CompileOptions;
use tiller_vlm::cache::Cache;
use tiller_vlm::provider::Api;
use tiller_vlm::repair::Fallback;
use tiller_vlm::{AuthorRequest, SceneKeypoint};
use tiller_vlm_testing::{Act, Ending, Script, streamed, threaded, threaded_with, write};

use super::*;

const WRONG: &str = "```python\nnum_stages = 1\ndef stage1_guidance(keypoints, action_sequence):\n    return keypoints[9]\n```";

fn says(text: &str) -> Script {
    streamed(Api::OpenAi, text, Ending::Complete)
}

fn task(instruction: &str) -> AuthoringTask {
    AuthoringTask {
        request: AuthorRequest {
            hand: tiller_vlm::HandAccess::POSITIONS,
            instruction: instruction.to_owned(),
            keypoints: vec![SceneKeypoint {
                index: 0,
                name: "drawer handle".to_owned(),
                position_m: [0.58, -0.3, 0.06],
            }],
        },
        picture: None,
        options: CompileOptions::new(1, 17),
        source: "a model".to_owned(),
        embedded: Some(Arc::new(EmbeddedAuthor)),
    }
}

fn writing(client: Client, fallback: Fallback) -> Writing {
    let policy = AuthoringPolicy {
        max_repairs: 1,
        fallback,
    };
    let prompts = Arc::new(PromptSet::built_in());
    let limits = TimeLimits {
        question: Duration::from_secs(60),
        program: Duration::from_secs(300),
    };
    Writing::start(Arc::new(client), prompts, policy, limits).unwrap()
}

/// Polls to the end; gives also how often an answer went back.
fn end_of(writing: &mut Writing) -> (Finished, usize) {
    let mut again = 0;
    loop {
        match writing.poll() {
            None => yield_now(),
            Some(Event::Again { answers }) => {
                again += 1;
                assert_eq!(answers, again);
            }
            Some(Event::Done(finished)) => return (*finished, again),
        }
    }
}

#[test]
fn a_wrong_answer_goes_back_and_the_next_one_is_taken() {
    let handler = |number, request: &str| match number {
        0 => says(WRONG),
        _ => says(&write(request, &EmbeddedAuthor)),
    };
    let (server, _stop) = threaded_with(Arc::new(handler));
    let mut writing = writing(server.client(Api::OpenAi), Fallback::Hold);
    assert!(writing.begin(task("open the drawer"), 7).is_none());
    assert!(writing.is_under_way());
    let (finished, again) = end_of(&mut writing);
    assert_eq!((finished.generation, again), (7, 1));
    assert_eq!(finished.authored.status, AuthoringStatus::Repaired);
    assert!(!writing.is_under_way() && writing.poll().is_none());
}

#[test]
fn answers_that_led_to_nothing_are_asked_for_anew() {
    let (server, _stop) = threaded(vec![says(WRONG)]);
    let folder = tempfile::tempdir().unwrap();
    let client = server
        .client(Api::OpenAi)
        .with_cache(Cache::new(folder.path()));
    let mut writing = writing(client, Fallback::Unsteered);
    for round in 1..=2 {
        writing.begin(task("open the drawer"), round);
        let (finished, _) = end_of(&mut writing);
        assert_eq!(finished.authored.status, AuthoringStatus::FallbackUnsteered);
        assert_eq!(server.requests().len(), 2 * round as usize);
    }
}

#[test]
fn a_hanging_question_holds_nobody_up_and_is_given_up_for_a_new_scene() {
    let handler = |number, request: &str| match number {
        0 => vec![Act::Hang],
        _ => says(&write(request, &EmbeddedAuthor)),
    };
    let (server, _stop) = threaded_with(Arc::new(handler));
    let mut writing = writing(server.client(Api::OpenAi), Fallback::Hold);
    writing.begin(task("open the drawer"), 1);
    while server.requests().is_empty() {
        assert!(writing.poll().is_none());
    }
    writing.begin(task("open the drawer"), 2);
    let (finished, _) = end_of(&mut writing);
    assert_eq!(finished.generation, 2);
    assert_eq!(finished.authored.status, AuthoringStatus::Ok);
}

#[test]
fn a_hanging_model_is_given_up_in_time_for_the_fallback() {
    let handler = |_, _: &str| vec![Act::Hang];
    let (server, _stop) = threaded_with(Arc::new(handler));
    let mut writing = writing(server.client(Api::OpenAi), Fallback::Embedded);
    writing.limits.program = Duration::from_millis(200);
    writing.begin(task("open the drawer"), 1);
    let (finished, _) = end_of(&mut writing);
    assert_eq!(finished.authored.status, AuthoringStatus::FallbackEmbedded);
    assert!(
        finished
            .authored
            .message
            .contains("there is no sound program after 0.2 s"),
        "{}",
        finished.authored.message
    );
    assert!(finished.duration < Duration::from_secs(5));
}
