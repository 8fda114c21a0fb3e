use tiller_core::kinematics::{HOME_Q, forward};
use tiller_core::{ActionLayout, SECOND_NS};
use tiller_messages::ExecutionMode;

use super::*;

mod arming;
mod chunks;
mod pausing;
mod states;
mod watch;
mod whatever;

const PERIOD_NS: u64 = SETPOINTS * TICK_NS;
const EPISODE: EpisodeId = EpisodeId(4);
const SESSION: u64 = 11;

/// An actuator and an arm that goes exactly where it is told.
struct Rig {
    actuator: Actuator,
    effects: Vec<ActuatorEffect>,
    episode: EpisodeId,
    now_ns: u64,
    q_rad: [f64; JOINTS],
}

impl Rig {
    fn new() -> Self {
        Self {
            actuator: Actuator::new(ActuatorConfig::default()),
            effects: Vec::new(),
            episode: EPISODE,
            now_ns: 5 * SECOND_NS,
            q_rad: HOME_Q,
        }
    }

    /// One that has taken its first state.
    fn started() -> Self {
        let mut rig = Self::new();
        rig.period();
        rig
    }

    /// One in the midst of a chunk.
    fn moving() -> Self {
        let mut rig = Self::started();
        rig.on(ActuatorEvent::Chunk(rig.chunk(1)));
        rig.periods(20);
        assert!(rig.speed() > 0.1, "{}", rig.speed());
        rig
    }

    fn on(&mut self, event: ActuatorEvent) {
        self.effects.clear();
        self.actuator.on(event, self.now_ns, &mut self.effects);
    }

    /// What the arm measures.
    fn state(&self) -> ArmState {
        ArmState {
            stamp_ns: self.now_ns,
            episode: self.episode,
            q_rad: self.q_rad,
            tcp: forward(&self.q_rad),
            gripper_width_m: 0.08,
            ..Default::default()
        }
    }

    /// A state that is not quite right; the arm executes the answer.
    fn measure(&mut self, state: ArmState) {
        self.on(ActuatorEvent::Measured(state));
        self.now_ns += PERIOD_NS;
        if let Some(q_rad) = self.setpoints().last() {
            self.q_rad = *q_rad;
        }
    }

    fn period(&mut self) {
        self.measure(self.state());
    }

    fn periods(&mut self, count: usize) {
        for _ in 0..count {
            let before = self.q_rad;
            self.period();
            check_path(&before, &self.setpoints());
        }
    }

    /// Eight steps of 2 cm to the left, back and down, from where the actuator would start.
    fn chunk(&self, seq: u64) -> ActionChunk {
        let execution = self.execution().unwrap();
        ActionChunk {
            session: SESSION,
            seq,
            stamp_ns: self.now_ns,
            episode: self.episode,
            anchor: execution.anchor,
            anchor_q_rad: execution.anchor_q_rad,
            execute_steps: 8,
            horizon: 8,
            actions: [-0.008, 0.015, -0.008, 0.0].repeat(8),
            layout: ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0),
            ..Default::default()
        }
    }

    /// The chunk under way is executed to its end.
    fn goes_on(&mut self, what: &str) {
        self.periods(1);
        assert!(self.safety().is_empty(), "{what}: {:?}", self.effects);
        assert!(self.told().is_some(), "{what}");
        let execution = self.execution().unwrap();
        assert_eq!(execution.mode, ExecutionMode::Executing, "{what}");
        self.periods(60);
        assert_eq!(self.execution().unwrap().chunk_step, 8, "{what}");
    }

    fn command(&self) -> Option<&ArmCommand> {
        self.effects.iter().find_map(|effect| match effect {
            ActuatorEffect::Command(command) => Some(command),
            _ => None,
        })
    }

    fn setpoints(&self) -> Vec<[f64; JOINTS]> {
        let command = self.command().into_iter();
        command.flat_map(ArmCommand::setpoints).collect()
    }

    fn execution(&self) -> Option<&ExecutionState> {
        self.effects.iter().find_map(|effect| match effect {
            ActuatorEffect::Execution(execution) => Some(execution),
            _ => None,
        })
    }

    fn mode(&mut self) -> ExecutionMode {
        self.period();
        self.execution().unwrap().mode
    }

    fn told(&self) -> Option<&ArmState> {
        self.effects.iter().find_map(|effect| match effect {
            ActuatorEffect::Arm(arm) => Some(arm),
            _ => None,
        })
    }

    fn safety(&self) -> Vec<&str> {
        let effects = self.effects.iter();
        let kinds = effects.filter_map(|effect| match effect {
            ActuatorEffect::Safety(event) => Some(event.kind.as_str()),
            _ => None,
        });
        kinds.collect()
    }

    fn notices(&self) -> Vec<&str> {
        let effects = self.effects.iter();
        let codes = effects.filter_map(|effect| match effect {
            ActuatorEffect::Tell(notice) => Some(notice.code.as_str()),
            _ => None,
        });
        codes.collect()
    }

    /// Of the fastest joint at the end of the last command, rad/s.
    fn speed(&self) -> f64 {
        let setpoints = self.setpoints();
        let [.., a, b] = &setpoints[..] else {
            return 0.0;
        };
        (0..JOINTS).fold(0.0, |most: f64, j| most.max((b[j] - a[j]).abs() / 1e-3))
    }
}

