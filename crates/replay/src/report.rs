//! What came of a replay.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many of a kind were recorded, and how many came out the same to the last bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Recorded ones.
    pub recorded: u64,
    /// Those that came out the same.
    pub same: u64,
}

/// The first event after which a machine answered otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its number in the journal, from 0.
    pub event: u64,
    /// The machine's clock, ns.
    pub now_ns: u64,
    /// What it was told, in a word, and what differed.
    pub what: String,
}

/// What came of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MachineReport {
    /// The node.
    pub node: String,
    /// The session of its start.
    pub session: u64,
    /// `sampler`, `switcher` or `actuator`.
    pub machine: &'static str,
    /// Events that it was told.
    pub events: u64,
    /// Events that it answered otherwise than recorded.
    pub differing: u64,
    /// The first of them.
    pub first_difference: Option<Difference>,
}

/// What came of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether everything that was decided came out the same, and nothing is missing.
    pub identical: bool,
    /// By kind: `plans`, `chunks`, `programs`, `stage_decisions`, `commands`, ...
    pub compared: BTreeMap<&'static str, Compared>,
    /// Machine by machine.
    pub machines: Vec<MachineReport>,
    /// What the recording lacks, or what could not be compared for other reasons.
    pub missing: Vec<String>,
    /// What is to be known when reading this.
    pub notes: Vec<String>,
}

impl Report {
    pub(crate) fn count(&mut self, kind: &'static str, is_same: bool) {
        let compared = self.compared.entry(kind).or_default();
        compared.recorded += 1;
        compared.same += u64::from(is_same);
    }

    /// Judges what was found.
    pub(crate) fn conclude(&mut self) {
        let all_same = self
            .compared
            .values()
            .all(|kind| kind.recorded == kind.same);
        let none_differs = self.machines.iter().all(|machine| machine.differing == 0);
        let is_any = |kind: &str| self.machines.iter().any(|machine| machine.machine == kind);
        for kind in ["sampler", "switcher", "actuator"] {
            if !is_any(kind) {
                self.missing.push(format!("a journal of the {kind}"));
            }
        }
        self.identical = all_same && none_differs && self.missing.is_empty();
    }
}
