//! What is said over the pipe, a line of JSON each.

use serde::{Deserialize, Serialize};
use tiller_core::{JOINTS, Pose};
use tiller_world::{ExpertStep, HandStep};

/// Version of these words; a child that speaks another one is refused.
pub(crate) const VERSION: u32 = 1;

/// What the child is told.
#[derive(Debug, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Order<'a> {
    /// Begins an episode; without a task a free run. Answered by a [`State`].
    Reset { task: Option<&'a str>, seed: u32 },
    /// Leads the arm to a set-point for a while. Answered by a [`State`].
    Run {
        q_rad: [f64; JOINTS],
        gripper_width_m: f64,
        duration_ms: u64,
    },
    /// Looks through a camera. Answered by a [`Seen`], then the pictures.
    Look {
        camera: &'a str,
        side: usize,
        channels: &'a [&'static str],
    },
    /// Calls the expert for a task.
    CallExpert { task: &'a str, seed: u64 },
    /// The expert's next step. Answered by an [`Advice`].
    ExpertStep {
        anchor_position_m: [f64; 3],
        anchor_quaternion_wxyz: [f64; 4],
    },
}

impl Order<'_> {
    pub(crate) fn expert_step(anchor: &Pose) -> Self {
        Self::ExpertStep {
            anchor_position_m: anchor.position_m,
            anchor_quaternion_wxyz: anchor.quaternion_wxyz,
        }
    }
}

/// What it answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer<T> {
    Ok(T),
    /// What was asked for cannot be had.
    Refused(String),
    /// The environment broke.
    Failed(String),
}

/// What it says first.
#[derive(Debug, Deserialize)]
pub(crate) struct Greeting {
    pub(crate) version: u32,
    pub(crate) tasks: Vec<String>,
    /// Names of things by the numbers that its pictures have for them.
    pub(crate) labels: std::collections::BTreeMap<u8, String>,
}

/// Arm and episode.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct State {
    pub(crate) time_ns: u64,
    pub(crate) q_rad: [f64; JOINTS],
    pub(crate) dq_rad_s: [f64; JOINTS],
    pub(crate) gripper_width_m: f64,
    pub(crate) achieved: bool,
    pub(crate) success: bool,
    pub(crate) completed: Vec<String>,
}

/// Where a camera was, and the bytes of each picture that follows.
#[derive(Debug, Deserialize)]
pub(crate) struct Seen {
    pub(crate) raw: Vec<usize>,
    pub(crate) focal: [f64; 2],
    pub(crate) principal_point: [f64; 2],
    pub(crate) base_from_camera: [f64; 16],
}

/// Nothing beside that it is done.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {}

/// What the expert says.
#[derive(Debug, Deserialize)]
pub(crate) struct Advice {
    pub(crate) step: Option<Step>,
}

/// A step of 100 ms.
#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    learned: Hand,
    executed: Hand,
}

#[derive(Debug, Deserialize)]
struct Hand {
    delta_m: [f64; 3],
    rotation_rad: [f64; 3],
    gripper: f64,
}

impl From<Step> for ExpertStep {
    fn from(step: Step) -> Self {
        let hand = |hand: Hand| HandStep {
            delta_m: hand.delta_m,
            rotation_rad: hand.rotation_rad,
            gripper: hand.gripper,
        };
        Self {
            learned: hand(step.learned),
            executed: hand(step.executed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_what_the_python_side_reads() {
        let text = |order: &Order<'_>| serde_json::to_string(order).unwrap();
        let reset = Order::Reset {
            task: None,
            seed: 3,
        };
        assert_eq!(text(&reset), r#"{"do":"reset","task":null,"seed":3}"#);
        let look = Order::Look {
            camera: "static",
            side: 200,
            channels: &["rgb"],
        };
        let expected = r#"{"do":"look","camera":"static","side":200,"channels":["rgb"]}"#;
        assert_eq!(text(&look), expected);
        let step = Order::expert_step(&Pose::IDENTITY);
        assert!(text(&step).starts_with(r#"{"do":"expert_step","anchor_position_m":[0.0,"#));
    }

    #[test]
    fn answers_are_told_apart() {
        let read = |text: &str| serde_json::from_str::<Answer<Advice>>(text);
        let hand = r#"{"delta_m":[0.0,0.0,0.01],"rotation_rad":[0.0,0.0,0.0],"gripper":-1}"#;
        let text = format!(r#"{{"ok":{{"step":{{"learned":{hand},"executed":{hand}}}}}}}"#);
        let Ok(Answer::Ok(Advice { step: Some(step) })) = read(&text) else {
            panic!("{text}");
        };
        assert_eq!(ExpertStep::from(step).learned.delta_m, [0.0, 0.0, 0.01]);
        assert!(matches!(
            read(r#"{"ok":{"step":null}}"#),
            Ok(Answer::Ok(Advice { step: None }))
        ));
        assert!(matches!(read(r#"{"refused":"why"}"#), Ok(Answer::Refused(why)) if why == "why"));
        assert!(read(r#"{"ok":{"step":{"learned":1}}}"#).is_err());
    }
}
