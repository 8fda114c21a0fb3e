//! A run as a plain table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tiller_core::visible_line;

use super::{Hop, Live, Port};

/// Columns that names of outputs and hops take.
const NAMES: usize = 36;

/// Columns of text that a line's own name takes.
const ENTRY: usize = 10;

/// Width from which rows have all columns.
const WIDE: usize = 100;

/// Ages from which a view is old news, s.
const OLD_S: f64 = 3.0;

/// Draws a run as it stands, in lines of at most `columns` (60 or more) characters; `age_s` is how long ago it
/// was written. What is quoted is visible.
#[must_use]
pub fn draw(live: &Live, age_s: f64, columns: usize) -> String {
    let mut table = Table {
        columns: columns.max(60),
        text: String::new(),
    };
    table.head(live, age_s);
    table.task(live);
    table.arm(live);
    table.ports(&live.ports, live.ended.is_some());
    table.hops(&live.hops);
    table.text
}

struct Table {
    columns: usize,
    text: String,
}

impl Table {
    /// A line of our own words and numbers.
    fn line(&mut self, line: &str) {
        let line: String = line.chars().take(self.columns).collect();
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    /// A line that begins with its name, cut where it is too long.
    fn entry(&mut self, name: &str, text: &str) {
        let text = visible_line(text, self.columns - ENTRY - 1);
        self.line(&format!("{name:<ENTRY$}{text}"));
    }

    fn head(&mut self, live: &Live, age_s: f64) {
        let since = seconds(live.running_s);
        match &live.ended {
            Some(ended) => {
                self.entry("ENDED", &format!("{} ago, after {since}", seconds(age_s)));
                self.entry("outcome", &format!("{}: {}", ended.outcome, ended.reason));
            }
            None => {
                let silence = match age_s > OLD_S {
                    true => format!("; NO WORD FOR {}", seconds(age_s)),
                    false => String::new(),
                };
                self.entry("running", &format!("{since}{silence}"));
                let reason = match live.reason.as_str() {
                    "" => String::new(),
                    reason => format!(": {reason}"),
                };
                self.entry("outcome", &format!("{}{reason}", live.outcome));
            }
        }
    }

    fn task(&mut self, live: &Live) {
        let steered = if live.steered { "steered" } else { "unsteered" };
        let before = match live.episodes_over {
            0 => String::new(),
            over => format!("; before it {} of {over} succeeded", live.successes),
        };
        self.entry(
            "task",
            &format!(
                "\"{}\" ({}, {steered}, seed {}){before}",
                live.instruction, live.policy, live.seed
            ),
        );
        if let Some(stage) = &live.stage {
            let guidance = if stage.guidance { "on" } else { "off" };
            self.entry(
                "stage",
                &format!(
                    "{} of {}, visit {}, guidance {guidance}: {}",
                    stage.stage, stage.of, stage.visit, stage.name
                ),
            );
            self.entry("", &format!("{}: {}", stage.kind, stage.reason));
        }
        if let Some(progress) = &live.progress {
            self.entry(
                "progress",
                &format!(
                    "{:.2} achieved, {:.2} planned; reward {:.3}, guidance {:.2}, ESS {:.1}",
                    progress.achieved,
                    progress.planned,
                    progress.reward,
                    progress.guidance_strength,
                    progress.ess
                ),
            );
        }
        for (node, text) in &live.waiting_for {
            self.entry("waiting", &format!("{node}: {text}"));
        }
    }

    fn arm(&mut self, live: &Live) {
        let arm = &live.arm;
        let mode = if arm.mode.is_empty() {
            "says nothing"
        } else {
            &arm.mode
        };
        self.entry(
            "arm",
            &format!(
                "{mode}; {} chunks, {} holds ({:.1} s)",
                arm.chunks, arm.holds, arm.hold_s
            ),
        );
        self.entry(
            "control",
            &format!(
                "{} states, {} missing, longest interval {:.0} ms",
                arm.states, arm.missing, arm.longest_ms
            ),
        );
        if let Some(robot) = &live.robot {
            self.entry("robot", robot);
        }
        self.entry("safety", &counts(&live.safety.counts));
        if let Some(last) = &live.safety.last {
            let ago = seconds(last.age_s);
            self.entry("", &format!("{ago} ago: {}: {}", last.kind, last.text));
        }
        if !live.warnings.is_empty() {
            self.entry("warnings", &counts(&live.warnings));
        }
    }

    fn ports(&mut self, ports: &[Port], has_ended: bool) {
        let is_wide = self.columns >= WIDE;
        let more = if is_wide { "   count  refused" } else { "" };
        self.line("");
        self.line(&format!(
            "{:<NAMES$}{:>8}{:>9}{:>7}{more}",
            "OUTPUT", "Hz", "age s", "lost"
        ));
        for port in ports {
            let age = match port.age_s {
                Some(age_s) => format!("{age_s:.2}"),
                None => "-".to_owned(),
            };
            let more = match is_wide {
                true => format!("{:>8}{:>9}", port.count, port.refused),
                false => String::new(),
            };
            let mark = match port.age_s {
                None if !port.is_irregular => "  nothing yet",
                _ if port.is_silent() && !has_ended => "  SILENT",
                _ => "",
            };
            let name = visible_line(&port.name, NAMES - 1);
            self.line(&format!(
                "{name:<NAMES$}{:>8.1}{age:>9}{:>7}{more}{mark}",
                port.hz, port.lost
            ));
        }
    }

    fn hops(&mut self, hops: &[Hop]) {
        self.line("");
        self.line(&format!(
            "{:<NAMES$}{:>8}{:>9}{:>9}{:>8}",
            "LATENCY, ms", "p50", "p99", "longest", "count"
        ));
        for hop in hops {
            let name = visible_line(&hop.name, NAMES - 1);
            let number = |ms: f64| match hop.count {
                0 => "-".to_owned(),
                _ => format!("{ms:.1}"),
            };
            self.line(&format!(
                "{name:<NAMES$}{:>8}{:>9}{:>9}{:>8}",
                number(hop.p50_ms),
                number(hop.p99_ms),
                number(hop.longest_ms),
                hop.count
            ));
        }
    }
}

/// Most frequent first.
fn counts(counts: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let parts: Vec<_> = sorted
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    match parts.as_slice() {
        [] => "nothing".to_owned(),
        parts => parts.join(", "),
    }
}

/// A time, as exact as is of interest.
fn seconds(s: f64) -> String {
    match s {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} h", s / 3_600.0),
    }
}

#[cfg(test)]
mod tests;
