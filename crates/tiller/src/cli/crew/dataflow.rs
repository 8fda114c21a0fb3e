//! The dataflow of a benchmark: one scheduler, and workers.

use std::fmt::Write;
use std::path::Path;

use super::places::Asked;

/// The types on its wires, as all our dataflows have them.
pub(super) const TYPES: &str = include_str!("../../../../../types/tiller/v1.yml");

/// What runs where.
pub(super) struct Dataflow<'a> {
    pub(super) scheduler: &'a Path,
    /// The machine of the scheduler.
    pub(super) here: Option<&'a Asked>,
    pub(super) socket: &'a Path,
    pub(super) worker: &'a Path,
    /// The machine of each worker.
    pub(super) workers: Vec<Option<&'a Asked>>,
}

impl Dataflow<'_> {
    /// As a file for dora.
    pub(super) fn text(&self) -> String {
        let count = self.workers.len();
        let list = |entry: &dyn Fn(usize) -> String| -> String { (0..count).map(entry).collect() };
        let queue = "queue_size: 16, queue_policy: backpressure";
        let mut text = format!(
            "strict_types: true\nnodes:\n  - id: scheduler\n    path: {}\n{}    health_check_timeout: 10.0\n    \
             env:\n      SOCKET: {}\n    inputs:\n      heartbeat: dora/timer/millis/1000\n{}    input_types:\n{}    \
             outputs: [{}status]\n    output_types:\n{}      status: tiller/v1/Status\n",
            quoted(self.scheduler),
            deploy(self.here),
            quoted(self.socket),
            list(&|it| format!("      report_{it}: {{ source: worker-{it}/report, {queue} }}\n")),
            list(&|it| format!("      report_{it}: tiller/v1/BenchReport\n")),
            list(&|it| format!("work_{it}, ")),
            list(&|it| format!("      work_{it}: tiller/v1/BenchWork\n")),
        );
        for (it, machine) in self.workers.iter().enumerate() {
            // A worker that fails or falls silent is started anew; its job goes to whoever is free.
            let _ = write!(
                text,
                "\n  - id: worker-{it}\n    path: {}\n{}    restart_policy: on-failure\n    max_restarts: 3\n    \
                 restart_delay: 0.5\n    health_check_timeout: 10.0\n    inputs:\n      heartbeat: \
                 dora/timer/millis/1000\n      work: {{ source: scheduler/work_{it}, {queue} }}\n    input_types:\n      \
                 work: tiller/v1/BenchWork\n    outputs: [report, status]\n    output_types:\n      report: \
                 tiller/v1/BenchReport\n      status: tiller/v1/Status\n",
                quoted(self.worker),
                deploy(*machine),
            );
        }
        text
    }
}

fn deploy(machine: Option<&Asked>) -> String {
    match machine {
        None => String::new(),
        Some(Asked::Label(key, value)) => {
            format!("    deploy:\n      labels:\n        \"{key}\": \"{value}\"\n")
        }
        Some(Asked::Id(id)) => format!("    deploy:\n      machine: \"{id}\"\n"),
    }
}

/// A path as YAML, which reads JSON's texts.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_is_wired_both_ways_and_placed() {
        let label = Asked::Label("gpu".to_owned(), "true".to_owned());
        let id = Asked::Id("lab-2".to_owned());
        let text = Dataflow {
            scheduler: Path::new("/opt/bench-scheduler"),
            here: None,
            socket: Path::new("/tmp/a \"b\"/link.sock"),
            worker: Path::new("/opt/bench-worker"),
            workers: vec![Some(&label), Some(&id)],
        }
        .text();
        for line in [
            "    path: \"/opt/bench-scheduler\"\n    health_check_timeout: 10.0\n",
            "      SOCKET: \"/tmp/a \\\"b\\\"/link.sock\"\n",
            "report_1: { source: worker-1/report, queue_size: 16, queue_policy: backpressure }\n",
            "    outputs: [work_0, work_1, status]\n",
            "      labels:\n        \"gpu\": \"true\"\n",
            "    deploy:\n      machine: \"lab-2\"\n",
            "work: { source: scheduler/work_1, queue_size: 16, queue_policy: backpressure }\n",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
