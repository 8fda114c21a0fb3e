//! Nothing that arrives ends the node or makes the arm jump.

use tiller_messages::{ActionChunk, ArmState, Message};
use tiller_motion::Limits;
use tiller_node_kit::testing::{Damage, Script, Sent, Trial, message_damages};

use super::{
    ESSENTIAL, STATE_NS, chunk, commands, drive, events, executions, home, state, try_drive,
};

const HOUR_NS: u64 = 3_600_000_000_000;

/// A chunk so slow that the next one's anchor lies where this one's does.
fn slow(seq: u64, stamp_ns: u64) -> ActionChunk {
    chunk_of(seq, stamp_ns, 0.001)
}

/// A chunk with steps of this size, m.
fn chunk_of(seq: u64, stamp_ns: u64, step_m: f32) -> ActionChunk {
    ActionChunk {
        actions: [0.0, step_m, 0.0, 1.0].repeat(16),
        ..chunk(seq, stamp_ns)
    }
}

/// Says whether the setpoints go on without a jump, each within the arm's limits of the one before.
/// Commands for another time than the arm's are not executed, one that was sent twice is once.
pub(super) fn check_setpoints(sent: &Sent) -> Result<(), String> {
    let limits = Limits::panda();
    let mut next_ns = None;
    let mut setpoints = Vec::new();
    for command in commands(sent) {
        if next_ns.is_none_or(|next| next == command.stamp_ns) {
            setpoints.extend(command.setpoints());
            next_ns = Some(command.stamp_ns + STATE_NS);
        }
    }
    let joint = &limits.joint;
    for (index, three) in setpoints.windows(3).enumerate() {
        let most = joint.velocity_rad_s.iter().zip(&joint.acceleration_rad_s2);
        for ((((a, b), c), (speed, acceleration)), joint) in three[0]
            .iter()
            .zip(&three[1])
            .zip(&three[2])
            .zip(most)
            .zip(1..)
        {
            let found = ((c - b) * 1e3, (c - 2.0 * b + a) * 1e6);
            if found.0.abs() > *speed || found.1.abs() > *acceleration {
                return Err(format!(
                    "setpoint {index}, joint {joint}: {found:?} rad/s, rad/s2"
                ));
            }
        }
    }
    Ok(())
}

fn texts(sent: &Sent) -> Vec<String> {
    let refusals = |event: &tiller_messages::SafetyEvent| event.kind != "stop_requested";
    let events = events(sent).into_iter().filter(refusals);
    events.map(|event| event.text).collect()
}

#[test]
fn damaged_chunks() {
    let (before, good) = (slow(5, 101 * STATE_NS), slow(6, 103 * STATE_NS));
    let mut damages = message_damages(&before, &good);
    let words = ["expected a stamp", "found"];
    damages.push(Damage::stamped(&good, good.stamp_ns + HOUR_NS, &words));
    let words = ["an age of at most 1000 ms", "found"];
    damages.push(Damage::stamped(&good, STATE_NS, &words));
    let trial = Trial {
        input: "action_chunk",
        before: &|| {
            Script::new(ESSENTIAL)
                .gap(0.003)
                .message("sim_arm_state", &state(101))
                .message("action_chunk", &before)
                .message("sim_arm_state", &state(102))
                .message("sim_arm_state", &state(103))
        },
        after: &|script| {
            script
                .message("sim_arm_state", &state(104))
                .message("action_chunk", &slow(7, 104 * STATE_NS))
                .message("sim_arm_state", &state(105))
                .message("sim_arm_state", &state(106))
                .closed("sim_arm_state")
        },
        drive: &try_drive,
        texts: &texts,
        accepted: &|sent| {
            check_setpoints(sent)?;
            let chunks: Vec<_> = executions(sent).iter().map(|e| e.chunk_seq).collect();
            let expected = [0, 5, 5, 5, 7, 7];
            (chunks == expected)
                .then_some(())
                .ok_or(format!("{chunks:?}"))
        },
    };
    let faults = trial.faults(&damages);
    assert!(faults.is_empty(), "{faults:#?}");
}