/// Every setpoint is a millisecond from the one before, by the joints' velocity limits.
fn check_path(from: &[f64; JOINTS], setpoints: &[[f64; JOINTS]]) {
    let limits = ActuatorConfig::default().limits.joint.velocity_rad_s;
    let mut last = *from;
    for setpoint in setpoints {
        for joint in 0..JOINTS {
            let way = (setpoint[joint] - last[joint]).abs();
            let most = limits[joint] * 1e-3 + 1e-12;
            assert!(
                way <= most,
                "joint {joint}: {way} rad in a millisecond of {most}"
            );
        }
        last = *setpoint;
    }
}

/// Velocities do not leap either.
fn check_smooth(from: &[[f64; JOINTS]], setpoints: &[[f64; JOINTS]]) {
    let limits = ActuatorConfig::default().limits.joint.acceleration_rad_s2;
    let path: Vec<_> = from.iter().chain(setpoints).collect();
    for three in path.windows(3) {
        for joint in 0..JOINTS {
            let [a, b, c] = [0, 1, 2].map(|at: usize| three[at][joint]);
            let bend = (a - 2.0 * b + c).abs();
            let most = limits[joint] * 1e-6 + 1e-12;
            assert!(bend <= most, "joint {joint}: {bend} of {most}");
        }
    }
}

#[test]
fn the_first_state_starts_it() {
    let mut rig = Rig::new();
    rig.on(ActuatorEvent::Time);
    assert!(rig.effects.is_empty() && rig.actuator.is_stopped());
    assert_eq!(
        rig.actuator.wake_at(),
        Some(rig.now_ns + 800_000_000),
        "what is missing is to be told within a second"
    );
    rig.now_ns += SECOND_NS;
    rig.on(ActuatorEvent::Time);
    assert_eq!(rig.notices(), ["waiting"]);
    let state = rig.state();
    rig.period();
    assert_eq!(rig.notices(), ["waiting_over"]);
    let command = rig.command().unwrap();
    assert_eq!(command.stamp_ns, state.stamp_ns);
    assert_eq!(command.q_rad, HOME_Q.repeat(SETPOINTS as usize));
    assert_eq!(rig.told(), Some(&state));
    let execution = rig.execution().unwrap();
    assert_eq!(
        (execution.mode, execution.stamp_ns, execution.episode),
        (ExecutionMode::Ready, state.stamp_ns, EPISODE)
    );
    assert!(execution.anchor.distance_to(&forward(&HOME_Q)).0 < 1e-9);
}

#[test]
fn a_chunk_is_executed_and_every_state_is_answered() {
    let mut rig = Rig::started();
    let start = forward(&rig.q_rad).position_m;
    rig.on(ActuatorEvent::Chunk(rig.chunk(1)));
    assert!(rig.safety().is_empty(), "{:?}", rig.effects);
    for _ in 0..60 {
        let now_ns = rig.now_ns;
        rig.periods(1);
        let command = rig.command().unwrap();
        assert_eq!(command.stamp_ns, now_ns);
        assert_eq!(command.setpoints().len(), SETPOINTS as usize);
        let execution = rig.execution().unwrap();
        assert_eq!((execution.chunk_session, execution.chunk_seq), (SESSION, 1));
    }
    assert_eq!(rig.execution().unwrap().chunk_step, 8);
    let end = forward(&rig.q_rad).position_m;
    for (axis, way) in [-0.064, 0.12, -0.064].into_iter().enumerate() {
        assert!((end[axis] - start[axis] - way).abs() < 2e-3, "{end:?}");
    }
}

#[test]
fn a_state_that_is_sent_again_gets_the_same_answer() {
    let mut rig = Rig::moving();
    let state = rig.state();
    rig.on(ActuatorEvent::Measured(state.clone()));
    let first = rig.effects.clone();
    rig.on(ActuatorEvent::Measured(ArmState {
        seq: 9,
        ..state.clone()
    }));
    let kinds = |effects: &[ActuatorEffect]| -> Vec<_> {
        effects.iter().map(std::mem::discriminant).collect()
    };
    assert_eq!(kinds(&rig.effects), kinds(&first), "in the same order");
    rig.on(ActuatorEvent::Measured(state));
    assert_eq!(rig.effects, first);
}

#[test]
fn what_could_not_be_read_is_a_safety_event() {
    let mut rig = Rig::started();
    rig.on(ActuatorEvent::Refused {
        kind: "message_refused".to_owned(),
        text: "input `action_chunk`: no bytes".to_owned(),
    });
    assert_eq!(rig.safety(), ["message_refused"]);
}

