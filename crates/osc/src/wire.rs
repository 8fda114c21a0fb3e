//! What driver and controller say to each other: a line of JSON each.

use serde::{Deserialize, Serialize};
use tiller_core::{Pose, visible_line};

use crate::error::OscError;

/// The version of the protocol.
pub const VERSION: u32 = 1;

/// The longest line, bytes, with its end.
pub const MAX_LINE: usize = 4096;

/// How much of a line that means nothing is shown, characters.
const SHOWN: usize = 120;

/// How far from 1 the length of an orientation may be.
const UNIT: f64 = 1e-3;

/// What a controller says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromController {
    /// Once, first.
    Hello(Hello),
    /// Every period.
    State(State),
}

/// What a driver says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromDriver {
    /// Once, in answer to the controller's.
    Hello {
        /// That of the protocol.
        version: u32,
    },
    /// In answer to a state, once the arm is moved.
    Step(StepLine),
}

/// Who the controller is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// That of the protocol.
    pub version: u32,
    /// How often it takes a step, and says its state, Hz: 2 to 1000.
    pub rate_hz: f64,
    /// Its largest step, m: at most 0.5.
    pub most_m: f64,
    /// Its largest turn, rad: at most 3.
    pub most_rad: f64,
    /// Whether it measures seven joints.
    pub joints: bool,
    /// The least and the largest opening between its fingers, m; equal ones without fingers that move.
    pub gripper_m: [f64; 2],
}

/// What the controller measures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its number; a step says which one it answers.
    pub seq: u64,
    /// When it was measured, by the robot's clock, ns: always later than the one before.
    pub clock_ns: u64,
    /// Joint positions, rad.
    pub q_rad: [f64; 7],
    /// Joint speeds, rad/s.
    pub dq_rad_s: [f64; 7],
    /// Where the point is that is controlled, in the base frame, m.
    pub tool_position_m: [f64; 3],
    /// How it is turned, of unit length.
    pub tool_quaternion_wxyz: [f64; 4],
    /// Opening between the fingers, m.
    pub gripper_width_m: f64,
    /// Why the arm would not move.
    pub fault: Fault,
}

/// Why an arm would not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It would.
    None,
    /// It has stopped by itself.
    Reflex,
    /// Somebody pressed its stop.
    UserStop,
    /// Anything else.
    NotReady,
}

/// A step, from where the tool is when it is taken. One of zeros is a stop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepLine {
    /// Number of the state that it answers.
    pub seq: u64,
    /// By how much the tool moves, in the base frame, m.
    pub translation_m: [f64; 3],
    /// By how much it turns: axis times angle, in the base frame, rad.
    pub rotation_rad: [f64; 3],
    /// Opening between the fingers to move to, m.
    pub gripper_width_m: f64,
}

impl FromController {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is none of this protocol, with what was expected and found.
    pub fn read(line: &[u8]) -> Result<Self, OscError> {
        let said: Self = serde_json::from_slice(line).map_err(|error| {
            let text = visible_line(&String::from_utf8_lossy(line), SHOWN);
            let why = visible_line(&error.to_string(), SHOWN);
            malformed("a hello or a state", format!("`{text}`: {why}"))
        })?;
        if let Self::State(state) = &said {
            state.check()?;
        }
        Ok(said)
    }
}

impl Hello {
    /// Whether this is a controller that can be led.
    ///
    /// # Errors
    /// With what was expected and found.
    pub fn check(&self) -> Result<(), OscError> {
        if self.version != VERSION {
            return Err(OscError::WrongVersion {
                expected: VERSION,
                found: self.version,
            });
        }
        let within = |name: &str, found: f64, allowed: std::ops::RangeInclusive<f64>| {
            if allowed.contains(&found) {
                return Ok(());
            }
            let (low, high) = (allowed.start(), allowed.end());
            let expected = format!("a hello with a {name} from {low} to {high}");
            Err(malformed(&expected, found.to_string()))
        };
        within("rate_hz", self.rate_hz, 2.0..=1000.0)?;
        within("most_m", self.most_m, 1e-4..=0.5)?;
        within("most_rad", self.most_rad, 1e-3..=3.0)?;
        let [least_m, largest_m] = self.gripper_m;
        within("gripper_m[0]", least_m, 0.0..=0.5)?;
        within("gripper_m[1]", largest_m, least_m..=0.5)?;
        if !self.joints {
            let expected = "a controller that measures seven joints";
            return Err(malformed(expected, "one that does not".to_owned()));
        }
        Ok(())
    }

