//! The arm behind the interface: anything that goes where it is told.

use franka::Model;
use franka::model::{FER_URDF, FR3_URDF};
use nalgebra::{SMatrix, SVector};
use tiller_core::JOINTS;
use tiller_motion::{ArmReading, PERIOD_S};

use crate::{FciVersion, StartError};

/// What the robot's own controller wants of the arm in one millisecond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drive {
    /// Be at these joint positions, rad.
    Position([f64; JOINTS]),
    /// These torques beyond gravity, Nm.
    Torque([f64; JOINTS]),
}

/// Waits for an arm that takes its time; called before each millisecond.
pub type Pace = Box<dyn Fn() + Send>;

/// An arm with a gripper that the emulator moves: kinematic, or a simulator's.
pub trait EmulatedArm: Send {
    /// What the robot's sensors measure now.
    fn reading(&self) -> ArmReading;

    /// One millisecond; the fingers are to be `gripper_width_m` apart.
    fn step(&mut self, drive: &Drive, gripper_width_m: f64);

    /// Whether torques move it, as they do by default; where not, the robot refuses such motions.
    fn takes_torques(&self) -> bool {
        true
    }

    /// How to wait until it can be stepped again; none, the default, for an arm that always can.
    fn pace(&self) -> Option<Pace> {
        None
    }
}

/// How much the arm resists its own motion under torques, Nm s/rad.
const FRICTION: f64 = 0.5;

/// Inertia of the motors, seen at the joints, kg m2.
const ROTOR: f64 = 0.1;

/// An arm that is where it was told to be, and fingers that close on a thing of a given width.
/// Torques move its masses, as the robot's own model has them, without gravity.
pub struct KinematicArm {
    reading: ArmReading,
    object_m: f64,
    model: Model,
}

impl KinematicArm {
    /// At rest at `q_rad`, fingers open by `gripper_width_m`; between them is a thing of width
    /// `object_m`, 0 for none.
    ///
    /// # Errors
    /// When the robot's description cannot be read.
    pub fn new(
        version: FciVersion,
        q_rad: [f64; JOINTS],
        gripper_width_m: f64,
        object_m: f64,
    ) -> Result<Self, StartError> {
        let urdf = match version {
            FciVersion::V5 => FER_URDF,
            FciVersion::V10 => FR3_URDF,
        };
        let model = Model::from_urdf(urdf).map_err(|error| StartError::Model(error.to_string()))?;
        Ok(Self {
            reading: ArmReading::at_rest(q_rad, gripper_width_m),
            object_m,
            model,
        })
    }

    /// The joints' accelerations under torques: `(M + rotor) ddq = tau - friction dq`.
    fn acceleration(&self, torque_nm: &[f64; JOINTS]) -> SVector<f64, JOINTS> {
        let mass = self
            .model
            .mass_q(&self.reading.q_rad, &[0.0; 9], 0.0, &[0.0; 3]);
        let mass = SMatrix::<f64, JOINTS, JOINTS>::from_column_slice(&mass)
            + SMatrix::<f64, JOINTS, JOINTS>::identity() * ROTOR;
        let speed = SVector::from(self.reading.dq_rad_s);
        let driving = SVector::from(*torque_nm) - speed * FRICTION;
        mass.cholesky()
            .map_or_else(SVector::zeros, |factor| factor.solve(&driving))
    }
}

impl EmulatedArm for KinematicArm {
    fn reading(&self) -> ArmReading {
        self.reading
    }

    fn step(&mut self, drive: &Drive, gripper_width_m: f64) {
        match drive {
            Drive::Position(q_rad) => {
                for (joint, wanted) in q_rad.iter().enumerate() {
                    self.reading.dq_rad_s[joint] = (wanted - self.reading.q_rad[joint]) / PERIOD_S;
                }
                self.reading.q_rad = *q_rad;
            }
            Drive::Torque(torque_nm) => {
                let acceleration = self.acceleration(torque_nm);
                for joint in 0..JOINTS {
                    self.reading.dq_rad_s[joint] += acceleration[joint] * PERIOD_S;
                    self.reading.q_rad[joint] += self.reading.dq_rad_s[joint] * PERIOD_S;
                }
            }
        }
        self.reading.gripper_width_m = gripper_width_m.max(self.object_m);
    }
}
