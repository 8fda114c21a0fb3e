//! `dataflows/distributed.yml` on two machines: where the link is good, late, lossy, and cut.
//!
//! Both are namespaces of this one (root alone may make them; else the tests say so and do nothing).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "dora is started otherwise here")]
mod common;
mod link;
mod machines;
mod record;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use common::{root, summary};
use link::{CUT, GOOD, Quality};
use machines::Machines;
use record::Record;

/// The oldest observation, ms of the robot's clock, that a chunk may begin from.
const MAX_CHUNK_AGE_MS: u64 = 3_000;

/// How late the arm's machine may hear a state that was told in time, ms: two of its periods.
const PERIODS_MS: u64 = 40;

const SETTINGS: [(&str, &str); 3] = [
    ("TILLER_INSTRUCTION", "open the drawer"),
    ("TILLER_SEED", "1"),
    ("TILLER_MAX_CHUNK_AGE_MS", "3000"),
];

/// Two machines, or a word why there are none.
fn two_machines() -> Option<Machines> {
    match Machines::start() {
        Ok(machines) => Some(machines),
        Err(reason) => {
            eprintln!(
                "skipped: two machines in one need root, `ip netns`, TUN and time namespaces: {reason}"
            );
            None
        }
    }
}

#[test]
fn two_machines_whose_clocks_stand_apart_open_the_drawer() {
    let Some(machines) = two_machines() else {
        return;
    };
    let run = machines.folder().join("run");
    fs::create_dir(&run).unwrap();
    let dataflow = root().join("dataflows/distributed.yml");
    let done = machines.give(&dataflow, &SETTINGS, &run).end();
    let found = summary(&run).unwrap_or_else(|| panic!("no summary:\n{}", done.log));
    assert_eq!(found["outcome"], "success", "{found:#}\n{}", done.log);
    assert!(done.status.success(), "{}", done.log);
    for gpu in ["steered-sampler", "keypoint-grounding"] {
        let told = format!("{gpu} on daemon `gpu`: daemon node is ready");
        assert!(done.log.contains(&told), "{}", done.log);
    }
    // Pictures went over the cable, and not through memory that both see.
    let [there, back] = machines.link.carried();
    assert!(there > 5_000_000 && back > 50_000, "{there} {back} bytes");
}

/// What a run over some link came to.
struct Told {
    link: &'static str,
    summary: Value,
    record: Record,
    bytes: [u64; 2],
}

/// Records a run while `spoil` does to the link what it likes; it is told when the arm moves.
fn run_over(
    machines: &Machines,
    link: &'static str,
    begin: Quality,
    spoil: impl FnOnce(&Machines),
) -> Told {
    machines.link.set(begin);
    let before = machines.link.carried();
    let run = machines.folder().join(link.replace(' ', "-"));
    fs::create_dir(&run).unwrap();
    let dataflow = record::beside(&run);
    let given = machines.give(&dataflow, &SETTINGS, &run);
    wait_until_it_moves(&run);
    spoil(machines);
    let done = given.end_with_results();
    machines.link.set(GOOD);
    let summary = summary(&run).unwrap_or_else(|| panic!("no summary:\n{}", done.log));
    assert_eq!(
        summary["outcome"], "success",
        "{link}: {summary:#}\n{}",
        done.log
    );
    let record = Record::read(&run);
    // The one rule for every link.
    let oldest_ms = record.executed.iter().map(|chunk| chunk.age_ms).max();
    assert!(record.executed.len() > 4, "{link}: {:?}", record.executed);
    assert!(
        oldest_ms.unwrap() <= MAX_CHUNK_AGE_MS + PERIODS_MS,
        "{link}: {:?}",
        record.executed
    );
    let after = machines.link.carried();
    let told = Told {
        link,
        summary,
        record,
        bytes: [after[0] - before[0], after[1] - before[1]],
    };
    eprintln!("{}", told.row());
    told
}

