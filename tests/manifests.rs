//! `dora-node.yml` of every node says what dataflow, README and types say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dora_core::manifest::NodeManifest;
use dora_core::types::TypeRegistry;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of nodes that dora runs, by name.
fn folders() -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(root().join("nodes")).unwrap().flatten();
    let nodes = entries.filter(|entry| entry.path().join("Cargo.toml").exists());
    let named = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, entry.path())
    };
    nodes.map(named).collect()
}

fn manifest(folder: &Path) -> NodeManifest {
    NodeManifest::read(&folder.join("dora-node.yml")).unwrap_or_else(|error| panic!("{error:#}"))
}

/// Types of a node's ports in a dataflow: inputs, outputs.
type Ports = [BTreeMap<String, String>; 2];

/// By program.
fn ports(file: &str) -> BTreeMap<String, Ports> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let mut found: BTreeMap<String, Ports> = BTreeMap::new();
    let mut program = None;
    let mut section = None;
    for line in text.lines() {
        if line.starts_with("  - id: ") {
            program = None;
        } else if let Some(path) = line.strip_prefix("    path: ") {
            let name = Path::new(path).file_name().unwrap().to_str().unwrap();
            program = Some(name.to_owned());
        } else if line.starts_with("    ") && !line.starts_with("     ") {
            section = match line.trim() {
                "input_types:" => Some(0),
                "output_types:" => Some(1),
                _ => None,
            };
        } else if let (Some(program), Some(section)) = (&program, section)
            && let Some((port, urn)) = line.trim().split_once(": ")
        {
            let ports = found.entry(program.clone()).or_default();
            ports[section].insert(port.to_owned(), urn.to_owned());
        }
    }
    found
}

#[test]
fn manifests_are_sound_and_ship_the_types_that_they_name() {
    let mut registry = TypeRegistry::new();
    registry.load_from_dir(&root().join("types")).unwrap();
    for (name, folder) in folders() {
        let manifest = manifest(&folder);
        let problems = manifest.validate(&TypeRegistry::new());
        assert!(problems.is_empty(), "{name}: {problems:?}");
        let own = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let description = format!("description = {:?}", manifest.description.unwrap());
        assert!(own.contains(&description), "{name}: {description}");
        for (urn, shipped) in &manifest.types {
            let ours = registry.resolve(urn).expect("a type of types/");
            assert_eq!(
                format!("{shipped:?}"),
                format!("{ours:?}"),
                "{name}: copy {urn} from types/tiller/v1.yml"
            );
        }
    }
}

#[test]
fn manifests_have_the_ports_of_the_dataflows() {
    let mut found = ports("dataflow.yml");
    for (file, program) in [
        ("dataflows/hardware.yml", "camera"),
        ("nodes/viewer/node.yml", "viewer"),
    ] {
        let mut there = ports(file);
        found.insert(program.to_owned(), there.remove(program).unwrap());
    }
    assert!(found.len() >= 9, "{:?}", found.keys());
    let folders = folders();
    for (program, expected) in found {
        let manifest = manifest(&folders[&program]);
        let typed = [&manifest.inputs, &manifest.outputs].map(|ports| {
            let typed = |(port, def): (&String, &dora_core::manifest::PortDef)| {
                (port.clone(), def.r#type.clone().unwrap_or_default())
            };
            ports.iter().map(typed).collect::<BTreeMap<_, _>>()
        });
        assert_eq!(typed, expected, "{program}");
    }
}

#[test]
fn manifests_have_the_settings_of_the_readmes() {
    for (name, folder) in folders() {
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        let rows = readme.lines().filter(|line| line.starts_with("| `"));
        let known: Vec<_> = rows.clone().flat_map(|row| variables(row, 3)).collect();
        let env = manifest(&folder).env;
        for variable in env.keys() {
            let is_known = known.contains(&variable.as_str());
            assert!(is_known, "{name}: the README has no `{variable}`");
        }
        for variable in rows.flat_map(|row| variables(row, 1)) {
            // Of dora's own, and what a dataflow calls a setting.
            let is_doras = variable.starts_with("DORA_");
            let is_outer = name != "record" && variable.starts_with("TILLER_");
            let is_there = env.contains_key(variable) || is_doras || is_outer;
            assert!(is_there, "{name}: the manifest has no `{variable}`");
        }
    }
}

/// What looks like a variable in the first cells of a table's row.
fn variables(row: &str, cells: usize) -> impl Iterator<Item = &str> {
    let is_variable = |word: &&str| {
        let is_upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        word.len() > 2 && word.bytes().all(is_upper)
    };
    row.split(" | ")
        .take(cells)
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(is_variable)
}

/// Default of a setting in a dataflow.
fn default_of(file: &str, setting: &str) -> String {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let begin = format!("      {setting}: \"${{TILLER_{setting}:-");
    let line = text.lines().find_map(|line| line.strip_prefix(&begin));
    line.unwrap().trim_end_matches("}\"").to_owned()
}

#[test]
fn dataflows_of_the_play_table_give_its_things_as_many_keypoints_as_the_benchmark_does() {
    let counts = tiller_playtable::keypoint_counts();
    let counts: Vec<_> = counts
        .iter()
        .map(|(name, count)| format!("{name}={count}"))
        .collect();
    for file in [
        "dataflow.yml",
        "dataflows/distributed.yml",
        "dataflows/emulated-franka.yml",
        "dataflows/replay.yml",
    ] {
        assert_eq!(default_of(file, "COUNTS"), counts.join(", "), "{file}");
        let ignored = tiller_playtable::WITHOUT_KEYPOINTS.join(", ");
        assert_eq!(default_of(file, "IGNORED"), ignored, "{file}");
    }
}
