use tiller_core::{ActionLayout, EpisodeId, JOINTS};
use tiller_messages::{ActionChunk, ExecutionMode, ExecutionState};
use tiller_motion::kinematics::HOME_Q;
use tiller_motion::{ArmReading, Quantity, Violation};

use super::*;
use crate::recovery::RecoveryConfig;

const MS: u64 = 1_000_000;

#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct NoAnswer;

/// Goes exactly where it is told.
struct Driver {
    reading: ArmReading,
    commands: Vec<Setpoint>,
    /// Reads that still succeed.
    reads_left: usize,
    /// What the robot's clock says, if it has one.
    elapsed_ms: Option<u32>,
    /// How often it says where it is, ms.
    period_ms: u32,
    /// What it makes less of.
    clamped: Option<Violation>,
    /// Whether the robot has stopped by itself, and whether people must see to it.
    has_stopped: bool,
    is_stuck: bool,
    /// Ticks that homing the hand has left.
    homing: usize,
    homings: usize,
}

impl Arm for Driver {
    type Error = NoAnswer;

    fn read(&mut self) -> Result<ArmReading, NoAnswer> {
        self.homing = self.homing.saturating_sub(self.homings);
        if self.has_stopped {
            return Err(NoAnswer);
        }
        self.reads_left = self.reads_left.checked_sub(1).ok_or(NoAnswer)?;
        Ok(self.reading)
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), NoAnswer> {
        self.reading.q_rad = setpoint.q_rad;
        self.commands.push(*setpoint);
        Ok(())
    }

    fn elapsed_ms(&self) -> Option<u32> {
        self.elapsed_ms
    }

    fn period_ms(&self) -> u32 {
        self.period_ms
    }

    fn clamped(&mut self) -> Option<Violation> {
        self.clamped.take()
    }

    fn fault(&self) -> Option<ArmFault> {
        self.has_stopped.then_some(ArmFault::Reflex)
    }

    fn home(&mut self) -> Result<bool, NoAnswer> {
        self.homings += 1;
        Ok(self.homing > 0)
    }

    fn is_homing(&self) -> bool {
        self.homing > 0
    }

    fn recover(&mut self) -> Result<bool, NoAnswer> {
        if self.is_stuck {
            return Err(NoAnswer);
        }
        self.reads_left = usize::MAX;
        Ok(std::mem::take(&mut self.has_stopped))
    }
}

/// An arm at home, and what it told.
struct Rig {
    arm: LimitedArm<Driver>,
    now_ns: u64,
    told: Vec<ActuatorEffect>,
    failures: usize,
}

impl Rig {
    fn new(reads_left: usize) -> Self {
        let driver = Driver {
            reading: ArmReading::at_rest(HOME_Q, 0.04),
            commands: Vec::new(),
            reads_left,
            elapsed_ms: None,
            period_ms: 1,
            clamped: None,
            has_stopped: false,
            is_stuck: false,
            homing: 0,
            homings: 0,
        };
        Self {
            arm: LimitedArm::new(driver, ActuatorConfig::default(), None),
            now_ns: 0,
            told: Vec::new(),
            failures: 0,
        }
    }

    fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.now_ns += MS;
            let (now_ns, told) = (self.now_ns, &mut self.told);
            let result = self.arm.tick(|| now_ns, |effect| told.push(effect));
            self.failures += usize::from(result.is_err());
        }
    }

    fn on(&mut self, event: ActuatorEvent) {
        let told = &mut self.told;
        self.arm
            .on(event, self.now_ns, |effect| told.push(effect))
            .unwrap();
    }

    fn chunk(&self, seq: u64, episode: u64) -> ActionChunk {
        ActionChunk {
            seq,
            stamp_ns: self.now_ns,
            episode: EpisodeId(episode),
            anchor: forward(&HOME_Q),
            anchor_q_rad: HOME_Q,
            execute_steps: 8,
            horizon: 8,
            actions: [0.0, 0.02, 0.0, 1.0].repeat(8),
            layout: ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0),
            ..Default::default()
        }
    }

    fn executions(&self) -> Vec<&ExecutionState> {
        self.told
            .iter()
            .filter_map(|effect| match effect {
                ActuatorEffect::Execution(state) => Some(state),
                _ => None,
            })
            .collect()
    }

    fn dangers(&self) -> Vec<&str> {
        self.told
            .iter()
            .filter_map(|effect| match effect {
                ActuatorEffect::Safety(event) => Some(event.kind.as_str()),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn a_chunk_is_executed_and_told_of_every_twenty_ticks() {
    let mut rig = Rig::new(usize::MAX);
    rig.run(1);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1, 0)));
    rig.run(1_199);
    assert_eq!(rig.arm.arm().commands.len(), 1_200);
    let executions = rig.executions();
    assert_eq!(executions.len(), 60);
    assert_eq!(executions[1].mode, ExecutionMode::Executing);
    assert_eq!(executions[59].mode, ExecutionMode::Holding);
    assert_eq!(executions[59].chunk_step, 8);
    let mut states = rig.told.iter().rev().filter_map(|effect| match effect {
        ActuatorEffect::Arm(state) => Some(state),
        _ => None,
    });
    let last = states.next().unwrap();
    assert_eq!(last.stamp_ns, 1_181 * MS);
    let moved_m = last.tcp.position_m[1] - forward(&HOME_Q).position_m[1];
    assert!((moved_m - 0.16).abs() < 1e-3, "{moved_m}");
    assert_eq!(rig.dangers(), [""; 0]);
}

#[test]
fn a_robot_that_stops_answering_is_braked_and_the_loss_is_told() {
    let mut rig = Rig::new(300);
    rig.run(1);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1, 0)));
    rig.run(599);
    assert_eq!(rig.failures, 300);
    assert!(rig.arm.is_stopped());
    assert_eq!(rig.dangers(), ["arm_missed", "reading_lost"]);
    let commands = &rig.arm.arm().commands;
    assert_eq!(commands.len(), 600, "setpoints go on without readings");
    let limits = ActuatorConfig::default().limits.joint.acceleration_rad_s2;
    for three in commands.windows(3) {
        for (joint, limit) in limits.iter().enumerate().take(JOINTS) {
            let [a, b, c] = [0, 1, 2].map(|i: usize| three[i].q_rad[joint]);
            assert!((a - 2.0 * b + c).abs() * 1e6 <= *limit);
        }
    }
}

#[test]
fn an_arm_that_cannot_be_read_is_not_moved() {
    let mut rig = Rig::new(0);
    rig.run(100);
    assert_eq!(rig.failures, 100);
    assert!(rig.arm.arm().commands.is_empty() && rig.arm.is_stopped());
    rig.on(ActuatorEvent::Chunk(rig.chunk(1, 0)));
    assert_eq!(rig.dangers(), ["arm_missed", "not_accepting"]);
}

#[test]
fn another_episode_ends_the_chunk_and_refuses_the_rest_of_them() {
    let mut rig = Rig::new(usize::MAX);
    rig.on(ActuatorEvent::Episode(EpisodeId(1)));
    rig.run(1);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1, 1)));
    rig.run(300);
    rig.on(ActuatorEvent::Episode(EpisodeId(2)));
    rig.on(ActuatorEvent::Chunk(rig.chunk(2, 1)));
    rig.run(700);
    assert_eq!(rig.dangers(), ["other_episode"]);
    let executions = rig.executions();
    let last = executions.last().unwrap();
    assert_eq!(
        (last.mode, last.episode),
        (ExecutionMode::Holding, EpisodeId(2))
    );
    let commands = &rig.arm.arm().commands;
    let (last, before) = (commands[1_000], commands[900]);
    let still = last.q_rad.iter().zip(before.q_rad);
    assert!(still.into_iter().all(|(a, b)| (a - b).abs() < 1e-9));
}

