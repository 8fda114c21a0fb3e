//! Processes that die, are told to end or are stopped for good, on the real dataflow.

use std::fmt::Write;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::common::{
    RECORDING, Run, Running, process, signal, start_dataflow, start_recorded, summary,
};
use crate::evidence::Evidence;

/// A node of the dataflow.
struct Node {
    id: &'static str,
    /// What its process's command line holds.
    program: &'static str,
    /// What it sends, as the recording names it, if that shows that it is back.
    stream: Option<&'static str>,
    /// Whether dora starts it anew.
    comes_back: bool,
}

const NODES: [Node; 8] = [
    node("console", "release/console", None, true),
    node(
        "keypoint-grounding",
        "release/keypoint-grounding",
        Some("keypoint-grounding/keypoints"),
        true,
    ),
    node(
        "vlm-reward",
        "release/vlm-reward",
        Some("vlm-reward/reward_program"),
        true,
    ),
    node(
        "steered-sampler",
        "release/steered-sampler",
        Some("steered-sampler/action_chunk"),
        true,
    ),
    node("run-log", "release/run-log", None, true),
    node("world", "release/simulator", None, false),
    node("franka-actuator", "release/franka-actuator", None, false),
    // dora hosts operators in a process of its own and starts none anew.
    node("stage-switcher", "dora.start_runtime", None, false),
];

const fn node(
    id: &'static str,
    program: &'static str,
    stream: Option<&'static str>,
    comes_back: bool,
) -> Node {
    Node {
        id,
        program,
        stream,
        comes_back,
    }
}

fn named(id: &str) -> &'static Node {
    let mut nodes = NODES.iter();
    nodes.find(|node| node.id == id).expect("a node")
}

/// A task with time enough that whoever is killed on the way can come back.
const LIFT: [(&str, &str); 3] = [
    ("TILLER_INSTRUCTION", "lift the red block"),
    ("TILLER_SEED", "1"),
    ("TILLER_EPISODE_S", "60"),
];

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_nanos() as u64
}

fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !there() {
        let waited = begin.elapsed();
        assert!(waited < Duration::from_secs(60), "there never was {what}");
        sleep(Duration::from_millis(20));
    }
}

fn wait_until_it_moves(run: &Running) {
    let moves = |summary: Value| summary["stages"][0].is_object();
    wait_for("a stage", || summary(run.folder.path()).is_some_and(moves));
}

/// Sends a signal to the node's process; gives when, ns since 1970.
fn hit(run: &Running, node: &Node, name: &str) -> u64 {
    let pid = process(run.folder.path(), node.program).expect("the process is there");
    let at_ns = now_ns();
    signal(name, &pid);
    at_ns
}

/// Waits until dora has started the node anew.
fn wait_until_it_is_back(run: &Running, node: &Node, old: &str) {
    let folder = run.folder.path();
    wait_for("a new process", || {
        process(folder, node.program).is_some_and(|pid| pid != old)
    });
}

fn recorded() -> Running {
    let run = start_recorded(Path::new("dataflow.yml"), &LIFT, 200);
    wait_until_it_moves(&run);
    run
}

fn evidence(run: &Run, after_ns: u64) -> Evidence {
    let evidence = Evidence::read(&run.folder.path().join(RECORDING), after_ns);
    assert!(evidence.judged > 1000, "{} setpoints", evidence.judged);
    assert_eq!(evidence.violations, Vec::<String>::new(), "{}", run.log);
    evidence
}

/// Every node that may be is killed or has a drill of a panic in one run, one after the other, and the task is done all the same.
#[test]
fn nodes_that_are_killed_or_panic_come_back_and_the_task_is_done() {
    let run = recorded();
    let mut killed = Vec::new();
    let back = NODES.iter().filter(|node| node.comes_back);
    for (node, name) in back.zip(["-KILL", "-USR2"].into_iter().cycle()) {
        let old = process(run.folder.path(), node.program).expect("the process is there");
        killed.push((node, hit(&run, node, name)));
        wait_until_it_is_back(&run, node, &old);
        sleep(Duration::from_millis(700));
    }
    let run = run.end();
    let summary = run.summary();
    assert_eq!(summary["outcome"], "success", "{}", run.log);
    assert!(run.status.success(), "{}", run.log);
    let evidence = evidence(&run, killed[0].1);
    for (node, at_ns) in killed {
        let back = node
            .stream
            .map(|stream| evidence.back_after_s(stream, at_ns));
        assert_ne!(back, Some(None), "`{}` sent nothing any more", node.id);
        if node.id == "run-log" {
            let before = &summary["before_restart"]["notices"]["restarts"];
            // It writes once a second.
            assert_eq!(before["keypoint-grounding"], 1, "{summary:#}");
        }
    }
}