/// States of an arm that moves under chunk 5, fast enough that holding it at once would be a jump.
fn moving() -> Script {
    let mut script = Script::new(ESSENTIAL)
        .gap(0.003)
        .message("sim_arm_state", &state(101))
        .message("action_chunk", &chunk_of(5, 101 * STATE_NS, 0.005));
    for seq in 102..110 {
        script = script.message("sim_arm_state", &state(seq));
    }
    script
}

fn moving_on(mut script: Script) -> Script {
    for seq in 111..120 {
        script = script.message("sim_arm_state", &state(seq));
    }
    script.closed("sim_arm_state")
}

#[test]
fn damaged_states() {
    let (before, good) = (state(109), state(110));
    let mut damages = message_damages(&before, &good);
    let words = ["expected a stamp up to 1 s after", "found"];
    damages.push(Damage::stamped(&good, good.stamp_ns + HOUR_NS, &words));
    damages.push(Damage::stamped(&good, STATE_NS, &words));
    let trial = Trial {
        input: "sim_arm_state",
        before: &moving,
        after: &moving_on,
        drive: &try_drive,
        texts: &texts,
        accepted: &|sent| {
            check_setpoints(sent)?;
            let answered: Vec<_> = commands(sent)
                .iter()
                .map(|c| c.stamp_ns / STATE_NS)
                .collect();
            let all = (111..120).all(|seq| answered.contains(&seq));
            if !all {
                return Err(format!("answers to {answered:?}"));
            }
            let executions = executions(sent);
            let last = executions.last().ok_or("no execution state")?;
            let wild = executions.iter().any(|e| e.check_finite().is_err());
            (last.chunk_seq == 5 && !wild)
                .then_some(())
                .ok_or(format!("{last:?}"))
        },
    };
    let faults = trial.faults(&damages);
    assert!(faults.is_empty(), "{faults:#?}");
    let told = drive(moving_on(moving()));
    assert!(texts(&told).is_empty(), "nothing is wrong without a damage");
}

#[test]
fn a_state_that_is_no_number_is_answered_and_not_passed_on() {
    let mut sick = state(110);
    sick.q_rad[3] = f64::NAN;
    let sent = drive(moving_on(moving().message("sim_arm_state", &sick)));
    let answered: Vec<_> = commands(&sent)
        .iter()
        .map(|c| c.stamp_ns / STATE_NS)
        .collect();
    assert!(answered.contains(&110), "or the arm would wait for ever");
    let passed = sent.messages::<ArmState>("arm_state").unwrap();
    assert!(passed.iter().all(|state| state.stamp_ns != 110 * STATE_NS));
    check_setpoints(&sent).unwrap();
}

/// Whatever comes by these two inputs counts.
#[test]
fn stop_and_resume_may_carry_anything() {
    let sound = tiller_messages::SafetyEvent {
        seq: 3,
        ..Default::default()
    };
    let before = tiller_messages::SafetyEvent {
        seq: 2,
        ..sound.clone()
    };
    for damage in message_damages(&before, &sound) {
        let mut script = moving().damaged("stop", &damage);
        for seq in 110..200 {
            script = script.message("sim_arm_state", &state(seq));
        }
        script = script.damaged("resume", &damage);
        for seq in 200..203 {
            script = script.message("sim_arm_state", &state(seq));
        }
        let anchored = ActionChunk {
            anchor: home(),
            ..slow(6, 202 * STATE_NS)
        };
        script = script
            .message("action_chunk", &anchored)
            .message("sim_arm_state", &state(203))
            .closed("sim_arm_state");
        let sent = drive(script);
        check_setpoints(&sent).unwrap_or_else(|error| panic!("{}: {error}", damage.what));
        let kinds: Vec<_> = events(&sent).into_iter().map(|event| event.kind).collect();
        let expected = ["stop_requested", "resumed"];
        assert!(
            kinds.iter().take(2).eq(&expected),
            "{}: {kinds:?}",
            damage.what
        );
        let last = executions(&sent).pop().unwrap();
        assert_eq!(last.chunk_seq, 6, "{}", damage.what);
    }
}