#[test]
fn a_stop_holds_until_it_is_lifted() {
    let mut rig = Rig::new(usize::MAX);
    rig.run(1);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1, 0)));
    rig.run(300);
    let reason = "test".to_owned();
    rig.on(ActuatorEvent::Stop { reason });
    rig.run(500);
    assert!(rig.arm.is_stopped());
    rig.on(ActuatorEvent::Chunk(rig.chunk(2, 0)));
    rig.run(20);
    rig.on(ActuatorEvent::Resume);
    rig.run(20);
    assert_eq!(
        rig.dangers(),
        ["stop_requested", "not_accepting", "resumed"]
    );
    let executions = rig.executions();
    assert_eq!(executions.last().unwrap().mode, ExecutionMode::Ready);
}

#[test]
fn a_robot_whose_clock_went_on_gets_a_setpoint_for_every_millisecond() {
    let mut rig = Rig::new(usize::MAX);
    rig.run(1);
    assert!(!rig.arm.keeps_time());
    rig.arm.arm.elapsed_ms = Some(4);
    let before = rig.arm.arm().commands.len();
    rig.run(3);
    assert!(rig.arm.keeps_time());
    assert_eq!(rig.arm.arm().commands.len() - before, 12);
}

/// A controller that says where its arm is every 50 ms.
fn slow() -> Rig {
    let mut rig = Rig::new(usize::MAX);
    rig.arm.arm.period_ms = 50;
    let Rig { arm, .. } = rig;
    let mut rig = Rig {
        arm: LimitedArm::new(arm.arm, ActuatorConfig::default(), None),
        ..Rig::new(0)
    };
    rig.run(1);
    rig.arm.arm.elapsed_ms = Some(50);
    rig
}

/// Readings that come every 50 ms, and the time that goes on as far.
fn run_slowly(rig: &mut Rig, readings: usize) {
    for _ in 0..readings {
        rig.now_ns += 49 * MS;
        rig.run(1);
    }
}

#[test]
fn between_two_readings_of_a_slow_controller_none_is_missed() {
    let mut rig = slow();
    rig.on(ActuatorEvent::Chunk(rig.chunk(1, 0)));
    run_slowly(&mut rig, 24);
    assert_eq!(rig.arm.arm().commands.len(), 1_201);
    assert_eq!(rig.dangers(), [""; 0]);
    let stamps: Vec<_> = rig
        .told
        .iter()
        .filter_map(|effect| match effect {
            ActuatorEffect::Arm(state) => Some(state.stamp_ns / MS),
            _ => None,
        })
        .collect();
    let expected: Vec<_> = (0..25).map(|reading| 1 + 50 * reading).collect();
    assert_eq!(stamps, expected, "each is told of");
    let last = rig.executions().last().unwrap().mode;
    assert_eq!(last, ExecutionMode::Holding);
}

#[test]
fn a_slow_controller_that_is_late_is_an_overrun_and_one_that_is_lost_is_braked() {
    let mut rig = slow();
    rig.arm = rig.arm.guarded(&Guard {
        watchdog: crate::WatchdogConfig {
            overrun: crate::Watch {
                reaction: crate::Reaction::Hold,
                limit_ns: 10 * MS,
            },
            ..Default::default()
        },
        ..Guard::default()
    });
    run_slowly(&mut rig, 3);
    assert_eq!(rig.dangers(), [""; 0]);
    rig.now_ns += 50 * MS;
    rig.arm.arm.elapsed_ms = Some(100);
    run_slowly(&mut rig, 1);
    assert_eq!(rig.dangers(), ["loop_overrun"], "one alone stops nothing");
    rig.now_ns += 100 * MS;
    rig.arm.arm.elapsed_ms = Some(150);
    run_slowly(&mut rig, 1);
    assert_eq!(rig.dangers(), ["loop_overrun", "reading_lost"]);
}

