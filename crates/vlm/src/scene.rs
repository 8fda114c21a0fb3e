//! The keypoints as an author sees them: names and places.

use crate::author::{Abilities, AuthorError, SceneKeypoint};
use crate::understand::{Direction, Goal};

/// Farthest that a keypoint may stand from the base, m; a table-top arm reaches less than 1 m.
const FARTHEST_M: f64 = 3.0;

/// Checked keypoints.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    points: Vec<Point>,
}

/// One keypoint with its name split into object and number.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) index: usize,
    pub(crate) object: String,
    pub(crate) position_m: [f64; 3],
}

impl Scene {
    /// Checks the positions and normalises the names.
    pub(crate) fn new(keypoints: &[SceneKeypoint]) -> Result<Self, AuthorError> {
        let point = |keypoint: &SceneKeypoint| {
            let [x, y, z] = keypoint.position_m;
            let distance = (x * x + y * y + z * z).sqrt();
            if distance.is_nan() || distance > FARTHEST_M {
                return Err(AuthorError::BadKeypoint {
                    index: keypoint.index,
                    name: keypoint.name.clone(),
                    found: format!("[{x}, {y}, {z}]"),
                });
            }
            let object = object_of(&keypoint.name);
            Ok(Point {
                index: keypoint.index,
                object,
                position_m: keypoint.position_m,
            })
        };
        Ok(Self {
            points: keypoints.iter().map(point).collect::<Result<_, _>>()?,
        })
    }

    /// The first keypoint of an object.
    pub(crate) fn find(&self, object: &str) -> Option<&Point> {
        self.points.iter().find(|point| point.object == object)
    }

    /// Moves an object's keypoints along the table, m.
    pub(crate) fn shift(&mut self, object: &str, [dx, dy]: [f64; 2]) {
        for point in self
            .points
            .iter_mut()
            .filter(|point| point.object == object)
        {
            point.position_m[0] += dx;
            point.position_m[1] += dy;
        }
    }

    /// Every keypoint.
    pub(crate) fn points(&self) -> impl Iterator<Item = &Point> {
        self.points.iter()
    }

    /// Colours of the blocks, in order of keypoints, without repeats.
    pub(crate) fn block_colours(&self) -> Vec<String> {
        let mut colours: Vec<String> = Vec::new();
        for point in &self.points {
            if let Some(colour) = point.object.strip_suffix(" block")
                && is_word(colour)
                && !colours.iter().any(|known| known == colour)
            {
                colours.push(colour.to_owned());
            }
        }
        colours
    }

    /// Every instruction that would work here, in canonical words.
    pub(crate) fn abilities(&self) -> Abilities {
        self.abilities_with(|_| true)
    }

    /// The instructions that would work here and whose goal passes the filter.
    pub(crate) fn abilities_with(&self, keep: impl Fn(&Goal) -> bool) -> Abilities {
        let mut goals = vec![
            Goal::OpenDrawer,
            Goal::CloseDrawer,
            Goal::SlideDoor(Direction::Left),
            Goal::SlideDoor(Direction::Right),
            Goal::TurnSwitch(true),
            Goal::TurnSwitch(false),
            Goal::PressButton,
        ];
        let colours = self.block_colours();
        let push = |colour: &String| Goal::PushBlock {
            colour: colour.clone(),
            direction: None,
        };
        goals.extend(colours.iter().map(push));
        goals.extend(colours.iter().map(|colour| Goal::LiftBlock {
            colour: colour.clone(),
        }));
        goals.retain(|goal| self.find(&goal.object()).is_some() && keep(goal));
        Abilities(goals.iter().map(Goal::to_string).collect())
    }
}

/// `Drawer Handle 2` is the object `drawer handle`.
fn object_of(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut words: Vec<&str> = lower.split_whitespace().collect();
    if words.len() > 1
        && words
            .last()
            .is_some_and(|word| word.chars().all(|c| c.is_ascii_digit()))
    {
        words.pop();
    }
    words.join(" ")
}

/// Whether a colour is one plain word. Names come from perception, which may have read them off the
/// scene: nothing else may reach a program's text.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.chars().all(|c| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keypoint(index: usize, name: &str, x: f64) -> SceneKeypoint {
        SceneKeypoint {
            index,
            name: name.to_owned(),
            position_m: [x, 0.0, 0.0],
        }
    }

    #[test]
    fn numbers_are_no_part_of_an_object() {
        let scene = Scene::new(&[keypoint(0, "drawer 2", 0.5), keypoint(1, "Red  Block", 0.4)]);
        let scene = scene.unwrap();
        assert_eq!(scene.find("drawer").map(|point| point.index), Some(0));
        assert_eq!(scene.block_colours(), ["red"]);
        assert!(scene.find("drawer handle").is_none());
        assert_eq!(
            scene.abilities().0,
            ["push the red block", "lift the red block"]
        );
    }

    #[test]
    fn positions_must_be_usable() {
        for bad in [f64::NAN, f64::INFINITY, 3.1] {
            let error = Scene::new(&[keypoint(4, "button", bad)]).unwrap_err();
            assert!(
                matches!(error, AuthorError::BadKeypoint { index: 4, .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn a_name_cannot_carry_text_into_a_program() {
        let name = "red\"; import os # block";
        let scene = Scene::new(&[keypoint(0, name, 0.5)]).unwrap();
        assert!(scene.block_colours().is_empty());
        assert!(scene.abilities().0.is_empty());
    }
}
