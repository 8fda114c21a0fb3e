//! What came of a replay.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use tiller_core::visible;

/// What came of one thing that was made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The same to the last bit.
    Same,
    /// Not the same.
    Differs,
    /// What it was made from is not there.
    NotCompared,
}

impl From<bool> for Verdict {
    fn from(is_same: bool) -> Self {
        if is_same { Self::Same } else { Self::Differs }
    }
}

/// How many of a kind were recorded, and what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Recorded ones.
    pub recorded: u64,
    /// Those that came out the same to the last bit.
    pub same: u64,
    /// Those that did not.
    pub differing: u64,
    /// Those that could not be made again; [`Report::missing`] says for what.
    pub not_compared: u64,
}

/// What came of a reward program that its author wrote again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProgramReport {
    /// Its number.
    pub program: u64,
    /// Who wrote it.
    pub source: String,
    /// What for.
    pub instruction: String,
    /// Whether it came out the same.
    pub verdict: Verdict,
    /// In what it differs, or what is missing to write it again.
    pub why: Option<String>,
}

impl fmt::Display for ProgramReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, source) = (self.program, visible(&self.source));
        write!(f, "program {number} by `{source}`: ")?;
        let why = self.why.as_deref().unwrap_or_default();
        match self.verdict {
            Verdict::Same => f.write_str("written again, the same to the last bit"),
            Verdict::Differs => write!(f, "written again, NOT the same: {why}"),
            Verdict::NotCompared => write!(f, "not compared, for want of {why}"),
        }
    }
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
    /// `sampler`, `switcher`, `actuator` or `author`.
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
    /// By kind: `plans`, `chunks`, `programs` (written again), `programs_compiled`, `stage_decisions`, `commands`, ...
    pub compared: BTreeMap<&'static str, Compared>,
    /// Program by program.
    pub programs: Vec<ProgramReport>,
    /// Machine by machine.
    pub machines: Vec<MachineReport>,
    /// What the recording lacks, or what could not be compared for other reasons.
    pub missing: Vec<String>,
    /// What is to be known when reading this.
    pub notes: Vec<String>,
}

impl Report {
    pub(crate) fn count(&mut self, kind: &'static str, verdict: impl Into<Verdict>) {
        let compared = self.compared.entry(kind).or_default();
        compared.recorded += 1;
        *match verdict.into() {
            Verdict::Same => &mut compared.same,
            Verdict::Differs => &mut compared.differing,
            Verdict::NotCompared => &mut compared.not_compared,
        } += 1;
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
