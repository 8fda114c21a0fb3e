//! A swing of the first joint, there and back, and how far the tool is from its set-points.

use std::f64::consts::PI;

use tiller_core::kinematics::forward;
use tiller_motion::{Arm, ArmReading, Setpoint};
use tiller_osc::{OscArm, OscError};

/// By how much the joint swings, rad, and how long each way takes, ms.
const SWING_RAD: f64 = 0.3;
const WAY_MS: u32 = 1_500;
/// For how long it rests afterwards, ms.
const REST_MS: u32 = 1_000;

/// Distances between tool and set-point at the controller's states, m and rad.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) largest_m: f64,
    pub(crate) largest_rad: f64,
    /// Root mean square.
    pub(crate) rms_m: f64,
    /// At the end of the rest.
    pub(crate) left_m: f64,
    pub(crate) states: u32,
}

/// Where the joint is so long after the beginning: a half wave each way.
fn swung_rad(ms: u32) -> f64 {
    let at = f64::from(ms.min(2 * WAY_MS)) / f64::from(WAY_MS);
    SWING_RAD / 2.0 * (1.0 - (PI * at).cos())
}

/// Has the arm swing from where it is, one set-point a millisecond of its own time.
pub(crate) fn swing(arm: &mut OscArm) -> Result<Followed, OscError> {
    let start: ArmReading = arm.read()?;
    let mut setpoint = Setpoint {
        q_rad: start.q_rad,
        gripper_width_m: start.gripper_width_m,
    };
    let (mut followed, mut squares, mut ms) = (Followed::default(), 0.0, 0);
    while ms < 2 * WAY_MS + REST_MS {
        let reading = arm.read()?;
        for _ in 0..arm.elapsed_ms().unwrap_or(1) {
            ms += 1;
            setpoint.q_rad[0] = start.q_rad[0] + swung_rad(ms);
            arm.command(&setpoint)?;
        }
        let (apart_m, apart_rad) = forward(&reading.q_rad).distance_to(&forward(&setpoint.q_rad));
        followed.states += 1;
        followed.left_m = apart_m;
        followed.largest_m = followed.largest_m.max(apart_m);
        followed.largest_rad = followed.largest_rad.max(apart_rad);
        squares += apart_m * apart_m;
    }
    followed.rms_m = (squares / f64::from(followed.states)).sqrt();
    Ok(followed)
}
