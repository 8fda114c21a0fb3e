//! Where a model's key goes in the real dataflow: into one process and one header, and nowhere else.
//!
//! The executables and the private `.venv` must exist: `cargo xtask test` prepares both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use common::{Running, start_dataflow};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::provider::Api;
use tiller_vlm_testing::{Ending, Handler, Script, Server, streamed, threaded_with, write};

/// Nothing else on this machine holds it.
const KEY: &str = "sk-Vq83mZ0tLw7RkXy2c9";

/// Longest run, s of wall time.
const LIMIT_S: u32 = 240;

/// Our nodes, without the operator, which lives in a process of dora's.
const NODES: usize = 7;

/// A server that repeats the key in its answer, as some do in their messages.
fn indiscreet() -> (Server, Sender<()>) {
    let handler: Arc<Handler> = Arc::new(|_, request: &str| -> Script {
        let text = write(request, &EmbeddedAuthor);
        let text = format!("For the key {KEY}:\n{text}");
        streamed(Api::OpenAi, &text, Ending::Complete)
    });
    threaded_with(handler)
}

fn start(server: &Server, key: (&str, &str), cache: &Path) -> Running {
    let url = format!("http://{}/v1", server.address);
    start_dataflow(
        &[
            ("TILLER_INSTRUCTION", "press the button"),
            ("TILLER_SEED", "1"),
            ("TILLER_VLM_PROVIDER", "openai"),
            ("TILLER_VLM_MODEL", "test-model"),
            ("TILLER_VLM_BASE_URL", &url),
            ("TILLER_VLM_CACHE_DIR", cache.to_str().unwrap()),
            key,
        ],
        LIMIT_S,
    )
}

/// Descendants of a process: number -> name.
fn descendants(root: u32) -> BTreeMap<u32, String> {
    let numbers = fs::read_dir("/proc").unwrap().flatten();
    let mut parents = BTreeMap::new();
    let mut names = BTreeMap::new();
    for pid in numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let Some((head, tail)) = stat.rsplit_once(')') else {
            continue;
        };
        let parent = tail
            .split_whitespace()
            .nth(1)
            .and_then(|text| text.parse().ok());
        let name = head.split_once('(').map_or("", |(_, name)| name);
        names.insert(pid, name.to_owned());
        parents.insert(pid, parent.unwrap_or(0));
    }
    let is_ours = |mut pid: u32| {
        while let Some(&parent) = parents.get(&pid) {
            if parent == root {
                return true;
            }
            pid = parent;
        }
        false
    };
    names.retain(|pid, _| is_ours(*pid));
    names
}

/// Whether the environment or the arguments of a process hold the key.
fn holds_key(pid: u32) -> bool {
    ["environ", "cmdline"].iter().any(|file| {
        let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains(KEY)
    })
}

/// Processes of the dataflow, by name, once all nodes are there and the model has been asked.
fn processes(running: &Running, server: &Server) -> Vec<(u32, String)> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let all = descendants(running.pid());
        // The kernel cuts names to 15 characters.
        let nodes = [
            "console",
            "simulator",
            "keypoint-ground",
            "vlm-reward",
            "steered-sampler",
            "franka-actuator",
            "run-log",
        ];
        let there = all.values().filter(|name| nodes.contains(&name.as_str()));
        if there.count() == NODES && !server.requests().is_empty() {
            return all.into_iter().collect();
        }
        assert!(Instant::now() < until, "{all:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Every file below a folder that holds the key.
fn files_with_key(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with_key(&path));
        } else if fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(KEY)) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_key_in_a_file_is_in_no_process_no_log_no_record_and_no_cache() {
    let (server, _stop) = indiscreet();
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{KEY}").unwrap();
    let path = file.path().to_str().unwrap();
    let running = start(&server, ("TILLER_VLM_KEY_FILE", path), &cache);
    for (pid, name) in processes(&running, &server) {
        assert!(!holds_key(pid), "{name} has the key");
    }
    assert!(!holds_key(running.pid()));
    let run = running.end();
    assert_eq!(run.summary()["outcome"], "success", "{}", run.log);
    assert_eq!(run.summary()["program_source"], "openai/test-model");
    let request = &server.requests()[0];
    assert!(request.contains(&format!("Bearer {KEY}")), "{request}");

    // What is looked through is there, and the server's words are in it.
    let record = run.folder.path().join("exchanges/0001-reward.json");
    assert!(fs::read_to_string(record).unwrap().contains("For the key"));
    assert!(fs::read_dir(&cache).unwrap().count() > 0);
    assert!(run.log.contains("stages by author"));
    assert!(!run.log.contains(KEY));
    assert_eq!(files_with_key(run.folder.path()), [""; 0]);
    assert_eq!(files_with_key(&cache), [""; 0]);
}

#[test]
fn a_key_in_the_environment_stays_with_the_node_that_asks() {
    let (server, _stop) = indiscreet();
    let folder = tempfile::tempdir().unwrap();
    let running = start(
        &server,
        ("OPENAI_API_KEY", KEY),
        &folder.path().join("cache"),
    );
    let holders: Vec<String> = processes(&running, &server)
        .into_iter()
        .filter(|(pid, _)| holds_key(*pid))
        .map(|(_, name)| name)
        .collect();
    let run = running.stop();
    // dora itself was started with it; what it starts goes on without it.
    let nodes: Vec<_> = holders.iter().filter(|name| *name != "dora").collect();
    assert_eq!(nodes, ["vlm-reward"], "{holders:?}\n{}", run.log);
    assert_eq!(files_with_key(run.folder.path()), [""; 0]);
}
