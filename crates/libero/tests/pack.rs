//! Packs are read whole or refused with everything that is wrong.

#![allow(clippy::expect_used, reason = "a test may fail")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{description, pack, scene};
use tiller_libero::predicates::Relation;
use tiller_libero::{Native, Pack, PackError};

/// Everything that is wrong with a pack.
fn problems(description: Value) -> Vec<String> {
    match pack(description) {
        Err(PackError::Values { problems, .. }) => {
            problems.found.iter().map(ToString::to_string).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_folder_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("scene.xml"), scene()).expect("the scene");
    let text = description().to_string();
    fs::write(folder.path().join("pack.json"), text).expect("the description");
    let pack = Pack::load(folder.path()).expect("a sound pack");
    assert_eq!(pack.description().instruction, "put the cup on the plate");
    assert_eq!(pack.goal()[0].relation, Relation::On);
    // What was read is written back the same.
    let back = serde_json::to_value(pack.description()).expect("JSON");
    assert_eq!(back, description());

    fs::write(folder.path().join("scene.xml"), "<mujoco/>").expect("another scene");
    let error = Pack::load(folder.path())
        .expect_err("not its scene")
        .to_string();
    assert!(
        error.contains("hashes.scene_xml: expected that of scene.xml"),
        "{error}"
    );
    fs::remove_file(folder.path().join("pack.json")).expect("removed");
    let error = Pack::load(folder.path()).expect_err("no pack");
    assert!(
        matches!(error, PackError::File(ref file) if file.is_not_found()),
        "{error}"
    );
}

#[test]
fn the_example_of_the_format_has_its_shape() {
    let text = include_str!("../PACK.md");
    let example = text
        .split("```json")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let description: Value = serde_json::from_str(example.expect("an example")).expect("JSON");
    // It is cut short, and its hash is none.
    let problems = problems(description);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("hashes.scene_xml"), "{problems:?}");
}

#[test]
fn every_mistake_is_listed() {
    let mut wrong = description();
    wrong["format"] = json!(2);
    wrong["suite"] = json!("");
    wrong["instruction"] = json!("put the cup\non the plate");
    wrong["hashes"]["bddl"] = json!("ABC");
    wrong["goal"] = json!([
        [],
        ["beside", "cup_1", "plate_1"],
        ["on", "cup_1"],
        ["on", "cup_1", "mug_1"],
        ["in", "cup_1", "plate_1"],
        ["in", "table_region", "cabinet_1_inside"],
        ["open", "plate_1"],
        ["turnon", "cabinet_1_inside"],
    ]);
    wrong["things"]["cabinet_1_top"]["parent"] = json!("table_region");
    wrong["things"]["cabinet_1_top"]["half_size_m"] = json!([0.1, -0.1, 0.1]);
    wrong["episodes"][0]["fixtures"]["stove_1_main"]["quaternion_wxyz"] = json!([1, 1, 0, 0]);
    let fixtures = wrong["episodes"][0]["fixtures"].as_object_mut();
    fixtures.expect("fixtures").remove("cabinet_1_main");
    let mut found = problems(wrong);
    found.sort();
    let found = found.join("\n");
    assert_eq!(
        found,
        "\
episodes[0].fixtures.cabinet_1_main: expected the fixture's pose, found nothing
episodes[0].fixtures.stove_1_main.quaternion_wxyz: expected a quaternion of length 1, found [1.0, 1.0, 0.0, 0.0]
format: expected 1, found 2
goal[0]: expected a predicate and one or two things, found an empty list
goal[1][0]: expected `in` or `on` or `up` or `open` or `close` or `turnon` or `turnoff`, found `beside`
goal[2]: expected `on` and 2 of `things`, found 2
goal[3][2]: expected a name of `things`, found `mug_1`
goal[4][2]: expected a region, found an object or a fixture
goal[5][1]: expected an object or a fixture, found a region
goal[6][1]: expected something with the ranges of this predicate in `articulation`, found something without
goal[7][1]: expected something with the ranges of this predicate in `articulation`, found something without
hashes.bddl: expected 64 lower-case hexadecimal digits, found `ABC`
instruction: expected one line of 1 to 500 visible characters, found `put the cup\\non the plate`
suite: expected a name, found an empty one
things.cabinet_1_top.half_size_m: expected a number of at least 0, found -0.1
things.cabinet_1_top.parent: expected an object or a fixture of `things`, found `table_region`"
    );
}

#[test]
fn unknown_keys_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("scene.xml"), scene()).expect("the scene");
    let mut wrong = description();
    wrong["things"]["cup_1"]["colour"] = json!("red");
    fs::write(folder.path().join("pack.json"), wrong.to_string()).expect("the description");
    let error = Pack::load(folder.path())
        .expect_err("an unknown key")
        .to_string();
    assert!(error.contains("unknown field `colour`"), "{error}");
}

#[test]
fn what_the_scene_has_not_is_listed() {
    let mut wrong = description();
    wrong["goal"] = json!([["on", "cup_1", "cabinet_1_top"], ["open", "stove_1"]]);
    wrong["things"]["cup_1"]["body"] = json!("mug_1_main");
    wrong["things"]["cup_1"]["contact_geoms"] = json!(["mug_1_g0"]);
    wrong["things"]["cabinet_1_top"]["site"] = json!("cabinet_1_roof");
    wrong["things"]["stove_1"]["joints"] = json!(["cup_1_joint0"]);
    wrong["things"]["stove_1"]["articulation"] = json!({ "open": [1.0, 2.0] });
    wrong["cameras"] = json!(["sideview"]);
    wrong["episodes"][0]["qpos"] = json!([0.0]);
    let error = Native::new(pack(wrong).expect("sound by itself")).expect_err("another scene");
    let PackError::Values { problems, .. } = error else {
        panic!("{error}");
    };
    let found: Vec<_> = problems.found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "things.cup_1.body: expected a body of the scene, found `mug_1_main`",
            "things.cabinet_1_top.site: expected a site of the scene, found `cabinet_1_roof`",
            "things.cup_1.contact_geoms: expected a geom of the scene, found `mug_1_g0`",
            "things.stove_1.joints: expected a joint with one degree of freedom, found `cup_1_joint0`, which has more",
            "cameras[0]: expected a camera of the scene, found `sideview`",
            "episodes[0].qpos: expected 25 numbers, as the scene has them, found 1",
        ]
    );
}
