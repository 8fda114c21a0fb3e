//! A robot that goes where it is told, and a recorder of everything that it was told.
#![allow(dead_code, clippy::unwrap_used)] // Every test program uses a part of it.

use nalgebra::Vector3;
use tiller_core::{ActionLayout, ActionMode, ArmColumns, Pose, RotationColumns, RotationKind};
use tiller_motion::kinematics::{HOME_Q, forward, inverse};
use tiller_motion::{
    ActionStep, Actuator, ActuatorConfig, ArmReading, Chunk, Limits, Refusal, Setpoint,
};

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const PERIOD_S: f64 = tiller_motion::PERIOD_S;

pub(crate) struct Rig {
    pub(crate) actuator: Actuator,
    pub(crate) reading: ArmReading,
    pub(crate) now_ns: u64,
    pub(crate) seq: u64,
    pub(crate) stream: Vec<Setpoint>,
    /// Joints keep standing where they are, as if something held them.
    pub(crate) blocked: bool,
}

impl Rig {
    pub(crate) fn new(config: ActuatorConfig) -> Self {
        Self::at(config, HOME_Q)
    }

    pub(crate) fn over(config: ActuatorConfig, position_m: [f64; 3]) -> Self {
        let q = inverse(&Pose::down(position_m), &HOME_Q, &config.limits.joint).unwrap();
        Self::at(config, q)
    }

    pub(crate) fn at(config: ActuatorConfig, q: [f64; 7]) -> Self {
        let reading = ArmReading::at_rest(q, 0.08);
        let actuator = Actuator::new(config, &reading, 0).unwrap();
        let start = Setpoint {
            q_rad: q,
            gripper_width_m: 0.08,
        };
        Self {
            actuator,
            reading,
            now_ns: 0,
            seq: 0,
            stream: vec![start],
            blocked: false,
        }
    }

    pub(crate) fn anchor(&self) -> [f64; 3] {
        self.actuator.status().anchor.position_m
    }

    pub(crate) fn chunk(&mut self, deltas: &[[f64; 3]]) -> Chunk {
        let steps: Vec<_> = deltas
            .iter()
            .map(|&delta_position_m| ActionStep {
                delta_position_m,
                gripper: 1.0,
            })
            .collect();
        let anchor = self.actuator.status().anchor;
        self.numbered(Chunk::of_displacements(anchor, 10.0, &steps))
    }

    /// The chunk with the next sequence number, stamped now.
    pub(crate) fn numbered(&mut self, chunk: Chunk) -> Chunk {
        self.seq += 1;
        Chunk {
            seq: self.seq,
            stamp_ns: self.now_ns,
            ..chunk
        }
    }

    pub(crate) fn send(&mut self, deltas: &[[f64; 3]]) -> Result<(), Refusal> {
        let chunk = self.chunk(deltas);
        self.actuator.accept(&chunk, self.now_ns)
    }

    pub(crate) fn tick(&mut self) -> Setpoint {
        self.now_ns += MS;
        let setpoint = self.actuator.tick(&self.reading, self.now_ns);
        self.stream.push(setpoint);
        if !self.blocked {
            for joint in 0..7 {
                self.reading.dq_rad_s[joint] =
                    (setpoint.q_rad[joint] - self.reading.q_rad[joint]) / PERIOD_S;
            }
            self.reading.q_rad = setpoint.q_rad;
            self.reading.gripper_width_m = setpoint.gripper_width_m;
        }
        setpoint
    }

    pub(crate) fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.tick();
        }
    }

    pub(crate) fn tcp(&self) -> [f64; 3] {
        forward(&self.stream[self.stream.len() - 1].q_rad).position_m
    }

    /// Commanded pose.
    pub(crate) fn pose(&self) -> Pose {
        forward(&self.stream[self.stream.len() - 1].q_rad)
    }

    /// Commanded TCP after every tick, m.
    pub(crate) fn path(&self) -> Vec<[f64; 3]> {
        self.stream
            .iter()
            .map(|setpoint| forward(&setpoint.q_rad).position_m)
            .collect()
    }

    /// Commanded TCP speed during every tick, m/s.
    pub(crate) fn speeds(&self) -> Vec<f64> {
        self.path()
            .windows(2)
            .map(|pair| distance(pair[0], pair[1]) / PERIOD_S)
            .collect()
    }

    pub(crate) fn chunk_seq_is(&self, seq: u64) -> bool {
        self.actuator.status().chunk_seq == seq
    }

    pub(crate) fn kinds(&mut self) -> Vec<&'static str> {
        self.actuator
            .drain_events()
            .iter()
            .map(|event| event.kind.as_str())
            .collect()
    }
}