impl Told {
    /// A row of the table in docs/distributed.md.
    fn row(&self) -> String {
        let latencies = &self.summary["latencies"];
        let hop = |name: &str| {
            let of = |rank: &str| latencies[name][rank].as_f64().unwrap_or(f64::NAN);
            format!("{:.0}, {:.0}", of("p50_ms"), of("p99_ms"))
        };
        let stale = self.summary["notices"]["safety"]["stale"].as_u64();
        let oldest_ms = self.record.executed.iter().map(|chunk| chunk.age_ms).max();
        format!(
            "| {} | {} | {:.1} s | {} | {} | {} | {} | {} ms | {:.1}, {:.2} MB |",
            self.link,
            self.summary["outcome"].as_str().unwrap_or("?"),
            self.record.duration().as_secs_f64(),
            hop("image_to_keypoints"),
            hop("image_to_chunk"),
            hop("image_to_execution"),
            stale.unwrap_or(0),
            oldest_ms.unwrap_or(0),
            self.bytes[0] as f64 * 1e-6,
            self.bytes[1] as f64 * 1e-6,
        )
    }
}

fn wait_until_it_moves(run: &Path) {
    let begin = Instant::now();
    loop {
        let text = fs::read_to_string(run.join("live.json")).unwrap_or_default();
        let live: Value = serde_json::from_str(&text).unwrap_or_default();
        if live["arm"]["chunks"].as_u64() >= Some(2) {
            return;
        }
        let log = || fs::read_to_string(run.join("dora.log")).unwrap_or_default();
        assert!(
            begin.elapsed() < Duration::from_secs(90),
            "nothing moves:\n{}",
            log()
        );
        thread::sleep(Duration::from_millis(50));
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

#[test]
#[ignore = "four runs, a minute and a half: by hand (tests/README.md)"]
fn a_bad_link_costs_time_and_nothing_else() {
    let Some(machines) = two_machines() else {
        return;
    };
    run_over(&machines, "good", GOOD, |_| {});
    // There and back: 170 to 230 ms.
    let late = Quality {
        delay: Duration::from_millis(85),
        jitter: Duration::from_millis(30),
        loss: 0.0,
    };
    let told = run_over(&machines, "200 ms", late, |_| {});
    let hop = &told.summary["latencies"]["image_to_execution"];
    assert!(hop["p50_ms"].as_f64() > Some(170.0), "{hop}");
    run_over(
        &machines,
        "5 percent lost",
        Quality { loss: 0.05, ..GOOD },
        |_| {},
    );
    a_cut_link(&machines);
}

/// Six seconds. Before that only the way back to the robot for two, so that chunks are certainly on it: they are dropped there, or come
/// too late and are refused. That none is executed which is too old, [`run_over`] checks.
fn a_cut_link(machines: &Machines) {
    let mut cut = (Duration::ZERO, Duration::ZERO);
    let told = run_over(machines, "6 s cut", GOOD, |machines| {
        cut.0 = since_1970();
        machines.link.set_from(1, CUT);
        thread::sleep(Duration::from_secs(2));
        machines.link.set(CUT);
        thread::sleep(Duration::from_secs(6));
        machines.link.set(GOOD);
        cut.1 = since_1970();
    });
    let record = &told.record;
    // What was under way is executed to its end, on a busy machine slower than in life; after that the arm holds, and
    // says so.
    let rest = record.states_between(cut.0 + Duration::from_secs(4), cut.1);
    assert!(
        rest.len() > 50,
        "{} states: the simulation goes on",
        rest.len()
    );
    let held = rest.iter().all(|state| state.is_at_rest);
    assert!(held, "the arm moves while the link is cut");
    let began = record
        .executed
        .iter()
        .filter(|chunk| chunk.began > cut.0 + Duration::from_secs(2) && chunk.began < cut.1);
    assert_eq!(began.count(), 0, "a chunk came over a cut link");
    let next = record.executed.iter().find(|chunk| chunk.began >= cut.1);
    let next = next.expect("the arm moves again");
    let recovery = next.began - cut.1;
    let hold = record.longest_hold();
    let safety = &told.summary["notices"]["safety"];
    eprintln!(
        "cut for {:.1} s: held for {:.1} s, moves again {:.2} s after it; {safety}",
        (cut.1 - cut.0).as_secs_f64(),
        hold.as_secs_f64(),
        recovery.as_secs_f64(),
    );
    assert!(recovery < Duration::from_secs(15), "{recovery:?}");
}
