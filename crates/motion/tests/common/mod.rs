//! A robot that goes where it is told, and a recorder of everything that it was told.
#![allow(dead_code, clippy::unwrap_used)] // Every test program uses a part of it.

use tiller_motion::kinematics::{HOME_Q, Pose, forward, inverse};
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

    fn at(config: ActuatorConfig, q: [f64; 7]) -> Self {
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
        self.actuator.status().anchor_position_m
    }

    pub(crate) fn chunk(&mut self, deltas: &[[f64; 3]]) -> Chunk {
        self.seq += 1;
        Chunk {
            seq: self.seq,
            stamp_ns: self.now_ns,
            anchor_position_m: self.anchor(),
            rate_hz: 10.0,
            execute_steps: deltas.len(),
            steps: deltas
                .iter()
                .map(|&delta_position_m| ActionStep {
                    delta_position_m,
                    gripper: 1.0,
                })
                .collect(),
            continues: None,
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
    let path: Vec<_> = stream
        .iter()
        .map(|s| forward(&s.q_rad).position_m)
        .collect();
    let mut last = [0.0; 3];
    for pair in path.windows(2) {
        let velocity: [f64; 3] = std::array::from_fn(|a| (pair[1][a] - pair[0][a]) / PERIOD_S);
        usage.tcp_speed = usage
            .tcp_speed
            .max(distance(velocity, [0.0; 3]) / limits.cartesian.speed_m_s);
        usage.tcp_acceleration = usage
            .tcp_acceleration
            .max(distance(velocity, last) / PERIOD_S / limits.cartesian.acceleration_m_s2);
        last = velocity;
    }
    usage
}
