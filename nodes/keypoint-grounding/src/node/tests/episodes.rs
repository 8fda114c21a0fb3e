//! Scenes of one episode after the other.

use tiller_core::EpisodeId;
use tiller_messages::Episode;

use super::*;

fn episode(id: u64, stamp_ms: u64) -> Episode {
    Episode {
        seq: id,
        id: EpisodeId(id),
        stamp_ns: stamp_ms * MS,
        ..Default::default()
    }
}

/// Stamp (ms), episode and generation of the keypoints, and what the first is on.
fn found(sent: &Sent) -> Vec<(u64, u64, u32, String)> {
    let keypoints = sent.messages::<Keypoints>("keypoints").unwrap();
    let row = |k: Keypoints| {
        (
            k.stamp_ns / MS,
            k.episode.0,
            k.generation,
            k.names[0].clone(),
        )
    };
    keypoints.into_iter().map(row).collect()
}

fn row(ms: u64, episode: u64, generation: u32, name: &str) -> (u64, u64, u32, String) {
    (ms, episode, generation, name.to_owned())
}

#[test]
fn an_episode_is_grounded_anew_under_its_id() {
    let script = script().message("episode", &episode(7, 50));
    let script = frame(frame(script, 100, &labels(1, 28)), 200, &labels(1, 30));
    let script = script.message("episode", &episode(8, 300));
    let script = frame(frame(script, 300, &labels(2, 10)), 400, &labels(2, 10));
    let sent = drive(&[], script.closed("image"));
    let expected = [
        row(100, 7, 1, "button"),
        row(200, 7, 1, "button"),
        row(300, 8, 2, "red block"),
        row(400, 8, 2, "red block"),
    ];
    assert_eq!(found(&sent), expected);
    assert_eq!(pictures(&sent), 2);
    assert_eq!(warnings(&sent), []);
}

#[test]
fn what_was_seen_before_an_episode_is_not_of_it() {
    let script = script().message("episode", &episode(1, 0));
    let script = frame(script, 100, &labels(1, 28)).message("episode", &episode(2, 350));
    // Two frames of the scene before, late on their way; the second is half through.
    let script = depth(
        colour(frame(script, 200, &labels(1, 28)), 300),
        300,
        DISTANCE_MM,
    );
    let script = segmentation(script, 300, &labels(1, 28));
    let sent = drive(&[], frame(script, 400, &labels(2, 10)).closed("image"));
    let expected = [row(100, 1, 1, "button"), row(400, 2, 2, "red block")];
    assert_eq!(found(&sent), expected);
}

#[test]
fn images_before_the_first_episode_are_grounded_and_again_in_it() {
    let script = frame(script(), 100, &labels(1, 28)).message("episode", &episode(1, 150));
    let sent = drive(&[], frame(script, 200, &labels(1, 28)).closed("image"));
    let expected = [row(100, 0, 1, "button"), row(200, 1, 2, "button")];
    assert_eq!(found(&sent), expected);
}

#[test]
fn an_episode_that_is_told_again_changes_nothing_and_an_older_one_is_refused() {
    let again = Episode {
        seq: 9,
        ..episode(8, 50)
    };
    let older = Episode {
        seq: 10,
        ..episode(7, 400)
    };
    let script = script().message("episode", &episode(8, 50));
    let script = frame(script, 100, &labels(1, 28))
        .message("episode", &episode(8, 50))
        .message("episode", &again)
        .message("episode", &older);
    let sent = drive(&[], frame(script, 200, &labels(1, 28)).closed("image"));
    let expected = [row(100, 8, 1, "button"), row(200, 8, 1, "button")];
    assert_eq!(found(&sent), expected);
    let told = warnings(&sent);
    assert_eq!(told.len(), 1, "{told:?}");
    let expected = "input `episode`: id: expected above episode 8, found episode 7";
    assert!(told[0].text.starts_with(expected), "{}", told[0].text);
}

#[test]
fn a_node_that_is_started_anew_goes_on_above_its_predecessor() {
    let (first, second) = (1_800_000_000_000_000_000, 1_800_000_002_500_000_000);
    let before = crate::node::generation(first, 1);
    assert!(crate::node::generation(first, 2) > before);
    assert!(crate::node::generation(second, 1) > before);
    assert_eq!(crate::node::generation(1, 1), 1);
}