#[test]
fn what_a_driver_makes_less_of_is_told_with_its_numbers() {
    let mut rig = Rig::new(usize::MAX);
    rig.run(1);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1, 0)));
    rig.run(10);
    rig.arm.arm.clamped = Some(Violation::new(Quantity::Step, 0.05, 0.08));
    rig.run(10);
    let events = rig.told.iter().filter_map(|effect| match effect {
        ActuatorEffect::Safety(event) => Some(event),
        _ => None,
    });
    let events: Vec<_> = events.collect();
    assert_eq!(events.len(), 1, "{events:?}");
    let event = events[0];
    assert_eq!(event.kind, "step_shortened");
    assert_eq!(event.chunk_seq, Some(1));
    let numbers = (event.quantity.as_deref(), event.limit, event.value);
    assert_eq!(numbers, (Some("step_m"), Some(0.05), Some(0.08)));
}

#[test]
fn a_robot_that_stopped_by_itself_is_resumed_from_where_it_is() {
    let mut rig = Rig::new(10);
    rig.run(200);
    assert!(rig.arm.is_stopped());
    // Somebody has moved it meanwhile.
    rig.arm.arm.reading.q_rad[0] += 0.6;
    rig.arm.arm.has_stopped = true;
    let there = rig.arm.arm().reading.q_rad;
    rig.on(ActuatorEvent::Resume);
    rig.run(50);
    assert!(!rig.arm.is_stopped());
    let last = rig.arm.arm().commands.last().unwrap();
    assert_eq!(last.q_rad, there);
    let is_recovered = |effect: &ActuatorEffect| matches!(effect, ActuatorEffect::Tell(notice) if notice.code == "recovered");
    assert!(rig.told.iter().any(is_recovered));
}

#[test]
fn a_robot_that_people_must_see_to_stays_stopped() {
    let mut rig = Rig::new(10);
    rig.run(200);
    rig.arm.arm.is_stuck = true;
    rig.on(ActuatorEvent::Resume);
    rig.run(50);
    assert!(rig.arm.is_stopped());
    let is_refusal = |effect: &ActuatorEffect| matches!(effect, ActuatorEffect::Safety(event) if event.kind == "not_resumed");
    assert!(rig.told.iter().any(is_refusal));
}

/// One that is to be armed.
fn guarded() -> Rig {
    let mut rig = Rig::new(usize::MAX);
    rig.arm = rig.arm.guarded(&Guard {
        requires_arming: true,
        ..Guard::default()
    });
    rig
}

impl Rig {
    fn mode(&self) -> ExecutionMode {
        self.executions().last().unwrap().mode
    }

    fn codes(&self) -> Vec<&str> {
        let notices = self.told.iter().filter_map(|effect| match effect {
            ActuatorEffect::Tell(notice) => Some(notice.code.as_str()),
            _ => None,
        });
        notices.collect()
    }
}

#[test]
fn an_arm_gets_no_setpoint_before_it_is_armed_and_begins_from_where_it_is_then() {
    let mut rig = guarded();
    rig.run(1);
    assert_eq!(rig.mode(), ExecutionMode::Idle);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1, 0)));
    rig.run(1_500);
    assert!(rig.arm.arm().commands.is_empty());
    assert_eq!(rig.codes(), ["waiting"], "once");
    assert_eq!(rig.dangers(), [""; 0], "nothing was wrong with the chunk");
    let seen = rig.executions();
    assert_eq!(seen.last().unwrap().refused_seq, 1);
    // Somebody moves it by hand meanwhile.
    for _ in 0..400 {
        rig.arm.arm.reading.q_rad[0] += 1e-3;
        rig.run(1);
    }
    let there = rig.arm.arm().reading.q_rad;
    rig.on(ActuatorEvent::Arm);
    rig.run(40);
    assert_eq!(rig.codes(), ["waiting", "armed", "waiting_over"]);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
    let commands = &rig.arm.arm().commands;
    assert_eq!(commands.len(), 40);
    assert!(commands.iter().all(|setpoint| setpoint.q_rad == there));
}