#[test]
fn a_run_ends_with_the_name_of_what_cannot_be_started_anew() {
    let gone = NODES.iter().filter(|node| !node.comes_back);
    let ways = [
        ("-KILL", "SIGKILL"),
        ("-USR2", "panicked at"),
        ("-KILL", "SIGKILL"),
    ];
    for (node, (name, why)) in gone.zip(ways) {
        let run = start_dataflow(&LIFT, 100);
        wait_until_it_moves(&run);
        let begin = Instant::now();
        hit(&run, node, name);
        let run = run.end();
        let took = begin.elapsed();
        let summary = run.summary();
        assert_eq!(summary["outcome"], "failed", "{}: {}", node.id, run.log);
        let reason = summary["reason"].as_str().unwrap();
        let is_told = reason.contains(&format!("`{}`", node.id)) && reason.contains(why);
        assert!(is_told, "{reason}");
        assert!(!run.status.success(), "{}", node.id);
        assert!(took < Duration::from_secs(30), "{}: {took:?}", node.id);
    }
}

#[test]
fn a_stopped_actuator_ends_the_run_which_names_it() {
    let run = start_dataflow(&LIFT, 100);
    wait_until_it_moves(&run);
    hit(&run, named("franka-actuator"), "-STOP");
    let run = run.end();
    let summary = run.summary();
    assert_ne!(run.status.code(), Some(124), "{}", run.log);
    assert_eq!(summary["outcome"], "failed", "{summary:#}");
    let reason = summary["reason"].as_str().unwrap();
    assert!(reason.contains("`franka-actuator`"), "{reason}");
    let waited = summary["waiting_for"]["world"].as_str().unwrap();
    assert!(waited.contains("arm_command"), "{waited}");
}

/// dora watches no operator: the sampler does, for a sign of life that comes every second.
#[test]
fn a_stopped_stage_switcher_holds_the_arm_and_is_named() {
    let mut settings = LIFT.to_vec();
    settings.extend([
        ("TILLER_EPISODE_S", "12"),
        ("DORA_FINISH_DRAIN_GRACE_SECS", "5"),
    ]);
    let run = start_dataflow(&settings, 100);
    wait_until_it_moves(&run);
    hit(&run, named("stage-switcher"), "-STOP");
    let run = run.end();
    let summary = run.summary();
    assert_ne!(run.status.code(), Some(124), "{}", run.log);
    assert_eq!(summary["outcome"], "timeout", "{summary:#}");
    let reason = summary["reason"].as_str().unwrap();
    assert!(reason.contains("waiting for stage"), "{reason}");
}

/// The table of `tests/README.md`.
#[test]
#[ignore = "about twenty minutes; its table stands in tests/README.md"]
fn the_whole_matrix() {
    let mut table = String::new();
    for name in ["-KILL", "-TERM", "-ABRT", "-USR2", "-STOP"] {
        for node in &NODES {
            let run = recorded();
            let at_ns = hit(&run, node, name);
            let run = run.end();
            let took_s = (now_ns() - at_ns) as f64 * 1e-9;
            let summary = run.summary();
            let evidence = Evidence::read(&run.folder.path().join(RECORDING), at_ns);
            let back = node
                .stream
                .and_then(|stream| evidence.back_after_s(stream, at_ns));
            let back = back.map_or("-".to_owned(), |seconds| format!("{seconds:.1}"));
            writeln!(
                table,
                "| SIG{} of `{}` | {} ({}), exit {} after {took_s:.0} s | {back} | {} | {:.0} | {} of {} | {:.2} |",
                &name[1..],
                node.id,
                summary["outcome"].as_str().unwrap_or("no summary"),
                summary["reason"].as_str().unwrap_or_default(),
                run.status.code().unwrap_or(-1),
                evidence.missed,
                evidence.longest_ns as f64 * 1e-6,
                evidence.violations.len(),
                evidence.judged,
                evidence.largest_share,
            )
            .unwrap();
            println!("{}", table.lines().last().unwrap_or_default());
            assert_eq!(evidence.violations, Vec::<String>::new());
        }
    }
}
