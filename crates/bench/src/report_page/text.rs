//! The report in plain text, for a terminal and for tests.

use tiller_core::visible;

use super::model::Report;
use super::stats::rate;
use crate::Cell;
use tiller_core::wilson::interval;

/// `19/20, 95 % (76 to 99), 2 with collateral`
pub(super) fn rate_words(cell: Cell) -> String {
    if cell.trials == 0 {
        return "not run".to_owned();
    }
    let (low, high) = interval(cell.successes, cell.trials);
    let harmed = match cell.harmed {
        0 => String::new(),
        harmed => format!(", {harmed} with collateral"),
    };
    format!(
        "{}/{}, {:.0} % ({:.0} to {:.0}){harmed}",
        cell.successes,
        cell.trials,
        100.0 * rate(cell),
        100.0 * low,
        100.0 * high
    )
}

/// `4.2 x`; without a success of the unsteered policy there is no ratio.
pub(super) fn ratio_words(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1} x"))
}

impl Report {
    /// The headline only.
    pub(super) fn headline_text(&self) -> String {
        let rows = self.headline.iter().map(|row| {
            format!(
                "{} {}: steered {}; unsteered {}; ratio {}",
                visible(&row.policy),
                visible(&row.suite),
                rate_words(row.steered),
                rate_words(row.unsteered),
                ratio_words(row.ratio())
            )
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    /// Everything but times, plots and pictures.
    #[cfg(test)]
    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!(
            "{} episodes; {}",
            self.episodes,
            self.policies.join(", ")
        )];
        lines.extend(self.notes.iter().map(|note| format!("note: {note}")));
        lines.push(format!("\n# headline\n{}", self.headline_text()));
        lines.push("\n# tasks".to_owned());
        for row in &self.tasks {
            let rates = row
                .rates
                .iter()
                .map(|(method, cell)| format!("{method} {}", rate_words(*cell)));
            lines.push(format!(
                "{} {}: {}",
                row.policy,
                row.task,
                rates.collect::<Vec<_>>().join("; ")
            ));
        }
        lines.push("\n# methods".to_owned());
        for row in &self.methods {
            let difference = row.difference.map_or_else(String::new, |found| {
                format!(
                    "; {:+.1} points ({:+.1} to {:+.1}) over {} pairs, p {}",
                    100.0 * found.value,
                    100.0 * found.low,
                    100.0 * found.high,
                    row.pairs.trials(),
                    super::stats::p_value(row.pairs.exact_p())
                )
            });
            lines.push(format!(
                "{}{} {}: {}{difference}",
                row.policy,
                if row.scenes.is_empty() {
                    String::new()
                } else {
                    format!(" {}", row.scenes)
                },
                row.method,
                rate_words(row.rate)
            ));
        }
        lines.push("\n# out of distribution".to_owned());
        for curve in &self.curves {
            let rates = curve.rates.map(rate_words);
            lines.push(format!(
                "{} {} {}: {}",
                curve.policy,
                curve.axis,
                curve.method,
                rates.join(" | ")
            ));
        }
        lines.push("\n# failures".to_owned());
        for row in &self.causes {
            let counts = row
                .counts
                .iter()
                .map(|(cause, count)| format!("{cause} {count}"));
            lines.push(format!(
                "{} {} {} of {}: {}",
                row.policy,
                row.suite,
                row.method,
                row.episodes,
                counts.collect::<Vec<_>>().join(", ")
            ));
        }
        lines.push("\n# pictures".to_owned());
        for strip in &self.strips {
            let run = |run: &Option<super::strips::Run>| {
                run.as_ref().map_or_else(
                    || "none".to_owned(),
                    |run| {
                        format!(
                            "{} {} ({} pictures)",
                            run.seed,
                            run.words,
                            run.pictures.len()
                        )
                    },
                )
            };
            lines.push(format!(
                "{}: {}; {}",
                strip.task,
                run(&strip.success),
                run(&strip.failure)
            ));
        }
        lines.push("\n# origins".to_owned());
        for origin in &self.origins {
            lines.push(format!("{}: {} episodes", origin.file, origin.episodes));
            lines.extend(origin.commands.iter().map(|command| format!("  {command}")));
        }
        lines.join("\n")
    }
}
