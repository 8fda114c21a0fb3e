//! One episode after the other: programs are of the episode that is under way.

use std::thread::sleep;
use std::time::{Duration, Instant};

use tiller_node_kit::{Inbox, Next, Outbox};
use tiller_vlm::provider::Api;
use tiller_vlm_testing::{Act, Ending, KEY, streamed, threaded_with, write};

use super::*;
use crate::node::Node;

#[test]
fn a_program_is_written_per_episode_under_an_id_that_rises() {
    let script = script()
        .message("program_contract", &contract(1, 17))
        .message("episode", &episode(7, "open the drawer"));
    let script = grounded(script, 7, 1, 100).message("episode", &episode(8, "push the red block"));
    let script = grounded(script, 8, 2, 100);
    let (result, sent) = drive(grounded(script, 8, 3, 300).closed("keypoints"));
    result.unwrap();
    let programs = programs(&sent);
    let found: Vec<_> = programs
        .iter()
        .map(|p| (p.episode.0, p.generation, p.instruction.as_str()))
        .collect();
    let expected = [
        (7, 1, "open the drawer"),
        (8, 2, "push the red block"),
        (8, 3, "push the red block"),
    ];
    assert_eq!(found, expected);
    assert!(programs.is_sorted_by(|a, b| a.id < b.id));
    // Of a later start too: the session is the time.
    assert!(programs[0].id.0 > programs[0].session);
}

#[test]
fn what_was_seen_before_an_episode_is_not_used_for_it() {
    let script = script()
        .message("program_contract", &contract(1, 17))
        .message("episode", &episode(7, "open the drawer"));
    let script = grounded(script, 7, 1, 100)
        .message("episode", &episode(8, "push the red block"))
        .message("keypoints", &keypoints(7, 1, 200));
    // Keypoints of the new scene, before its picture.
    let script = script.message("keypoints", &keypoints(8, 2, 50));
    let (result, sent) = drive(script.closed("keypoints"));
    result.unwrap();
    assert_eq!(programs(&sent).len(), 1);
}

#[test]
fn an_instruction_that_is_not_understood_is_named_and_the_next_is_waited_for() {
    let script = script()
        .message("program_contract", &contract(1, 17))
        .message("episode", &episode(1, "make coffee"));
    let script = grounded(script, 1, 1, 100).message("episode", &episode(2, "open the drawer"));
    let script = grounded(script, 2, 2, 100).message("episode", &last(3, "make coffee"));
    let script = grounded(script, 3, 3, 100).message("episode", &episode(4, "open the drawer"));
    let (result, sent) = drive(grounded(script, 4, 4, 100).closed("keypoints"));
    result.unwrap();
    let refused = told(Level::Error, "refused");
    let program = told(Level::Info, "program");
    let expected = [refused.clone(), program.clone(), refused, program];
    assert_eq!(codes(&sent), expected);
    let statuses = sent.messages::<Status>("status").unwrap();
    let text = &statuses[0].text;
    let expected = "instruction `make coffee` is not understood";
    assert!(text.starts_with(expected), "{text}");
    let works = "open the drawer";
    assert!(text.contains(works), "it says what would work: {text}");
    assert_eq!(text, &statuses[2].text);
    let episodes: Vec<_> = programs(&sent).iter().map(|p| p.episode.0).collect();
    assert_eq!(episodes, [2, 4]);
}

#[test]
fn a_node_that_is_started_anew_goes_on_with_the_program_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let folder = [("RUN_DIR", folder.path().to_str().unwrap())];
    let (result, sent) = drive_with(&folder, ready("open the drawer").closed("keypoints"));
    result.unwrap();
    let first = programs(&sent).remove(0);
    let joins = |instruction: &str, points: u32| {
        script()
            .message("program_contract", &contract(1, points))
            .message("episode", &last(1, instruction))
    };
    // The picture of the grounding was sent long ago.
    let script = joins("open the drawer", 17).message("keypoints", &keypoints(1, 1, 900));
    let (result, sent) = drive_with(&folder, script.closed("keypoints"));
    result.unwrap();
    let again = programs(&sent).remove(0);
    assert_eq!((again.id, &again.text), (first.id, &first.text));
    assert_eq!(codes(&sent), [told(Level::Info, "program")]);
    // Of another grounding, instruction or contract it is not.
    for (instruction, points, generation) in [
        ("open the drawer", 17, 2),
        ("push the red block", 17, 1),
        ("open the drawer", 11, 1),
    ] {
        let script = joins(instruction, points);
        let script = script.message("keypoints", &keypoints(1, generation, 900));
        let (result, sent) = drive_with(&folder, script.closed("keypoints"));
        result.unwrap();
        assert_eq!(sent.count("reward_program"), 0);
    }
}

