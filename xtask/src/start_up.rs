//! Whether a dataflow came up, by dora's log. dora waits for its nodes without a limit, and the Python process that hosts
//! an operator hangs now and then before it has registered (about one start in 160): in the opening of its zenoh session.

use std::collections::BTreeSet;

/// Seconds after which an operator's host that alone is missing will not come any more; it takes one or two.
pub(crate) const LIMIT_S: u64 = 30;

/// How far a dataflow has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StartUp {
    /// Nodes are being started, or one of them does not come.
    Waiting,
    /// All others are there, and these host operators.
    HostsMissing(Vec<String>),
    /// Every node that was started is there.
    Begun,
}

impl StartUp {
    /// Reads dora's log so far.
    pub(crate) fn read(log: &str) -> Self {
        let mut started = BTreeSet::new();
        let mut hosts = BTreeSet::new();
        let mut ready = BTreeSet::new();
        for line in log.lines() {
            // `02:06:48 INFO   stage-switcher: spawner spawning ...`
            let Some((head, event)) = line.split_once(": ") else {
                continue;
            };
            let Some(node) = head.split_whitespace().next_back() else {
                continue;
            };
            if event == "daemon::spawner spawning node" {
                started.insert(node);
            } else if event.starts_with("spawner spawning") && event.contains("/python` in") {
                hosts.insert(node);
            } else if event == "daemon node is ready" {
                ready.insert(node);
            }
        }
        let missing: BTreeSet<&str> = started.difference(&ready).copied().collect();
        if started.is_empty() || ready.is_empty() {
            Self::Waiting
        } else if missing.is_empty() {
            Self::Begun
        } else if missing.is_subset(&hosts) {
            Self::HostsMissing(missing.into_iter().map(str::to_owned).collect())
        } else {
            Self::Waiting
        }
    }
}
