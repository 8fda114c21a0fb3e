//! Sentences as people say them: of every kind that is understood, and of what must be refused.

mod common;

use common::request;
use proptest::prelude::*;
use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::AuthorError;

/// Task ids or `refuse`, a tab, a sentence of the author's writer.
const SAID: &str = include_str!("said.tsv");

fn found(sentence: &str) -> String {
    match EmbeddedAuthor.understand_all(&request(sentence)) {
        Ok(spec) => spec.to_string(),
        Err(_) => "refuse".to_owned(),
    }
}

#[test]
fn what_is_said_is_understood_or_refused() {
    let rows = SAID
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once('\t'));
    let wrong: Vec<String> = rows
        .map(|(expected, sentence)| (expected, sentence, found(sentence)))
        .filter(|(expected, _, found)| found != expected)
        .map(|(expected, sentence, found)| format!("{found} instead of {expected}: {sentence}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Letters that are swapped, lost, doubled or mistyped do not change what is meant.
#[test]
fn every_slip_of_a_letter_is_mended_or_refused() {
    for (word, sentence, expected) in [
        ("drawer", "open the drawer", "drawer_open"),
        ("button", "press the button", "button_press"),
        ("switch", "turn on the switch", "switch_on"),
        ("block", "lift the pink block", "lift_pink"),
        ("press", "press the button", "button_press"),
        ("slide", "slide the door left", "door_left"),
    ] {
        let mut understood = 0;
        let swaps = (1..word.len() - 1).map(|at| {
            let mut letters = word.as_bytes().to_vec();
            letters.swap(at, at + 1);
            String::from_utf8(letters).unwrap_or_default()
        });
        let losses = (1..word.len()).map(|at| format!("{}{}", &word[..at], &word[at + 1..]));
        let doubles = (1..word.len()).map(|at| format!("{}{}", &word[..at], &word[at - 1..]));
        let slips: Vec<String> = swaps.chain(losses).chain(doubles).collect();
        for slip in &slips {
            let found = found(&sentence.replace(word, slip));
            assert!(found == expected || found == "refuse", "{slip}: {found}");
            understood += usize::from(found == expected);
        }
        assert!(
            understood * 10 >= slips.len() * 7,
            "{word}: {understood} of {}",
            slips.len()
        );
    }
}

/// A refusal names what was not understood.
#[test]
fn nothing_is_dropped_in_silence() {
    for (sentence, word) in [
        ("open the drawer unless it is stuck", "unless"),
        ("press the button if the light is off", "if"),
        ("push the red block to the left with a spatula", "spatula"),
        (
            "lift the red block because you must not touch the blue one",
            "because",
        ),
        ("open the left door", "left"),
        ("could you please defrost the blue block", "defrost"),
    ] {
        let error = EmbeddedAuthor
            .understand_all(&request(sentence))
            .map_or_else(|error| error.to_string(), |spec| spec.to_string());
        assert!(error.contains(word), "{sentence}: {error}");
        assert!(error.contains("I can: "), "{sentence}: {error}");
    }
}

/// A reason that holds an unknown thing leaves no "it" to guess.
#[test]
fn an_unknown_thing_is_no_antecedent() {
    for sentence in [
        "Open the drawer. My cup is beside the lamp. Push it.",
        "there is a mug on the table, lift it",
        "I have a screwdriver, push it to the left",
    ] {
        assert_eq!(found(sentence), "refuse", "{sentence}");
    }
}

fn word() -> impl Strategy<Value = String> {
    let words: Vec<String> = SAID
        .lines()
        .flat_map(|line| line.split(['\t', ' ']))
        .map(str::to_owned)
        .collect();
    prop_oneof![12 => prop::sample::select(words), 1 => any::<String>()]
}

proptest! {
    /// Any words end in tasks that the scene has, or in a reason why not.
    #[test]
    fn any_words_are_answered(words in prop::collection::vec(word(), 0..24)) {
        match EmbeddedAuthor.understand_all(&request(&words.join(" "))) {
            Ok(spec) => {
                prop_assert!(!spec.goals.is_empty() && spec.goals.len() <= 4);
                for goal in &spec.goals {
                    prop_assert!(request("").keypoints.iter().any(|k| k.name == goal.object()));
                    prop_assert!(goal.things().iter().all(|thing| !spec.avoid.contains(thing)));
                }
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    /// An unknown verb with an unknown thing beside a request is never dropped.
    #[test]
    fn unknown_requests_are_never_dropped(row in any::<prop::sample::Index>(), before in any::<bool>()) {
        let rows: Vec<&str> = SAID
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once('\t'))
            .filter(|(expected, _)| *expected != "refuse")
            .map(|(_, sentence)| sentence)
            .collect();
        let sentence = row.get(&rows).trim_end_matches(['.', '!', '?']);
        let text = if before {
            format!("vacuum the carpet and {sentence}")
        } else {
            format!("{sentence} and vacuum the carpet")
        };
        let answer = EmbeddedAuthor.understand_all(&request(&text));
        prop_assert!(answer.is_err(), "{text}");
    }
}

/// The longest text that is read, of the words that take the most work, is read at once.
#[test]
fn hostile_text_takes_a_bounded_time() {
    let longest = "switchhh drawerrr without touching ".repeat(40);
    let text: String = longest.chars().take(tiller_core::MAX_INSTRUCTION).collect();
    let started = std::time::Instant::now();
    for _ in 0..20 {
        let answer = EmbeddedAuthor.understand_all(&request(&text));
        assert!(!matches!(answer, Err(AuthorError::Empty { .. })));
    }
    // A hundred times what it takes, for a machine that is busy.
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
}