#[test]
fn a_stop_takes_the_arming_away_and_the_arm_still_gets_a_setpoint_every_millisecond() {
    let mut rig = guarded();
    rig.run(1);
    rig.on(ActuatorEvent::Arm);
    rig.run(1);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1, 0)));
    rig.run(300);
    assert_eq!(rig.mode(), ExecutionMode::Executing);
    rig.on(ActuatorEvent::Stop {
        reason: "test".to_owned(),
    });
    rig.run(500);
    assert_eq!(rig.mode(), ExecutionMode::Stopped);
    rig.on(ActuatorEvent::Arm);
    assert_eq!(rig.dangers().last(), Some(&"not_armed"));
    rig.on(ActuatorEvent::Resume);
    rig.run(20);
    assert_eq!(rig.mode(), ExecutionMode::Idle);
    let before = rig.arm.arm().commands.len();
    rig.on(ActuatorEvent::Chunk(rig.chunk(2, 0)));
    rig.on(ActuatorEvent::Episode(EpisodeId(3)));
    rig.run(200);
    let commands = &rig.arm.arm().commands;
    assert_eq!(commands.len() - before, 200);
    let stood = &commands[before].q_rad;
    for command in &commands[before..] {
        let ways = command.q_rad.iter().zip(stood).map(|(a, b)| (a - b).abs());
        assert!(ways.fold(0.0, f64::max) < 1e-9, "{command:?}");
    }
    rig.on(ActuatorEvent::Arm);
    rig.run(20);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
    let anchored = ActionChunk {
        anchor: forward(&rig.arm.arm().reading.q_rad),
        ..rig.chunk(3, 3)
    };
    rig.on(ActuatorEvent::Chunk(anchored));
    rig.run(40);
    assert_eq!(rig.mode(), ExecutionMode::Executing, "{:?}", rig.dangers());
}

#[test]
fn a_reflex_is_told_once_and_takes_the_arming_away() {
    let mut rig = guarded();
    rig.run(1);
    rig.on(ActuatorEvent::Arm);
    rig.run(100);
    rig.arm.arm.has_stopped = true;
    rig.run(100);
    assert_eq!(rig.mode(), ExecutionMode::Fault);
    let failures = rig
        .dangers()
        .iter()
        .filter(|kind| **kind == "arm_failed")
        .count();
    assert_eq!(failures, 1, "{:?}", rig.dangers());
    rig.on(ActuatorEvent::Resume);
    let modes: Vec<_> = rig.executions().iter().map(|state| state.mode).collect();
    assert!(modes.contains(&ExecutionMode::Recovering), "{modes:?}");
    let before = rig.arm.arm().commands.len();
    rig.run(60);
    assert_eq!(rig.mode(), ExecutionMode::Idle);
    assert_eq!(rig.arm.arm().commands.len(), before, "nothing moves");
    rig.on(ActuatorEvent::Arm);
    rig.run(60);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
}

#[test]
fn an_order_is_acknowledged_within_a_millisecond() {
    let mut rig = Rig::new(usize::MAX);
    rig.run(5);
    let before = rig.executions().len();
    rig.on(ActuatorEvent::Ordered(77));
    rig.run(1);
    let executions = rig.executions();
    assert_eq!(executions.len(), before + 1);
    assert_eq!(executions[before].order, 77);
}

#[test]
fn the_hand_is_homed_once_it_is_armed_and_chunks_wait_for_it() {
    let mut rig = guarded();
    rig.arm.arm.homing = 100;
    rig.run(50);
    assert_eq!((rig.arm.arm.homings, rig.mode()), (0, ExecutionMode::Idle));
    rig.on(ActuatorEvent::Arm);
    rig.run(50);
    assert_eq!(rig.mode(), ExecutionMode::Homing);
    rig.on(ActuatorEvent::Chunk(rig.chunk(1, 0)));
    rig.run(20);
    assert_eq!(rig.mode(), ExecutionMode::Homing);
    rig.run(60);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
    assert_eq!(rig.arm.arm.homings, 1);
}

