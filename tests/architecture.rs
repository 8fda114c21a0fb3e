//! The dependency rules of the workspace, checked on what cargo itself resolves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Crates that hold mathematics and formats only.
const LEAVES: [&str; 5] = [
    CORE,
    "tiller-messages",
    "tiller-reward",
    "tiller-steering",
    "tiller-motion",
];

/// The types that all share: the only one of our own crates that a leaf may use.
const CORE: &str = "tiller-core";

/// What leaves must not reach, not even through others: the dataflow runtime, inference, async
/// runtimes, HTTP.
const NOT_IN_LEAVES: [&str; 12] = [
    "dora-node-api",
    "dora-operator-api",
    "dora-core",
    "ort",
    "ort-sys",
    "tokio",
    "async-std",
    "smol",
    "futures-executor",
    "reqwest",
    "hyper",
    "ureq",
];

/// The only packages that may know dora: those that run inside a dataflow, and their kit.
const DORA_KIT: &str = "tiller-node-kit";

/// The only crate that may know how dora writes messages down, without its runtime, and the packages of dora
/// that say so. Whoever reads recordings reaches these, and no others.
const DORA_FORMAT: &str = "tiller-recording";
const DORA_FORMATS: [&str; 2] = ["dora-message", "dora-recording"];

/// The only packages that may talk to arm hardware drivers.
const HARDWARE_DRIVERS: [&str; 4] = ["franka", "franka-rs", "libfranka-rs", "serialport"];

/// Things of a world, as somebody would write them who knows it.
const THINGS_OF_WORLDS: [&str; 9] = [
    "playtable",
    "PlayTable",
    "play table",
    "drawer",
    "sliding door",
    "red block",
    "blue block",
    "pink block",
    "Block::Red",
];

/// Crates that are about a world.
const WORLDS: [&str; 6] = [
    "crates/calvin",
    "crates/calvin-author",
    "crates/libero",
    "crates/libero-author",
    "crates/playtable",
    "crates/playtable-author",
];

/// Where programs register worlds and their authors, and the demo's instruction.
const REGISTRATIONS: [&str; 6] = [
    "crates/tiller/src/worlds.rs",
    "crates/tiller/src/cli/vlm/provider.rs",
    "nodes/simulator/src/worlds.rs",
    "nodes/vlm-reward/src/main.rs",
    "nodes/vlm-reward/src/worlds.rs",
    "xtask/src/demo.rs",
];

/// What the names of a world's packages begin with.
const PACKAGES_OF_WORLDS: [&str; 3] = ["tiller-calvin", "tiller-libero", "tiller-playtable"];

/// Packages that may depend on a world's crate: those that register it, and its author.
const REGISTRARS: [&str; 7] = [
    "simulator",
    "tiller",
    "tiller-calvin-author",
    "tiller-libero",
    "tiller-libero-author",
    "tiller-playtable",
    "vlm-reward",
];

struct Workspace {
    metadata: Metadata,
    /// Package name -> names of its normal dependencies, direct ones only.
    direct: BTreeMap<String, BTreeSet<String>>,
    /// The same over everything that cargo resolved.
    resolved: BTreeMap<String, BTreeSet<String>>,
}

