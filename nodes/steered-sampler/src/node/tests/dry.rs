//! Dry plans of programs that wait: they come, and leave no trace.

use tiller_messages::{DryPlan, Proposal, ProposalState};
use tiller_node_kit::testing::message_damages;

use super::damages::survive;
use super::*;

/// One of a program, of which this has become.
pub(super) fn proposal(seq: u64, state: ProposalState) -> Proposal {
    Proposal {
        seq,
        id: PROGRAM,
        episode: EpisodeId(1),
        generation: 1,
        text: TEXT.into(),
        state,
        descriptions: vec!["reach".into(), "stay".into()],
        ..Default::default()
    }
}

fn plans(sent: &Sent) -> Vec<DryPlan> {
    sent.messages("dry_plan").unwrap()
}

/// Sees the scene twice without a program; proposed or not, it is then approved and seen once more.
fn approved(proposed: bool) -> Script {
    let seen = |script, seq, stamp_ms, brightness| {
        let script = state(script, seq, stamp_ms + 20, 0, 0);
        images_of(script, stamp_ms, brightness).message("keypoints", &keypoints(seq, stamp_ms))
    };
    let mut script = seen(seen(start(), 1, 100, 30), 2, 200, 90);
    if proposed {
        script = script
            .message("proposal", &proposal(1, ProposalState::Proposed))
            .until("proposal", sent("dry_plan", 1))
            .message("proposal", &proposal(2, ProposalState::Approved));
    }
    script
        .message("reward_program", &program(1))
        .message("stage", &stage(1, 1))
}

fn numbers(chunk: &ActionChunk) -> Vec<u32> {
    chunk
        .actions
        .iter()
        .map(|number| number.to_bits())
        .collect()
}

#[test]
fn a_program_that_waits_is_planned_and_nothing_is_sent_to_the_arm() {
    let script = scene(state(start(), 1, 120, 0, 0), 1, 100)
        .message("proposal", &proposal(1, ProposalState::Proposed))
        .until("proposal", sent("dry_plan", 1));
    let sent = run_to_end(&[], script, 0);
    let [plan] = &plans(&sent)[..] else {
        panic!("{:?}", plans(&sent));
    };
    assert_eq!((plan.program, plan.stage), (PROGRAM, 1));
    assert_eq!((plan.particles, plan.points), (20, 4));
    assert_eq!((plan.stamp_ns, plan.problem.as_str()), (100 * MS, ""));
    let best = plan.rewards.iter().copied().fold(f32::MIN, f32::max);
    assert_eq!(plan.rewards[plan.selected as usize], best);
    for output in ["action_chunk", "candidates", "progress"] {
        assert_eq!(sent.count(output), 0, "{output}");
    }
}

/// With a policy of one observation and with one that remembers.
#[test]
fn a_dry_plan_leaves_no_trace_in_what_follows() {
    let remembers = with_memory();
    for policy in [BUNDLE.to_owned(), remembers.path().display().to_string()] {
        let settings = [("POLICY", policy.as_str())];
        let run = |proposed| {
            let sent = run_to_end(&settings, approved(proposed), 1);
            assert_eq!(plans(&sent).len(), usize::from(proposed));
            let chunks = chunks(&sent);
            (chunks[0].seq, chunks[0].stamp_ns, numbers(&chunks[0]))
        };
        assert_eq!(run(true), run(false), "{policy}");
    }
}

#[test]
fn damaged_proposals() {
    let waiting = |seq| proposal(seq, ProposalState::Refused);
    let damages = message_damages(&waiting(4), &waiting(5));
    survive("proposal", &damages, &|script| {
        script.message("proposal", &waiting(6))
    });
}