    /// Time between two states, ms.
    #[must_use]
    pub fn period_ms(&self) -> f64 {
        1000.0 / self.rate_hz
    }
}

impl State {
    fn check(&self) -> Result<(), OscError> {
        let norm = self.tool_quaternion_wxyz.iter().map(|part| part * part);
        let norm = norm.sum::<f64>().sqrt();
        if (norm - 1.0).abs() > UNIT {
            let expected = "a tool_quaternion_wxyz of unit length";
            return Err(malformed(expected, format!("one of {norm}")));
        }
        Ok(())
    }

    /// Where the controlled point is, in the base frame.
    #[must_use]
    pub fn base_from_tool(&self) -> Pose {
        Pose {
            position_m: self.tool_position_m,
            quaternion_wxyz: self.tool_quaternion_wxyz,
        }
    }
}

pub(crate) fn malformed(expected: &str, found: String) -> OscError {
    OscError::Malformed {
        expected: expected.to_owned(),
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{"state":{"seq":1,"clock_ns":5,"q_rad":[0,0,0,-1.9,0,1.9,0.8],
        "dq_rad_s":[0,0,0,0,0,0,0],"tool_position_m":[0.5,0,0.3],"tool_quaternion_wxyz":[0,1,0,0],
        "gripper_width_m":0.08,"fault":"none"}}"#;

    fn hello() -> Hello {
        Hello {
            version: VERSION,
            rate_hz: 20.0,
            most_m: 0.05,
            most_rad: 0.5,
            joints: true,
            gripper_m: [0.0, 0.08],
        }
    }

    #[test]
    fn a_state_is_read_as_it_stands() {
        let Ok(FromController::State(state)) = FromController::read(STATE.as_bytes()) else {
            panic!("a state");
        };
        assert_eq!((state.seq, state.clock_ns), (1, 5));
        assert_eq!(state.fault, Fault::None);
        assert_eq!(state.base_from_tool().position_m, [0.5, 0.0, 0.3]);
    }

    #[test]
    fn what_is_malformed_is_refused_with_what_was_found() {
        for (wrong, told) in [
            (STATE.replace("0.8]", "0.8,1]"), "trailing"),
            (STATE.replace("0,1.9,0.8]", "0,1.9]"), "length 6"),
            (STATE.replace("0.3]", "null]"), "f64"),
            (STATE.replace("none", "tired"), "tired"),
            (STATE.replace("0,1,0,0]", "0,2,0,0]"), "unit length"),
            (
                STATE.replace("state", "sta\\u001bte"),
                r"variant `sta\u{1b}te`",
            ),
            (STATE.replace("0.08", "1e999"), "number out of range"),
            ("hello".to_owned(), "`hello`"),
        ] {
            let error = FromController::read(wrong.as_bytes()).unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with("expected a"), "{text}");
            assert!(text.contains(told), "{told}: {text}");
        }
    }

    #[test]
    fn a_controller_that_cannot_be_led_is_refused() {
        assert_eq!(hello().check(), Ok(()));
        let other = Hello {
            version: 2,
            ..hello()
        };
        assert!(matches!(
            other.check(),
            Err(OscError::WrongVersion { found: 2, .. })
        ));
        for (wrong, told) in [
            (
                Hello {
                    rate_hz: 1.0,
                    ..hello()
                },
                "rate_hz from 2 to 1000",
            ),
            (
                Hello {
                    most_m: 0.0,
                    ..hello()
                },
                "most_m",
            ),
            (
                Hello {
                    most_rad: f64::NAN,
                    ..hello()
                },
                "most_rad",
            ),
            (
                Hello {
                    gripper_m: [0.08, 0.0],
                    ..hello()
                },
                "gripper_m[1]",
            ),
            (
                Hello {
                    joints: false,
                    ..hello()
                },
                "seven joints",
            ),
        ] {
            let text = wrong.check().unwrap_err().to_string();
            assert!(text.contains(told), "{text}");
        }
    }
}