/// Displacement or position, and rotation vector, at 10 Hz.
pub(crate) fn six(mode: ActionMode) -> ActionLayout {
    ActionLayout {
        dim: 6,
        arm: ArmColumns::Pose {
            position: [0, 1, 2],
            rotation: Some(RotationColumns {
                columns: vec![3, 4, 5],
                kind: RotationKind::RotationVector,
            }),
        },
        mode,
        ..ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0)
    }
}

/// Joints at 10 Hz.
pub(crate) fn seven(mode: ActionMode) -> ActionLayout {
    ActionLayout {
        dim: 7,
        arm: ArmColumns::Joints([0, 1, 2, 3, 4, 5, 6]),
        mode,
        ..ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0)
    }
}

/// From the present anchor, all of it to be executed.
pub(crate) fn chunk(rig: &mut Rig, layout: ActionLayout, actions: Vec<f64>) -> Chunk {
    let execute_steps = actions.len() / layout.dim;
    let anchor = rig.actuator.status().anchor;
    rig.numbered(Chunk {
        seq: 0,
        stamp_ns: 0,
        anchor,
        layout,
        execute_steps,
        actions,
        continues: None,
    })
}

/// The same, sent.
pub(crate) fn send(rig: &mut Rig, layout: ActionLayout, actions: Vec<f64>) {
    let chunk = chunk(rig, layout, actions);
    rig.actuator.accept(&chunk, rig.now_ns).unwrap();
}

/// The numbers of one step.
pub(crate) fn row(chunk: &mut Chunk, step: usize) -> &mut [f64] {
    let dim = chunk.layout.dim;
    &mut chunk.actions[step * dim..(step + 1) * dim]
}

pub(crate) fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3)
        .map(|axis| (a[axis] - b[axis]).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// Highest use of each limit, as a share of the robot's own.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) velocity: f64,
    pub(crate) acceleration: f64,
    pub(crate) jerk: f64,
    pub(crate) tcp_speed: f64,
    pub(crate) tcp_acceleration: f64,
    pub(crate) turn_speed: f64,
    pub(crate) turn_acceleration: f64,
}

impl Usage {
    /// Whether motion used no more than its share of every limit, and the tool not more than all of
    /// its own.
    pub(crate) fn is_within(&self, limits: &Limits) -> bool {
        let share = limits.operating;
        self.velocity <= share.velocity + 1e-9
            && self.acceleration <= share.acceleration + 1e-6
            && self.jerk <= share.jerk + 1e-4
            && self.tcp_speed <= 1.0
            && self.tcp_acceleration <= 1.0
            && self.turn_speed <= 1.0
            && self.turn_acceleration <= 1.0
    }
}

/// Measures the stream against the robot's limits; fails where a joint position is outside.
pub(crate) fn usage(limits: &Limits, stream: &[Setpoint]) -> Usage {
    let mut usage = Usage::default();
    let joint = &limits.joint;
    for j in 0..7 {
        let (mut rate, mut acceleration) = (0.0, 0.0);
        for pair in stream.windows(2) {
            let q = pair[1].q_rad[j];
            assert!(q.is_finite());
            assert!(
                q >= joint.position_min_rad[j] && q <= joint.position_max_rad[j],
                "joint {j}: {q}"
            );
            let new_rate = (q - pair[0].q_rad[j]) / PERIOD_S;
            let new_acceleration = (new_rate - rate) / PERIOD_S;
            let jerk = (new_acceleration - acceleration) / PERIOD_S;
            usage.velocity = usage.velocity.max(new_rate.abs() / joint.velocity_rad_s[j]);
            usage.acceleration = usage
                .acceleration
                .max(new_acceleration.abs() / joint.acceleration_rad_s2[j]);
            usage.jerk = usage.jerk.max(jerk.abs() / joint.jerk_rad_s3[j]);
            (rate, acceleration) = (new_rate, new_acceleration);
        }
    }
    let tool = &limits.cartesian;
    let path: Vec<_> = stream.iter().map(|s| forward(&s.q_rad)).collect();
    let (mut last, mut last_turn) = (Vector3::zeros(), Vector3::zeros());
    for pair in path.windows(2) {
        let velocity = (pair[1].position() - pair[0].position()) / PERIOD_S;
        let acceleration = (velocity - last) / PERIOD_S;
        let turn = (pair[1].rotation() * pair[0].rotation().inverse()).scaled_axis() / PERIOD_S;
        let turn_acceleration = (turn - last_turn) / PERIOD_S;
        for (most, found, limit) in [
            (&mut usage.tcp_speed, velocity, tool.speed_m_s),
            (
                &mut usage.tcp_acceleration,
                acceleration,
                tool.acceleration_m_s2,
            ),
            (&mut usage.turn_speed, turn, tool.rotation_speed_rad_s),
            (
                &mut usage.turn_acceleration,
                turn_acceleration,
                tool.rotation_acceleration_rad_s2,
            ),
        ] {
            *most = most.max(found.norm() / limit);
        }
        (last, last_turn) = (velocity, turn);
    }
    usage
}
