//! The tasks of the hard suites: what is said of them, and their programs.
//!
//! Each suite is a file: patterns of what may be said, and a recipe that takes places, directions and sizes from
//! keypoints. A sentence that fits no pattern, or that is about what no keypoint shows, is left to the grammar of the
//! plain table.

mod contact;
mod grip;
mod into;
mod obstacle;
mod pattern;
mod slot;
mod stack;
mod steps;
mod twins;
mod yaw;

use tiller_reward::HandAccess;
use tiller_vlm::text::{ProgramText, StageText};

use crate::scene::{Point, Scene};

/// A suite as the author knows it.
trait Suite: Sync {
    /// Task ids, and the patterns of what is said for each.
    fn said(&self) -> &'static [(&'static str, &'static [&'static str])];

    /// The stages of a task; `None` when the scene does not show what it is about.
    fn stages(&self, id: &str, scene: &Scene, hand: HandAccess) -> Option<Vec<StageText>>;
}

const SUITES: [&dyn Suite; 8] = [
    &obstacle::Obstacle,
    &twins::Twins,
    &into::Into,
    &stack::Stack,
    &slot::Slot,
    &grip::Grip,
    &contact::Contact,
    &yaw::Yaw,
];

/// The id of the hard task that an instruction means.
///
/// ```
/// use tiller_playtable_author::hard::interpret;
/// let ids = interpret("Lift the red block without touching the post.");
/// assert_eq!(ids, Some(vec!["obstacle_lift".to_owned()]));
/// assert_eq!(interpret("lift the red block"), None);
/// ```
#[must_use]
pub fn interpret(instruction: &str) -> Option<Vec<String>> {
    find(instruction).map(|(_, id)| vec![id.to_owned()])
}

fn find(instruction: &str) -> Option<(&'static dyn Suite, &'static str)> {
    let words = pattern::words(instruction);
    SUITES.into_iter().find_map(|suite| {
        let fits = |patterns: &[&str]| patterns.iter().any(|it| pattern::fits(it, &words));
        let found = suite.said().iter().find(|(_, patterns)| fits(patterns));
        found.map(|(id, _)| (suite, *id))
    })
}

/// The program for a hard task; `None` where the instruction means none, or the scene does not show one.
pub(crate) fn write(instruction: &str, scene: &Scene, hand: HandAccess) -> Option<ProgramText> {
    let (suite, id) = find(instruction)?;
    let stages = suite.stages(id, scene, hand)?;
    let note = |point: &Point| {
        let [x, y, z] = point.position_m;
        format!(
            "Keypoint {} is on the {}, seen at ({x:.3}, {y:.3}, {z:.3}).",
            point.index, point.object
        )
    };
    Some(ProgramText {
        title: pattern::words(instruction).join(" "),
        notes: scene
            .points()
            .filter(|point| point.is_plain())
            .map(note)
            .collect(),
        stages,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiller_reward::{Access, CompileOptions, compile};
    use tiller_vlm::{Author, AuthorRequest, SceneKeypoint};

    use crate::EmbeddedAuthor;

    const SCENE: [(&str, [f64; 3]); 18] = [
        ("drawer handle", [0.44, -0.30, 0.058]),
        ("drawer 1", [0.48, -0.26, 0.06]),
        ("drawer 2", [0.52, -0.33, 0.02]),
        ("red block 1", [0.42, 0.02, 0.032]),
        ("red block 2", [0.46, 0.14, 0.032]),
        ("blue block", [0.52, 0.24, 0.032]),
        ("yellow block", [0.50, 0.05, 0.032]),
        ("post", [0.45, 0.08, 0.07]),
        ("slot wall 1", [0.44, 0.30, 0.02]),
        ("slot wall 2", [0.50, 0.31, 0.02]),
        ("bar", [0.46, -0.05, 0.049]),
        ("housing", [0.56, -0.07, 0.050]),
        ("latch", [0.44, -0.12, 0.048]),
        ("latch carriage", [0.44, -0.11, 0.02]),
        ("latch plate 1", [0.44, -0.14, 0.010]),
        ("latch plate 2", [0.45, -0.04, 0.010]),
        ("long block 1", [0.50, -0.10, 0.032]),
        ("long block 2", [0.48, -0.18, 0.032]),
    ];

    fn request(instruction: &str, hand: HandAccess) -> AuthorRequest {
        let keypoints = SCENE.iter().enumerate();
        let keypoints = keypoints.map(|(index, (name, position_m))| SceneKeypoint {
            index,
            name: (*name).to_owned(),
            position_m: *position_m,
        });
        AuthorRequest {
            instruction: instruction.to_owned(),
            keypoints: keypoints.collect(),
            hand,
        }
    }

    /// A sentence of a pattern: the first of all alternatives, nothing left out.
    fn sentence(pattern: &str) -> String {
        let words = pattern.split(' ').map(|part| {
            let part = part.trim_start_matches('?');
            part.split('|').next().unwrap_or(part)
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_sentence_becomes_a_program_whatever_rewards_may_move() {
        let fingers = HandAccess {
            gripper: Access::Guide,
            ..HandAccess::POSITIONS
        };
        for suite in SUITES {
            for (id, patterns) in suite.said() {
                for pattern in *patterns {
                    let text = sentence(pattern);
                    assert_eq!(interpret(&text), Some(vec![(*id).to_owned()]), "{text}");
                    for hand in [HandAccess::POSITIONS, fingers, HandAccess::WHOLE] {
                        let answer = EmbeddedAuthor.author(&request(&text, hand)).unwrap();
                        let options = CompileOptions {
                            hand,
                            ..CompileOptions::new(SCENE.len(), 8)
                        };
                        let compiled = compile(&answer.text, &options);
                        let program = compiled
                            .unwrap_or_else(|errors| panic!("{}", errors.render(&answer.text)));
                        assert!(program.stages.iter().all(|stage| stage.done.is_some()));
                    }
                }
            }
        }
    }

    #[test]
    fn left_and_right_are_the_robot_s() {
        let of = |text: &str| {
            let answer = EmbeddedAuthor
                .author(&request(text, HandAccess::POSITIONS))
                .unwrap();
            answer.text.contains("keypoints[4]")
        };
        assert!(of("lift the left red block") && !of("lift the right red block"));
    }

    #[test]
    fn what_no_keypoint_shows_is_never_assumed() {
        let mut request = request("lift the red block around the post", HandAccess::POSITIONS);
        request.keypoints.retain(|keypoint| keypoint.name != "post");
        let error = EmbeddedAuthor.author(&request).unwrap_err().to_string();
        assert!(
            error.contains("around") || error.contains("post"),
            "{error}"
        );
    }
}