impl Workspace {
    fn load() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        // For this platform only: else cargo would want the packages of all others downloaded.
        let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .other_options(["--filter-platform".to_owned(), platform])
            .exec()
            .expect("cargo metadata on this workspace");
        let members: BTreeMap<_, _> = metadata
            .workspace_packages()
            .into_iter()
            .map(|package| (package.name.to_string(), package.id.clone()))
            .collect();
        // A registry may have a package of a member's name: it must not be taken for the member.
        let names: BTreeMap<_, _> = metadata
            .packages
            .iter()
            .map(|package| {
                let name = package.name.to_string();
                let foreign = members.get(&name).is_some_and(|own| *own != package.id);
                let shown = if foreign {
                    format!("{name} of the registry")
                } else {
                    name
                };
                (package.id.clone(), shown)
            })
            .collect();
        let mut resolved: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in &metadata.resolve.as_ref().expect("a resolved graph").nodes {
            let normal = node.deps.iter().filter(|dep| {
                dep.dep_kinds
                    .iter()
                    .any(|kind| kind.kind == DependencyKind::Normal)
            });
            let entry = resolved.entry(names[&node.id].clone()).or_default();
            entry.extend(normal.map(|dep| names[&dep.pkg].clone()));
        }
        let direct = metadata
            .workspace_packages()
            .into_iter()
            .map(|package| {
                let normal = |kind| kind == DependencyKind::Normal;
                let dependencies = package.dependencies.iter().filter(|dep| normal(dep.kind));
                (
                    package.name.to_string(),
                    dependencies.map(|dep| dep.name.clone()).collect(),
                )
            })
            .collect();
        Self {
            metadata,
            direct,
            resolved,
        }
    }

    /// Everything that `package` links, itself excluded.
    fn reach(&self, package: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![package.to_owned()];
        while let Some(name) = waiting.pop() {
            for dependency in self.resolved.get(&name).into_iter().flatten() {
                if seen.insert(dependency.clone()) {
                    waiting.push(dependency.clone());
                }
            }
        }
        seen
    }

    /// Names of the members below a folder of the workspace.
    fn members_in(&self, folder: &str) -> BTreeSet<String> {
        let root = self.metadata.workspace_root.join(folder);
        self.metadata
            .workspace_packages()
            .into_iter()
            .filter(|package| package.manifest_path.starts_with(&root))
            .map(|package| package.name.to_string())
            .collect()
    }
}

#[test]
fn leaves_are_free_of_runtimes() {
    let workspace = Workspace::load();
    for leaf in LEAVES {
        assert!(
            workspace.direct.contains_key(leaf),
            "{leaf} is no member any more"
        );
        let reach = workspace.reach(leaf);
        let wrong: Vec<_> = NOT_IN_LEAVES
            .iter()
            .filter(|name| reach.contains(**name))
            .collect();
        assert!(wrong.is_empty(), "{leaf} reaches {wrong:?}");
        let own: Vec<_> = reach
            .iter()
            .filter(|name| name.starts_with("tiller-") && *name != CORE)
            .collect();
        assert!(own.is_empty(), "{leaf} is a leaf, yet depends on {own:?}");
    }
}

#[test]
fn nodes_and_operators_meet_only_in_messages() {
    let workspace = Workspace::load();
    let parts: BTreeSet<String> = workspace
        .members_in("nodes")
        .union(&workspace.members_in("operators"))
        .cloned()
        .collect();
    assert!(
        parts.len() >= 6,
        "expected the nodes and the operator, found {parts:?}"
    );
    for part in &parts {
        let others: Vec<_> = workspace
            .reach(part)
            .intersection(&parts)
            .cloned()
            .collect();
        assert!(others.is_empty(), "{part} depends on {others:?}");
        // What was recorded is sent again unread.
        let reads = part != "replay";
        assert!(
            !reads || workspace.direct[part].contains("tiller-messages"),
            "{part} must speak tiller-messages"
        );
    }
    let users = |name: &String| {
        workspace
            .reach(name)
            .iter()
            .any(|used| parts.contains(used))
    };
    let crates: Vec<_> = workspace
        .members_in("crates")
        .into_iter()
        .filter(users)
        .collect();
    assert!(
        crates.is_empty(),
        "crates must not depend on nodes: {crates:?}"
    );
}

#[test]
fn only_nodes_know_dora() {
    let workspace = Workspace::load();
    for name in workspace.members_in("crates") {
        if name == DORA_KIT {
            continue;
        }
        let reach = workspace.reach(&name);
        let is_format = |used: &str| DORA_FORMATS.contains(&used) && reach_format(&name, &reach);
        let dora: Vec<_> = reach
            .iter()
            .filter(|used| used.starts_with("dora-") && !is_format(used))
            .collect();
        assert!(dora.is_empty(), "{name} reaches {dora:?}");
        let direct = &workspace.direct[&name];
        let formats: Vec<_> = DORA_FORMATS
            .iter()
            .filter(|used| direct.contains(**used))
            .collect();
        assert!(
            name == DORA_FORMAT || formats.is_empty(),
            "{name} uses {formats:?}: only {DORA_FORMAT} reads recordings"
        );
    }
}