/// An arm that is armed and recovers from reflexes by itself.
fn by_itself() -> Rig {
    let mut rig = Rig::new(usize::MAX);
    rig.arm = rig.arm.guarded(&Guard {
        requires_arming: true,
        recovery: Some(RecoveryConfig {
            delay_ns: 500 * MS,
            most: 2,
        }),
        ..Guard::default()
    });
    rig.run(1);
    rig.on(ActuatorEvent::Arm);
    rig.run(20);
    rig
}

#[test]
fn a_pause_outlasts_a_recovery_by_itself_and_resume_lifts_both() {
    let mut rig = by_itself();
    rig.on(ActuatorEvent::Pause {
        reason: "test".to_owned(),
    });
    rig.run(500);
    assert_eq!(rig.mode(), ExecutionMode::Paused);
    rig.arm.arm.has_stopped = true;
    rig.run(400);
    assert_eq!(rig.mode(), ExecutionMode::Fault);
    rig.run(400);
    assert_eq!(rig.mode(), ExecutionMode::Paused, "{:?}", rig.dangers());
    rig.arm.arm.has_stopped = true;
    rig.run(100);
    rig.on(ActuatorEvent::Resume);
    rig.run(60);
    assert_eq!(rig.mode(), ExecutionMode::Ready, "{:?}", rig.dangers());
}

#[test]
fn so_many_reflexes_in_a_row_are_recovered_from_and_the_arm_stays_armed() {
    let mut rig = by_itself();
    for _ in 0..2 {
        rig.arm.arm.has_stopped = true;
        rig.run(400);
        assert_eq!(rig.mode(), ExecutionMode::Fault);
        rig.run(200);
        assert_eq!(rig.mode(), ExecutionMode::Ready, "{:?}", rig.dangers());
    }
    rig.arm.arm.has_stopped = true;
    rig.run(5_000);
    assert_eq!(rig.mode(), ExecutionMode::Fault);
    // Somebody must look, and arm it again.
    rig.on(ActuatorEvent::Resume);
    rig.run(60);
    assert_eq!(rig.mode(), ExecutionMode::Idle);
}

#[test]
fn a_recovery_that_fails_is_tried_again_and_given_up() {
    let mut rig = by_itself();
    rig.arm.arm.is_stuck = true;
    rig.arm.arm.has_stopped = true;
    rig.run(5_000);
    let tries = rig
        .dangers()
        .iter()
        .filter(|kind| **kind == "not_resumed")
        .count();
    assert_eq!(tries, 2, "{:?}", rig.dangers());
    assert_eq!(rig.mode(), ExecutionMode::Fault);
}

#[test]
fn rounds_that_take_too_long_hold_the_arm_until_they_are_in_time_again() {
    use crate::watchdog::{Reaction, Watch, WatchdogConfig};
    let mut rig = Rig::new(usize::MAX);
    rig.arm = rig.arm.guarded(&Guard {
        watchdog: WatchdogConfig {
            overrun: Watch {
                reaction: Reaction::Hold,
                limit_ns: 10 * MS,
            },
            ..WatchdogConfig::default()
        },
        ..Guard::default()
    });
    // The start may take its time.
    rig.run(1);
    rig.now_ns += 80 * MS;
    rig.run(30);
    assert_eq!(rig.dangers(), [""; 0]);
    rig.now_ns += 9 * MS;
    rig.run(30);
    assert_eq!(rig.dangers(), [""; 0], "the limit is kept");
    rig.now_ns += 10 * MS;
    rig.run(100);
    assert_eq!(rig.dangers(), ["loop_overrun"]);
    assert_eq!(rig.mode(), ExecutionMode::Held);
    rig.run(1_000);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
    assert_eq!(rig.codes(), ["watchdog_over"]);
    // A robot that keeps time says itself how late it was.
    rig.arm.arm.elapsed_ms = Some(1);
    rig.now_ns += 500 * MS;
    rig.run(30);
    assert_eq!(rig.dangers().len(), 1);
    rig.arm.arm.elapsed_ms = Some(12);
    rig.run(1);
    rig.arm.arm.elapsed_ms = Some(1);
    rig.run(20);
    assert_eq!(rig.dangers(), ["loop_overrun", "loop_overrun"]);
}