#[test]
fn stop_brings_it_to_rest_and_resume_lets_it_move_again() {
    let mut rig = Rig::moving();
    let reason = "somebody wants it".to_owned();
    rig.on(ActuatorEvent::Stop { reason });
    assert_eq!(rig.safety(), ["stop_requested"]);
    // Too early: it is still on its way to rest.
    rig.periods(1);
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.safety(), ["not_resumed"]);
    rig.periods(100);
    assert!(rig.actuator.is_stopped());
    rig.on(ActuatorEvent::Chunk(ActionChunk {
        stamp_ns: rig.now_ns,
        ..Rig::started().chunk(2)
    }));
    assert_eq!(rig.safety(), ["not_accepting"]);
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.safety(), ["resumed"]);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
    rig.on(ActuatorEvent::Chunk(rig.chunk(3)));
    assert!(rig.safety().is_empty(), "{:?}", rig.effects);
    assert_eq!(rig.mode(), ExecutionMode::Executing);
}

#[test]
fn a_stop_before_the_first_state_holds_until_resume_even_in_another_episode() {
    let mut rig = Rig::new();
    let reason = "not yet".to_owned();
    rig.on(ActuatorEvent::Stop { reason });
    rig.periods(5);
    assert_eq!(rig.execution().unwrap().mode, ExecutionMode::Stopped);
    rig.episode = EpisodeId(5);
    rig.q_rad[0] = 1.0;
    rig.period();
    rig.periods(4);
    assert_eq!(rig.execution().unwrap().mode, ExecutionMode::Stopped);
    rig.on(ActuatorEvent::Resume);
    assert_eq!(rig.mode(), ExecutionMode::Ready);
}

#[test]
fn the_end_is_at_rest_within_two_seconds_and_as_smooth() {
    let mut rig = Rig::moving();
    let (before, last) = (rig.q_rad, rig.setpoints());
    let reason = "the dataflow ends".to_owned();
    rig.on(ActuatorEvent::Finish { reason });
    assert_eq!(rig.notices(), ["at_rest"]);
    let command = rig.command().unwrap();
    assert_eq!(command.stamp_ns, rig.now_ns);
    let way = rig.setpoints();
    assert!((2..=2_000).contains(&way.len()), "{} ms", way.len());
    check_path(&before, &way);
    check_smooth(&last, &way);
    assert!(rig.speed() < 1e-3, "{} rad/s at the end", rig.speed());
    assert!(rig.actuator.is_stopped());

    // A state that comes all the same, new or sent again, moves nothing.
    let end = *way.last().unwrap();
    for stamp_ns in [rig.now_ns - PERIOD_NS, rig.now_ns] {
        let state = ArmState {
            stamp_ns,
            ..rig.state()
        };
        rig.on(ActuatorEvent::Measured(state));
        check_path(&end, &rig.setpoints());
    }
    rig.on(ActuatorEvent::Finish {
        reason: "again".to_owned(),
    });
    assert_eq!(rig.command(), None, "it is at rest");
}

#[test]
fn the_end_before_the_beginning_says_nothing() {
    let mut rig = Rig::new();
    rig.on(ActuatorEvent::Finish {
        reason: "nobody came".to_owned(),
    });
    assert!(rig.effects.is_empty() && rig.actuator.is_stopped());
}

#[test]
fn another_episode_begins_where_its_world_has_put_the_arm() {
    let mut rig = Rig::moving();
    let mut old = rig.chunk(2);
    rig.episode = EpisodeId(5);
    rig.q_rad = HOME_Q;
    rig.q_rad[0] = 0.3;
    rig.now_ns += PERIOD_NS;
    let found = rig.q_rad;
    rig.period();
    assert_eq!(rig.notices(), ["episode"]);
    assert_eq!(rig.setpoints(), vec![found; SETPOINTS as usize]);
    let execution = rig.execution().unwrap();
    assert_eq!(
        (execution.episode, execution.mode),
        (EpisodeId(5), ExecutionMode::Ready)
    );
    assert!(execution.anchor.distance_to(&forward(&found)).0 < 1e-9);
    old.stamp_ns = rig.now_ns;
    rig.on(ActuatorEvent::Chunk(old));
    assert_eq!(rig.safety(), ["other_episode"]);
    // The same sampler, whose numbers begin again.
    rig.period();
    rig.on(ActuatorEvent::Chunk(rig.chunk(1)));
    assert!(rig.safety().is_empty(), "{:?}", rig.effects);
    rig.periods(60);
    assert_eq!(rig.execution().unwrap().chunk_step, 8);
}

#[test]
fn another_episode_in_the_same_scene_brings_the_arm_to_rest_first() {
    let mut rig = Rig::moving();
    rig.episode = EpisodeId(5);
    let (before, last) = (rig.q_rad, rig.setpoints());
    rig.period();
    check_path(&before, &rig.setpoints());
    check_smooth(&last, &rig.setpoints());
    let execution = rig.execution().unwrap();
    assert_eq!(execution.chunk_session, 0, "no chunk of anybody's");
    rig.periods(30);
    assert_eq!(rig.execution().unwrap().mode, ExecutionMode::Holding);
    assert!(rig.speed() < 1e-3, "{}", rig.speed());
    rig.on(ActuatorEvent::Chunk(rig.chunk(2)));
    assert!(rig.safety().is_empty(), "{:?}", rig.effects);
    rig.periods(1);
    assert_eq!(rig.execution().unwrap().chunk_seq, 2);
}
