//! Programs followed by their gradient alone, with no policy, on LIBERO's packs: whether the targets are right.
//!
//! `TILLER_LIBERO_PACKS=FOLDER cargo test --release -p tiller-libero-author --test follow -- --nocapture`; without packs
//! there is nothing to follow, and the test says so.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;

use tiller_author_testing::Follower;
use tiller_libero::kind;
use tiller_libero_author::EmbeddedAuthor;
use tiller_vlm::HandAccess;
use tiller_world::WorldKind;

/// The goals that experts show.
const SHOWN: &str = "libero_goal_0,libero_goal_1,libero_goal_2,libero_goal_4,libero_goal_5,libero_goal_6,\
                     libero_goal_7,libero_goal_8";

/// `TILLER_LIBERO_TASKS` (ids with commas between) and `TILLER_LIBERO_STATES` choose others than the goals that experts
/// show, and more or fewer states than 3.
#[test]
fn programs_lead_to_their_goals() {
    let Ok(packs) = std::env::var("TILLER_LIBERO_PACKS") else {
        eprintln!("without TILLER_LIBERO_PACKS there is nothing to follow");
        return;
    };
    let kind = kind(Path::new(&packs)).unwrap();
    let mut world = kind.make().unwrap();
    let follower = Follower {
        author: &EmbeddedAuthor,
        hand: HandAccess::WHOLE,
        step_m: 0.020,
        step_rad: 0.25,
        patience: 60,
        instruction: None,
    };
    let chosen = std::env::var("TILLER_LIBERO_TASKS");
    let tasks = chosen.as_deref().unwrap_or(SHOWN);
    let states = std::env::var("TILLER_LIBERO_STATES").map_or(3, |count| count.parse().unwrap());
    let (mut solved, mut count) = (0, 0);
    for task in tasks.split(',') {
        for seed in 0..states {
            let outcome = follower
                .follow(world.as_mut(), task, seed, &|_, _| None)
                .unwrap();
            eprintln!("{task} {seed} {}: {}", outcome.success, outcome.told);
            solved += u32::from(outcome.success);
            count += 1;
        }
    }
    eprintln!("{solved} of {count}");
    if chosen.is_err() {
        assert!(10 * solved >= 9 * count, "{solved} of {count}");
    }
}
