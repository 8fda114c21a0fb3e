//! Without what it needs, the node says what it waits for.

use super::*;

/// Every part that a program for episode 1 needs, by the name of its input.
fn part(script: Script, name: &str) -> Script {
    match name {
        "episode" => script.message("episode", &last(1, "open the drawer")),
        "program_contract" => script.message("program_contract", &contract(1, 17)),
        "annotated_image" => image(script, "annotated_image", 1100),
        _ => script.message("keypoints", &keypoints(1, 1, 100)),
    }
}

const PARTS: [&str; 4] = [
    "episode",
    "program_contract",
    "annotated_image",
    "keypoints",
];

/// As [`keypoints`] of the time before the picture: the node stays awake by them for 1.3 s.
fn awake(script: Script, episode: u64) -> Script {
    (0..26).fold(script.gap(0.05), |script, n| {
        script.message("keypoints", &keypoints(episode, 1, n))
    })
}

/// The texts in which it was said what is waited for.
fn waits(sent: &Sent) -> Vec<String> {
    let statuses = sent.messages::<Status>("status").unwrap().into_iter();
    let waits = statuses.filter(|s| (s.level, s.code.as_str()) == (Level::Warning, "waiting"));
    waits.map(|status| status.text).collect()
}

#[test]
fn each_part_that_is_missing_is_named_once_and_its_coming_gives_the_program() {
    for missing in PARTS {
        let there = PARTS.into_iter().filter(|part| *part != missing);
        // Where keypoints are missing, those of the episode before come.
        let episode = u64::from(missing != "keypoints");
        let script = awake(there.fold(script(), part), episode);
        let script = part(script, missing).message("keypoints", &keypoints(1, 1, 200));
        let (result, sent) = drive(script.closed("keypoints"));
        result.unwrap();
        let told = waits(&sent);
        assert_eq!(told.len(), 1, "{missing}: {told:?}");
        let expected = format!("no program can be written: waiting for {missing}");
        assert!(told[0].starts_with(&expected), "{missing}: {told:?}");
        assert_eq!(programs(&sent).len(), 1, "{missing}");
    }
}

#[test]
fn everything_that_is_missing_is_named_together() {
    let (result, sent) = drive(awake(script(), 0).closed("keypoints"));
    result.unwrap();
    let expected = "no program can be written: waiting for annotated_image, episode, \
                    program_contract";
    assert_eq!(waits(&sent), [expected]);
}

#[test]
fn what_another_episode_waits_for_is_named_too() {
    let script = ready("open the drawer").message("episode", &last(2, "open the drawer"));
    let (result, sent) = drive(awake(script, 1).closed("keypoints"));
    result.unwrap();
    let expected = "no program can be written: waiting for annotated_image, keypoints";
    assert_eq!(waits(&sent), [expected]);
}

#[test]
fn nothing_is_said_when_all_comes_in_time() {
    let script = ready("open the drawer").gap(0.05);
    let script = (2..20).fold(script, |script, n| {
        script.message("keypoints", &keypoints(1, 1, 100 * n))
    });
    let (result, sent) = drive(script.closed("keypoints"));
    result.unwrap();
    assert_eq!(waits(&sent), [""; 0]);
}