/// Runs the node with a model that does this before it answers the first question. The next episode
/// begins when it has been asked; the node goes on for a while after that one's program.
fn drive_with_a_slow_model(before: Act) -> Sent {
    let handler = move |number, request: &str| {
        let answer = write(request, &EmbeddedAuthor);
        let mut script = streamed(Api::OpenAi, &answer, Ending::Complete);
        if number == 0 {
            script.insert(0, before.clone());
        }
        script
    };
    let (server, _stop) = threaded_with(Arc::new(handler));
    let url = format!("http://{}/v1", server.address);
    let setup = setup(&[
        ("VLM_PROVIDER", "openai"),
        ("MODEL", "m"),
        ("BASE_URL", &url),
        ("OPENAI_API_KEY", KEY),
    ]);
    let script = script()
        .message("program_contract", &contract(1, 17))
        .message("episode", &episode(7, "open the drawer"));
    let script = grounded(script, 7, 1, 100).message("episode", &last(8, "push the red block"));
    let script = grounded(script, 8, 2, 100).closed("keypoints");
    let run = |inbox: &mut Inbox, outbox: &mut Outbox| {
        let mut node = Node::new(&setup, outbox)?;
        while let Next::Input(input) = inbox.wait() {
            let is_next = input.id == "episode" && node.episode.is_some();
            while is_next && server.requests().is_empty() {
                sleep(Duration::from_millis(1));
            }
            node.take(&input, outbox)?;
            node.work(outbox)?;
        }
        while node.program.is_none() {
            node.work(outbox)?;
            sleep(Duration::from_millis(1));
        }
        let until = Instant::now() + 2 * SLOW;
        while Instant::now() < until {
            node.work(outbox)?;
            sleep(Duration::from_millis(1));
        }
        Ok(())
    };
    let (result, sent) = script.run(run).expect("the harness works");
    result.unwrap();
    assert_eq!(server.requests().len(), 2);
    sent
}

/// How long a slow model thinks.
const SLOW: Duration = Duration::from_millis(200);

#[test]
fn another_episode_while_a_model_thinks_voids_what_comes() {
    for before in [Act::Pause(SLOW), Act::Hang] {
        let sent = drive_with_a_slow_model(before);
        let found: Vec<_> = programs(&sent)
            .iter()
            .map(|p| (p.episode.0, p.generation, p.instruction.clone()))
            .collect();
        assert_eq!(found, [(8, 2, "push the red block".to_owned())]);
        let expected = [
            told(Level::Info, "asking"),
            told(Level::Info, "given_up"),
            told(Level::Info, "asking"),
            told(Level::Info, "waited"),
            told(Level::Info, "program"),
        ];
        assert_eq!(codes(&sent), expected);
    }
}

#[test]
fn an_older_episode_is_refused_and_the_same_one_changes_nothing() {
    let again = Episode {
        seq: 9,
        ..last(8, "make coffee")
    };
    let older = Episode {
        seq: 10,
        ..last(7, "make coffee")
    };
    let script = script()
        .message("program_contract", &contract(1, 17))
        .message("episode", &last(8, "open the drawer"))
        .message("episode", &last(8, "open the drawer"))
        .message("episode", &again)
        .message("episode", &older);
    let (result, sent) = drive(grounded(script, 8, 1, 100).closed("keypoints"));
    result.unwrap();
    assert_eq!(programs(&sent)[0].instruction, "open the drawer");
    let told = refusals(&sent);
    assert_eq!(told.len(), 1, "{told:?}");
    let expected = "input `episode`: id: expected above episode 8, found episode 7";
    assert!(told[0].starts_with(expected), "{told:?}");
}

#[test]
fn an_instruction_of_any_length_is_cut_where_it_comes_in() {
    let long = "make coffee ".repeat(100_000);
    let script = script()
        .message("program_contract", &contract(1, 17))
        .message("episode", &episode(1, &long));
    let (result, sent) = drive(grounded(script, 1, 1, 100).closed("keypoints"));
    result.unwrap();
    let statuses = sent.messages::<Status>("status").unwrap();
    assert_eq!(statuses[0].code, "refused");
    let length = statuses[0].text.chars().count();
    assert!(length < 2000, "{length} characters");
}
