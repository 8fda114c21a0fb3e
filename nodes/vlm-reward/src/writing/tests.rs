use std::thread::yield_now;

use tiller_closed_loop::SwitcherConfig;
use tiller_closed_loop::journal::{Header, Machine, Pieces, effect_bytes, read};
use tiller_messages::{Episode, Keypoints, ProgramContract};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::cache::Cache;
use tiller_vlm::prompt::PromptSet;
use tiller_vlm::provider::Api;
use tiller_vlm::repair::{AuthoringPolicy, Fallback};
use tiller_vlm_testing::{Act, Ending, Script, streamed, threaded, threaded_with, write};

use super::*;

const WRONG: &str = "```python\nnum_stages = 1\ndef stage1_guidance(keypoints, action_sequence):\n    return keypoints[9]\n```";

fn says(text: &str) -> Script {
    streamed(Api::OpenAi, text, Ending::Complete)
}

fn task(instruction: &str, generation: u32) -> Commission {
    Commission {
        id: tiller_core::ProgramId(1),
        episode: Episode {
            instruction: instruction.to_owned(),
            ..Episode::default()
        },
        keypoints: Keypoints {
            generation,
            names: vec!["drawer handle".to_owned()],
            xyz_m: vec![0.58, -0.3, 0.06],
            visible: vec![true],
            ..Keypoints::default()
        },
        contract: ProgramContract {
            points: 17,
            ..ProgramContract::default()
        },
        picture_ns: None,
    }
}

fn desk(fallback: Fallback) -> Desk {
    let policy = AuthoringPolicy {
        max_repairs: 1,
        fallback,
    };
    let prompts = Arc::new(PromptSet::built_in());
    Desk::new(
        prompts,
        policy,
        "a model".to_owned(),
        Arc::new(EmbeddedAuthor),
    )
}

fn writing(client: Client, fallback: Fallback) -> Writing {
    let limits = TimeLimits {
        question: Duration::from_secs(60),
        program: Duration::from_secs(300),
    };
    Writing::start(Arc::new(client), desk(fallback), None, limits).unwrap()
}

/// Polls to the end; gives also how often an answer went back.
fn end_of(writing: &mut Writing) -> (Finished, usize) {
    let mut again = 0;
    loop {
        match writing.poll(0).unwrap() {
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
    let begun = writing.begin(task("open the drawer", 7), None, 0).unwrap();
    assert!(begun.is_none());
    assert!(writing.is_under_way());
    let (finished, again) = end_of(&mut writing);
    let written = finished.written;
    assert_eq!((written.program.unwrap().generation, again), (7, 1));
    assert_eq!(written.authored.status, AuthoringStatus::Repaired);
    assert!(!writing.is_under_way() && writing.poll(0).unwrap().is_none());
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
        writing
            .begin(task("open the drawer", round), None, 0)
            .unwrap();
        let (finished, _) = end_of(&mut writing);
        let status = finished.written.authored.status;
        assert_eq!(status, AuthoringStatus::FallbackUnsteered);
        assert_eq!(server.requests().len(), 2 * round as usize);
    }
}

#[test]
fn a_program_that_somebody_wants_anew_is_asked_for_anew() {
    let handler = |_, request: &str| says(&write(request, &EmbeddedAuthor));
    let (server, _stop) = threaded_with(Arc::new(handler));
    let folder = tempfile::tempdir().unwrap();
    let client = server
        .client(Api::OpenAi)
        .with_cache(Cache::new(folder.path()));
    let mut writing = writing(client, Fallback::Hold);
    for (is_anew, asked) in [(false, 1), (false, 1), (true, 2)] {
        if is_anew {
            writing.ask_anew();
        }
        writing.begin(task("open the drawer", 1), None, 0).unwrap();
        let (finished, _) = end_of(&mut writing);
        assert!(finished.written.program.is_some());
        assert_eq!(server.requests().len(), asked);
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
    writing.begin(task("open the drawer", 1), None, 0).unwrap();
    while server.requests().is_empty() {
        assert!(writing.poll(0).unwrap().is_none());
    }
    writing.begin(task("open the drawer", 2), None, 0).unwrap();
    let (finished, _) = end_of(&mut writing);
    assert_eq!(finished.written.program.unwrap().generation, 2);
    assert_eq!(finished.written.authored.status, AuthoringStatus::Ok);
}

#[test]
fn a_hanging_model_is_given_up_in_time_for_the_fallback() {
    let handler = |_, _: &str| vec![Act::Hang];
    let (server, _stop) = threaded_with(Arc::new(handler));
    let mut writing = writing(server.client(Api::OpenAi), Fallback::Embedded);
    writing.limits.program = Duration::from_millis(200);
    writing.begin(task("open the drawer", 1), None, 0).unwrap();
    let (finished, _) = end_of(&mut writing);
    let authored = &finished.written.authored;
    assert_eq!(authored.status, AuthoringStatus::FallbackEmbedded);
    let expected = "there is no sound program after 0.2 s";
    assert!(authored.message.contains(expected), "{}", authored.message);
    assert!(finished.duration < Duration::from_secs(5));
}

/// What is written down is all that another desk needs to come to the same.
#[test]
fn a_journal_leads_another_desk_to_the_same() {
    let handler = |number, request: &str| match number {
        0 => vec![Act::Hang],
        1 => says(WRONG),
        _ => says(&write(request, &EmbeddedAuthor)),
    };
    let (server, _stop) = threaded_with(Arc::new(handler));
    let mut writing = writing(server.client(Api::OpenAi), Fallback::Hold);
    let header = Header {
        software: String::new(),
        machine: Machine::Switcher(SwitcherConfig::default()),
    };
    let (recorder, mut pieces) = Pieces::new(&header).unwrap();
    writing.journal = Some(recorder);
    writing.begin(task("open the drawer", 1), None, 5).unwrap();
    while server.requests().is_empty() {
        assert!(writing.poll(6).unwrap().is_none());
    }
    writing.begin(task("open the drawer", 2), None, 7).unwrap();
    let (finished, _) = end_of(&mut writing);
    assert_eq!(finished.written.program.unwrap().generation, 2);

    let journal = pieces.rest().unwrap().entries;
    let entries = read::<DeskEvent>(journal.as_slice()).unwrap();
    // Begun, given up, begun again, and two answers.
    assert_eq!(entries.len(), 5);
    let mut desk = desk(Fallback::Hold);
    for entry in entries {
        let next = match entry.event {
            DeskEvent::Begin(commission) => Some(desk.begin(*commission, None)),
            DeskEvent::Answer(answered) => desk.answer(answered.result()),
            DeskEvent::GivenUp => {
                desk.give_up();
                None
            }
        };
        let effects: Vec<_> = next.iter().map(Next::effect).collect();
        assert_eq!(effect_bytes(&effects).unwrap(), entry.effects);
    }
}
