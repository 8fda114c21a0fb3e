//! Nothing that arrives ends the node or stops its time.

use tiller_messages::{Episode, ExecutionMode, ExecutionState, Message, StageCommand, Status};
use tiller_node_kit::testing::{Damage, Script, Sent, Trial, message_damages};
use tiller_world::Registry;

use super::{ESSENTIAL, STATE_NS, answers, command, drive_in, episodes, signal, states};

const HOUR_NS: u64 = 3_600_000_000_000;

fn before() -> Script {
    answers(Script::new(ESSENTIAL).gap(0.003), 0..20)
}

fn try_drive(script: Script) -> (eyre::Result<()>, Sent) {
    let worlds = Registry::new().with(signal::kind());
    drive_in(&worlds, &[("TASK", "signal")], script)
}

fn texts(sent: &Sent) -> Vec<String> {
    let statuses = sent.messages::<Status>("status").unwrap();
    let refusals = statuses
        .into_iter()
        .filter(|s| s.code.ends_with("_refused"));
    refusals.map(|status| status.text).collect()
}

/// Time goes on state by state.
fn time_goes_on(sent: &Sent) -> Result<(), String> {
    let stamps: Vec<_> = states(sent).iter().map(|s| s.stamp_ns / STATE_NS).collect();
    let expected: Vec<_> = (0..=23).collect();
    (stamps == expected)
        .then_some(())
        .ok_or(format!("{stamps:?}"))
}

fn faults(
    input: &'static str,
    damages: &[Damage],
    after: &dyn Fn(Script) -> Script,
) -> Vec<String> {
    let trial = Trial {
        input,
        before: &before,
        after,
        drive: &try_drive,
        texts: &texts,
        accepted: &time_goes_on,
    };
    trial.faults(damages)
}

fn go_on(script: Script) -> Script {
    answers(script, 20..23).closed("arm_command")
}

#[test]
fn damaged_commands() {
    let (last, good) = (command(20, 19 * STATE_NS), command(21, 20 * STATE_NS));
    let mut damages = message_damages(&last, &good);
    let words = ["ArmCommand.stamp_ns", "expected", "found"];
    damages.push(Damage::stamped(&good, good.stamp_ns + HOUR_NS, &words));
    damages.push(Damage::stamped(&good, 0, &words));
    // The answer to a state that was sent twice.
    damages.push(Damage::stamped(&good, 19 * STATE_NS, &[]));
    let after = |script| {
        let mut script: Script = script;
        for state in 20..23 {
            // Behind whatever number the damaged one had.
            script = script.message("arm_command", &command(state + 10, state * STATE_NS));
        }
        script.closed("arm_command")
    };
    let faults = faults("arm_command", &damages, &after);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn damaged_stages() {
    let stage = |seq| StageCommand {
        seq,
        stage: 1,
        kind: "advance".into(),
        ..Default::default()
    };
    outlives("stage", [stage(5), stage(6)]);
}

/// Damages of an input whose stamp decides nothing here.
fn outlives<M: Message>(input: &'static str, [first, second]: [M; 2]) {
    let mut damages = message_damages(&first, &second);
    damages.push(Damage::stamped(&second, HOUR_NS, &[]));
    let trial = Trial {
        input,
        before: &|| before().message(input, &first),
        after: &go_on,
        drive: &try_drive,
        texts: &texts,
        accepted: &time_goes_on,
    };
    let faults = trial.faults(&damages);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn damaged_episodes() {
    let say = |seq| Episode {
        seq,
        instruction: "wave".into(),
        ..Default::default()
    };
    let trial = Trial {
        input: "episode",
        before: &|| before().message("episode", &say(5)),
        after: &|script| {
            let script = answers(script, 20..22);
            answers(script.message("episode", &say(7)), 22..24).closed("arm_command")
        },
        drive: &try_drive,
        texts: &texts,
        accepted: &|sent| {
            let begun = episodes(sent).len();
            let last = states(sent).last().map(|state| state.stamp_ns / STATE_NS);
            ((begun, last) == (3, Some(24)))
                .then_some(())
                .ok_or(format!("{begun} episodes, up to state {last:?}"))
        },
    };
    let faults = trial.faults(&message_damages(&say(5), &say(6)));
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn damaged_execution_states() {
    let going = |seq| ExecutionState {
        seq,
        mode: ExecutionMode::Executing,
        ..Default::default()
    };
    outlives("execution_state", [going(5), going(6)]);
}

/// It wakes the loop, whatever it carries.
#[test]
fn damaged_ticks() {
    let status = Status {
        seq: 3,
        ..Default::default()
    };
    let before = Status {
        seq: 2,
        ..Default::default()
    };
    let damages: Vec<_> = message_damages(&before, &status)
        .into_iter()
        .map(|damage| Damage::quiet(damage.what, damage.array))
        .collect();
    let faults = faults("tick", &damages, &go_on);
    assert!(faults.is_empty(), "{faults:#?}");
}
