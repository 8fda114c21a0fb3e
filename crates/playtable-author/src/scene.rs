//! The keypoints as an author sees them: names and places.

use crate::understand::{Direction, Goal, Thing, colour};
use tiller_vlm::{Abilities, AuthorError, SceneKeypoint};

/// How high the keypoints of things stand above the table, m.
const USUAL_HEIGHTS_M: [(&str, f64); 4] = [
    ("drawer handle", 0.058),
    ("door handle", 0.078),
    ("switch", 0.050),
    ("button", 0.031),
];
const BLOCK_HEIGHT_M: f64 = 0.032;
/// A table that is level with the base within this is taken for level: keypoints are no better, m.
const LEVEL_M: f64 = 0.005;

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
    /// Height of the table's top, m.
    pub(crate) table_z_m: f64,
}

impl Point {
    /// Whether its name can stand in a program's text.
    pub(crate) fn is_plain(&self) -> bool {
        self.object
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == ' ')
    }

    /// The height in the base frame of what is that far above the table, m.
    pub(crate) fn above_table_m(&self, height_m: f64) -> f64 {
        self.table_z_m + height_m
    }
}

impl Scene {
    /// Checks the positions and normalises the names.
    pub(crate) fn new(keypoints: &[SceneKeypoint]) -> Result<Self, AuthorError> {
        let point = |keypoint: &SceneKeypoint| {
            keypoint.check()?;
            Ok(Point {
                index: keypoint.index,
                object: keypoint.thing(),
                position_m: keypoint.position_m,
                table_z_m: 0.0,
            })
        };
        let mut points: Vec<Point> = keypoints.iter().map(point).collect::<Result<_, _>>()?;
        let table_z_m = table_z_m(&points);
        points
            .iter_mut()
            .for_each(|point| point.table_z_m = table_z_m);
        Ok(Self { points })
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
            let block = point.object.strip_suffix(" block").and_then(colour);
            if let Some(block) = block.filter(|block| !colours.contains(block)) {
                colours.push(block);
            }
        }
        colours
    }

    /// Every thing that a keypoint shows.
    pub(crate) fn things(&self) -> Vec<Thing> {
        let fixed = [Thing::Drawer, Thing::Door, Thing::Switch, Thing::Button];
        let blocks = self.block_colours().into_iter().map(Thing::Block);
        let mut things: Vec<Thing> = fixed.into_iter().chain(blocks).collect();
        things.retain(|thing| self.find(&thing.keypoint()).is_some());
        things
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
            way: None,
        };
        goals.extend(colours.iter().map(push));
        goals.extend(colours.iter().map(|colour| Goal::LiftBlock {
            colour: colour.clone(),
        }));
        goals.retain(|goal| self.find(&goal.object()).is_some() && keep(goal));
        Abilities(goals.iter().map(Goal::to_string).collect())
    }
}

/// Where the table's top must be for known things to be as high as they were found: the median over them.
/// The base stands on it unless at least three of them agree that it does not.
fn table_z_m(points: &[Point]) -> f64 {
    let usual_m = |object: &str| {
        let fixed = USUAL_HEIGHTS_M.iter().find(|(name, _)| *name == object);
        fixed
            .map(|(_, height_m)| *height_m)
            .or(object.ends_with(" block").then_some(BLOCK_HEIGHT_M))
    };
    let above = |point: &Point| usual_m(&point.object).map(|usual| point.position_m[2] - usual);
    let mut found: Vec<f64> = points.iter().filter_map(above).collect();
    found.sort_by(f64::total_cmp);
    match found.get(found.len() / 2) {
        Some(&median) if found.len() >= 3 && median.abs() > LEVEL_M => median,
        _ => 0.0,
    }
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
    fn the_table_is_where_known_things_stand() {
        let table = |lift: f64, names: &[&str]| {
            let keypoints = names.iter().enumerate().map(|(index, name)| SceneKeypoint {
                index,
                name: (*name).to_owned(),
                position_m: [
                    0.5,
                    0.1,
                    lift + if *name == "button" { 0.031 } else { 0.032 },
                ],
            });
            let scene = Scene::new(&keypoints.collect::<Vec<_>>()).unwrap();
            scene.points().next().unwrap().above_table_m(0.1)
        };
        let close = |found: f64, expected: f64| (found - expected).abs() < 2e-3;
        let names = ["button", "red block", "cup", "pink block"];
        assert!(close(table(0.04, &names), 0.14));
        assert!(close(table(-0.03, &names), 0.07));
        assert_eq!(table(0.004, &names), 0.1, "too little to tell");
        assert_eq!(
            table(0.04, &["red block", "button"]),
            0.1,
            "too few to tell"
        );
    }

    #[test]
    fn a_name_cannot_carry_text_into_a_program() {
        let name = "red\"; import os # block";
        let scene = Scene::new(&[keypoint(0, name, 0.5)]).unwrap();
        assert!(scene.block_colours().is_empty());
        assert!(scene.abilities().0.is_empty());
    }
}
