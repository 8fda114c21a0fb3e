//! What holds for every suite.

use super::*;
use crate::labels::{ROBOT, label_of};
use tiller_world::{EpisodeSpec, HARD, Variation, WorldKind};

use mujoco_rs::prelude::MjtObjBase;

fn tables() -> impl Iterator<Item = HardTable> {
    let strengths = suites().flat_map(|suite| STRENGTHS.map(|strength| (suite, strength)));
    strengths.map(|(suite, strength)| HardTable::new(suite, strength).unwrap())
}

#[test]
fn everything_that_is_added_has_a_label_of_its_own() {
    let plain = crate::PlayTable::new().unwrap();
    let names = |table: &crate::PlayTable| {
        let model = table.model();
        // What has no geoms only holds others together.
        let bodies = (0..model.body_pos().len()).filter(|body| model.body_geomnum()[*body] > 0);
        let name = |body| {
            model
                .id_to_name(MjtObjBase::mjOBJ_BODY, body)
                .unwrap_or_default()
        };
        bodies.map(|body| name(body).to_owned()).collect::<Vec<_>>()
    };
    let known = names(&plain);
    for table in tables() {
        let all = names(&table.table);
        let added = all.iter().filter(|body| !known.contains(body));
        for body in added {
            let label = label_of("", body).unwrap();
            assert_ne!(label, ROBOT, "{body}");
        }
    }
    let mut names: Vec<&str> = super::labels().map(|(.., name)| name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn a_seed_is_a_scene_and_nothing_is_done_in_it() {
    for mut table in tables() {
        for task in 0..table.suite.tasks().len() {
            let mut lay = |seed| {
                table.reset(task, seed);
                for _ in 0..100 {
                    table.step();
                    assert!(!table.holds(), "{} {task} {seed}", table.suite.name());
                    assert_eq!(
                        table.told().count(),
                        0,
                        "{} {task} {seed}",
                        table.suite.name()
                    );
                }
                table.table.data().qpos().to_vec()
            };
            let first = lay(300);
            assert_ne!(first, lay(301));
            assert_eq!(first, lay(300));
        }
    }
}

#[test]
fn tasks_are_said_as_they_are_understood() {
    let kind = crate::kind();
    for suite in suites() {
        for (id, instruction) in suite.tasks() {
            assert_eq!(
                kind.interpret(instruction),
                Some(vec![(*id).to_owned()]),
                "{instruction}"
            );
        }
    }
}

#[test]
fn plain_scenes_are_the_same_after_a_hard_one() {
    let kind = crate::kind();
    let spec = |task: &str, hard: bool| EpisodeSpec {
        tasks: vec![task.to_owned()],
        seed: 7,
        variation: hard.then(|| Variation {
            axis: HARD.to_owned(),
            strength: 2,
        }),
        instruction: None,
    };
    let mut world = kind.make().unwrap();
    world.reset(&spec("lift_red", false)).unwrap();
    let before = world.arm();
    let hard = suites().next().unwrap().tasks()[0].0;
    world.reset(&spec(hard, true)).unwrap();
    assert_eq!(world.verdict().tasks, [hard]);
    assert!(world.ask(&["lift_red".to_owned()]).is_err());
    world.reset(&spec("lift_red", false)).unwrap();
    assert_eq!(world.arm(), before);
    assert!(world.reset(&spec("lift_red", true)).is_err());
}
