use tiller_core::{ActionLayout, EpisodeId, JOINTS};
use tiller_messages::{ActionChunk, ExecutionMode, ExecutionState};
use tiller_motion::ArmReading;
use tiller_motion::kinematics::HOME_Q;

use super::*;

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
    /// Whether the robot has stopped by itself, and whether people must see to it.
    has_stopped: bool,
    is_stuck: bool,
}

impl Arm for Driver {
    type Error = NoAnswer;

    fn read(&mut self) -> Result<ArmReading, NoAnswer> {
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
            has_stopped: false,
            is_stuck: false,
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
            let told = &mut self.told;
            let result = self.arm.tick(self.now_ns, |effect| told.push(effect));
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
    assert_eq!(rig.dangers(), ["reading_lost"]);
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
    assert_eq!(rig.dangers(), ["not_accepting"]);
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
    assert_eq!(executions.last().unwrap().mode, ExecutionMode::Holding);
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