/// Whether a crate reads recordings.
fn reach_format(name: &str, reach: &BTreeSet<String>) -> bool {
    name == DORA_FORMAT || reach.contains(DORA_FORMAT)
}

#[test]
fn hardware_is_reached_only_through_motion() {
    let workspace = Workspace::load();
    for (name, direct) in &workspace.direct {
        let drivers: Vec<_> = HARDWARE_DRIVERS
            .iter()
            .filter(|driver| direct.contains(**driver))
            .collect();
        if !drivers.is_empty() {
            assert!(
                direct.contains("tiller-motion"),
                "{name} uses {drivers:?} without tiller-motion's limited arm"
            );
        }
    }
}

#[test]
fn set_up_needs_none_of_the_libraries_that_it_fetches() {
    let workspace = Workspace::load();
    let reach = workspace.reach("xtask");
    let wrong: Vec<_> = ["mujoco-rs", "mujoco-rs-sys", "ort", "dora-node-api"]
        .into_iter()
        .filter(|name| reach.contains(*name))
        .collect();
    assert!(wrong.is_empty(), "xtask reaches {wrong:?}");
}

#[test]
fn one_folder_knows_the_python_parser() {
    let workspace = Workspace::load();
    for (name, direct) in &workspace.direct {
        let parser: Vec<_> = direct.iter().filter(|d| d.starts_with("ruff_")).collect();
        assert!(
            name == "tiller-reward" || parser.is_empty(),
            "{name} uses {parser:?}: only tiller-reward reads Python"
        );
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/reward");
    let adapter = root.join("src/syntax");
    let (mut inside, mut outside) = (0, Vec::new());
    let mut sources = Vec::new();
    files_below(&root, ".rs", &mut sources);
    for file in sources {
        let names_it = std::fs::read_to_string(&file).unwrap().contains("ruff_");
        if !names_it {
            continue;
        }
        if file.starts_with(&adapter) {
            inside += 1;
        } else {
            outside.push(file);
        }
    }
    assert!(inside > 0, "{} names no parser", adapter.display());
    assert!(outside.is_empty(), "use crate::syntax in {outside:?}");
}

/// Every file below a folder whose name ends so.
fn files_below(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files_below(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

/// A source less comments and test modules, with the numbers of its lines. Test modules stand at a file's
/// end, or in a file of their own.
fn code(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut numbered = (1..).zip(text.lines()).peekable();
    while let Some((number, line)) = numbered.next() {
        let next = numbered.peek().map_or("", |(_, next)| *next);
        if line.trim() == "#[cfg(test)]" && next.contains("mod ") {
            if next.trim_end().ends_with(';') {
                continue;
            }
            break;
        }
        if !line.trim_start().starts_with("//") {
            lines.push((number, line));
        }
    }
    lines
}

#[test]
fn code_is_told_from_comments_and_tests() {
    let text = "//! drawer\nmod a;\n#[cfg(test)]\nmod tests;\nlet x = 1; // drawer\n\
                #[cfg(test)]\npub(crate) mod tests {\n  drawer\n}\n";
    let kept: Vec<usize> = code(text).into_iter().map(|(number, _)| number).collect();
    assert_eq!(kept, [2, 4, 5]);
}

#[test]
fn only_worlds_name_their_things() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["crates", "nodes", "operators", "xtask"] {
        files_below(&root.join(folder), ".rs", &mut files);
    }
    // Prompts are compiled in.
    files_below(&root.join("crates/vlm/prompts"), ".md", &mut files);
    let name = |path: &Path| {
        path.strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let is_source = |path: &str| {
        let is_test =
            path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/");
        let in_world = WORLDS
            .iter()
            .any(|folder| path.starts_with(&format!("{folder}/")));
        (path.contains("/src/") || path.ends_with(".md")) && !is_test && !in_world
    };
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in files {
        let file = name(&path);
        if !is_source(&file) || REGISTRATIONS.contains(&file.as_str()) {
            continue;
        }
        seen += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in code(&text) {
            if THINGS_OF_WORLDS.iter().any(|thing| line.contains(thing)) {
                wrong.push(format!("{file}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(seen > 200, "only {seen} sources found");
    assert!(
        wrong.is_empty(),
        "only a world's own crates, and the files that register it, may name its things:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_those_who_register_a_world_depend_on_it() {
    let workspace = Workspace::load();
    for (name, direct) in &workspace.direct {
        let worlds: Vec<_> = direct
            .iter()
            .filter(|used| {
                PACKAGES_OF_WORLDS
                    .iter()
                    .any(|package| used.starts_with(package))
            })
            .collect();
        assert!(
            worlds.is_empty() || REGISTRARS.contains(&name.as_str()),
            "{name} depends on {worlds:?}"
        );
    }
}

#[test]
fn what_a_world_is_knows_none() {
    let workspace = Workspace::load();
    let reach = workspace.reach("tiller-world");
    let wrong: Vec<_> = NOT_IN_LEAVES
        .iter()
        .copied()
        .chain(["mujoco-rs", "mujoco-rs-sys", "glutin"])
        .filter(|name| reach.contains(*name))
        .collect();
    assert!(wrong.is_empty(), "tiller-world reaches {wrong:?}");
    let own: Vec<_> = reach
        .iter()
        .filter(|name| name.starts_with("tiller-"))
        .collect();
    assert_eq!(own, ["tiller-core", "tiller-motion"]);
}

/// Lines of a dataflow without comments, without the node `world` and without what only says where the file lies.
fn lines_of(file: &str) -> Vec<String> {
    let lines = lines_by_node(file).into_iter();
    let others = lines.filter(|(node, _)| node != "world");
    others.map(|(_, line)| line).collect()
}

/// What the node `world` listens to and sends.
fn ports_of_world(file: &str) -> Vec<String> {
    let lines = lines_by_node(file).into_iter();
    let world = lines.filter(|(node, _)| node == "world");
    let ports = world.skip_while(|(_, line)| line.trim() != "inputs:");
    ports.map(|(_, line)| line).collect()
}

/// Lines of a dataflow without comments, each with the node that it is about.
fn lines_by_node(file: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(path).unwrap();
    let mut lines = Vec::new();
    let mut node = String::new();
    for line in text.lines().map(str::trim_end) {
        let line = line.replace("../", "");
        if let Some(id) = line.strip_prefix("  - id: ") {
            id.clone_into(&mut node);
        }
        let is_told = !line.trim().is_empty() && !line.trim_start().starts_with('#');
        if is_told {
            lines.push((node.clone(), line));
        }
    }
    lines
}

/// The same without defaults.
fn graph(file: &str) -> Vec<String> {
    let without_default = |line: String| match (line.find("\"${"), line.find(":-")) {
        (Some(begin), Some(end)) => format!("{}{}", &line[..begin], &line[begin + 3..end]),
        _ => line,
    };
    lines_of(file).into_iter().map(without_default).collect()
}

#[test]
fn the_dataflows_of_other_worlds_are_the_same_graph() {
    // The node that holds authors is told the world; where only one can be meant, by its name.
    let is_world = |line: &String| line.trim_start().starts_with("WORLD:");
    let without = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().filter(|line| !is_world(line)).collect()
    };
    let ours = without(graph("dataflow.yml"));
    assert!(ours.len() > 150, "only {} lines", ours.len());
    for file in ["dataflows/calvin.yml", "dataflows/libero.yml"] {
        assert_eq!(without(graph(file)), ours, "{file}");
    }
}

/// Whoever knows the one knows the other: on a real arm nothing else is different.
#[test]
fn hardware_differs_in_cameras_arm_and_calibration() {
    let (simulated, real) = (lines_of("dataflow.yml"), lines_of("dataflows/hardware.yml"));
    assert_eq!(simulated.len(), real.len());
    let different: Vec<_> = simulated
        .iter()
        .zip(&real)
        .filter(|(ours, theirs)| ours != theirs)
        .map(|(_, theirs)| theirs.trim())
        .collect();
    let expected = [
        // Nobody has trained a network on what stands there, and a camera does not know where it stands.
        "DETECTOR: \"${TILLER_DETECTOR:-clusters}\"",
        "DETECTOR_MODEL: \"${TILLER_DETECTOR_MODEL:-}\"",
        "CALIBRATION: \"${TILLER_CALIBRATION:-calibration.toml}\"",
        // Nothing that a model wrote moves a real arm before somebody has seen it.
        "APPROVAL: \"${TILLER_APPROVAL:-required}\"",
        "ARM: \"${TILLER_ARM:-fci}\"",
    ];
    assert_eq!(different, expected);
}

/// What listens to a recording is what listens to a world and an arm.
#[test]
fn a_replay_differs_in_world_and_arm() {
    let is_replayed = |node: &str| ["world", "franka-actuator"].contains(&node);
    let live = |file| -> Vec<String> {
        let lines = lines_by_node(file).into_iter();
        let live = lines.filter(|(node, _)| !is_replayed(node));
        live.map(|(_, line)| line).collect()
    };
    let file = "dataflows/replay.yml";
    assert_eq!(live(file), live("dataflow.yml"));
    let outputs = |file| -> Vec<String> {
        let lines = lines_by_node(file).into_iter();
        let mut is_output = false;
        let outputs = lines.filter(|(node, line)| {
            is_output = match line.trim() {
                word if word.starts_with("outputs:") => true,
                word => is_output && !word.starts_with("- id:") && word != "inputs:",
            };
            is_output && is_replayed(node)
        });
        outputs.map(|(_, line)| line).collect()
    };
    assert_eq!(outputs(file), outputs("dataflow.yml"));
    assert!(outputs(file).len() > 10);
}

/// The driver for real arms moves the simulated one: nothing but the arm is different.
#[test]
fn the_emulated_robot_differs_in_the_arm() {
    let file = "dataflows/emulated-franka.yml";
    let (simulated, emulated) = (lines_of("dataflow.yml"), lines_of(file));
    assert_eq!(simulated.len(), emulated.len());
    let different: Vec<_> = simulated
        .iter()
        .zip(&emulated)
        .filter(|(ours, theirs)| ours != theirs)
        .map(|(_, theirs)| theirs.trim())
        .collect();
    let expected = [
        "ARM: fci",
        "ARMING: \"${TILLER_ARMING:-off}\"",
        "ON_NO_SAMPLER: \"${TILLER_ON_NO_SAMPLER:-hold}\"",
        "FRANKA_ADDRESS: \"127.0.0.1:${TILLER_FCI_PORT:-1337}\"",
        "FRANKA_HAND_ADDRESS: \"127.0.0.1:${TILLER_FCI_GRIPPER_PORT:-1338}\"",
        "REAL_TIME: \"${TILLER_REAL_TIME:-without}\"",
    ];
    assert_eq!(different, expected);
    assert_eq!(ports_of_world(file), ports_of_world("dataflow.yml"));
}

/// Where a node runs is all that two machines add, and it is said by what a machine is, never by its name.
#[test]
fn two_machines_differ_in_where_nodes_run() {
    let file = "dataflows/distributed.yml";
    let is_deploy = |line: &str| line.trim_start().starts_with("deploy:");
    let (deploys, others): (Vec<_>, Vec<_>) = lines_by_node(file)
        .into_iter()
        .partition(|(_, line)| is_deploy(line));
    assert_eq!(others, lines_by_node("dataflow.yml"));
    let nodes: Vec<_> = others
        .iter()
        .filter_map(|(_, line)| line.strip_prefix("  - id: "))
        .collect();
    let expected: Vec<_> = nodes
        .iter()
        .map(|node| {
            let sees = ["keypoint-grounding", "steered-sampler"].contains(node);
            let label = if sees { "gpu" } else { "robot" };
            let line = format!("    deploy: {{ labels: {{ {label}: \"true\" }} }}");
            ((*node).to_owned(), line)
        })
        .collect();
    assert_eq!(deploys, expected);
    // Two folders below the checkout, where daemons put nodes of labelled machines.
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    assert!(text.matches("../../").count() > 8);
    assert!(!text.replace("../../", "").contains("../"));
}
