//! Counting and showing success.

use std::collections::BTreeMap;

use tiller_playtable::Task;

use super::suite::Suite;
use super::wilson::interval;
use super::{EpisodeLine, FREE_RUN};
use crate::episode::PhaseTimes;

/// Successes out of trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Episodes that achieved their task.
    pub successes: usize,
    /// Episodes.
    pub trials: usize,
}

impl Cell {
    fn add(&mut self, success: bool) {
        self.successes += usize::from(success);
        self.trials += 1;
    }

    fn plus(self, other: Self) -> Self {
        Self {
            successes: self.successes + other.successes,
            trials: self.trials + other.trials,
        }
    }

    /// `19/20   95 %  [76, 99]`
    fn text(self) -> String {
        if self.trials == 0 {
            return "-".to_owned();
        }
        let (low, high) = interval(self.successes, self.trials);
        let rate = 100.0 * self.successes as f64 / self.trials as f64;
        format!(
            "{:>3}/{:<3} {rate:>4.0} %  [{:>2.0}, {:>3.0}]",
            self.successes,
            self.trials,
            100.0 * low,
            100.0 * high
        )
    }
}

/// All results so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By task and whether steered.
    cells: BTreeMap<(String, bool), Cell>,
    /// Tasks completed in free runs, with the number of runs that completed them.
    completed: BTreeMap<String, usize>,
    episodes: usize,
    steps: usize,
    chunks: usize,
    time: PhaseTimes,
}

impl Tally {
    /// Counts an episode.
    pub fn add(&mut self, line: &EpisodeLine) {
        let result = &line.result;
        self.cells
            .entry((line.task.clone(), line.steered))
            .or_default()
            .add(result.success);
        if line.task == FREE_RUN {
            for task in &result.completed {
                *self.completed.entry(task.clone()).or_default() += 1;
            }
        }
        self.episodes += 1;
        self.steps += result.steps;
        self.chunks += result.chunks;
        self.time.add(&result.time);
    }

    /// Successes of a task, steered or not.
    #[must_use]
    pub fn cell(&self, task: &str, steered: bool) -> Cell {
        self.cells
            .get(&(task.to_owned(), steered))
            .copied()
            .unwrap_or_default()
    }

    fn suite(&self, suite: Suite, steered: bool) -> Cell {
        let cells = suite
            .tasks()
            .into_iter()
            .map(|task| self.cell(task.name(), steered));
        cells.fold(Cell::default(), Cell::plus)
    }

    /// One line on how things stand.
    #[must_use]
    pub fn running(&self) -> String {
        let way = |steered, name: &str| {
            let cell = self.suite(Suite::All, steered);
            let rate = 100 * cell.successes / cell.trials.max(1);
            (cell.trials > 0).then(|| format!("{name} {rate} % of {}", cell.trials))
        };
        let free = self.cell(FREE_RUN, false);
        let free = (free.trials > 0).then(|| {
            let share = 100 * free.successes / free.trials;
            format!(
                "free {share} % of {}, {} tasks",
                free.trials,
                self.completed.len()
            )
        });
        let parts = [way(true, "steered"), way(false, "unsteered"), free];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The table: a row for each task and suite, with 95 % intervals.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        let tasks: Vec<&str> = Task::ALL
            .iter()
            .map(|task| task.name())
            .filter(|name| {
                [true, false]
                    .iter()
                    .any(|way| self.cell(name, *way).trials > 0)
            })
            .collect();
        if !tasks.is_empty() {
            lines.push(format!("{:<14}{:<26}{}", "task", "steered", "unsteered"));
            for name in &tasks {
                lines.push(row(name, [true, false].map(|way| self.cell(name, way))));
            }
            for suite in [Suite::Articulated, Suite::Movable, Suite::All] {
                let cells = [true, false].map(|way| self.suite(suite, way));
                // A sum over a single task would only repeat its row.
                if tasks.len() > 1 && cells.iter().any(|cell| cell.trials > 0) {
                    lines.push(row(suite.name(), cells));
                }
            }
        }
        let free = self.cell(FREE_RUN, false);
        if free.trials > 0 {
            lines.push(format!(
                "free runs that completed a task: {}",
                free.text().trim()
            ));
            lines.push(format!(
                "different tasks completed: {}",
                self.completed.len()
            ));
            let counts = self
                .completed
                .iter()
                .map(|(task, runs)| format!("{task} {runs}"));
            lines.push(format!("  {}", counts.collect::<Vec<_>>().join(", ")));
        }
        lines.push(self.times());
        lines.join("\n")
    }

    fn times(&self) -> String {
        let n = self.episodes.max(1) as f64;
        let time = &self.time;
        let parts = [
            ("simulation", time.simulate_s),
            ("rendering", time.render_s),
            ("keypoints", time.ground_s),
            ("author", time.author_s),
            ("encoder", time.encode_s),
            ("policy", time.denoise_s),
            ("steering", time.plan_s - time.denoise_s),
            ("stages", time.stage_s),
        ];
        let share = |(name, spent): (&str, f64)| {
            format!("{name} {:.0} %", 100.0 * spent / time.wall_s.max(1e-9))
        };
        format!(
            "an episode: {:.1} s of one core, {:.1} s simulated, {:.1} chunks ({})",
            time.wall_s / n,
            self.steps as f64 / 10.0 / n,
            self.chunks as f64 / n,
            parts.map(share).join(", ")
        )
    }
}

fn row(name: &str, [steered, unsteered]: [Cell; 2]) -> String {
    format!("{name:<14}{:<26}{}", steered.text(), unsteered.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::EpisodeResult;

    fn line(task: &str, steered: bool, success: bool, completed: &[&str]) -> EpisodeLine {
        EpisodeLine {
            task: task.to_owned(),
            suite: String::new(),
            seed: 0,
            steered,
            policy: "flow".to_owned(),
            provider: "cpu".to_owned(),
            result: EpisodeResult {
                success,
                completed: completed.iter().map(|&name| name.to_owned()).collect(),
                steps: 50,
                chunks: 7,
                ..EpisodeResult::default()
            },
        }
    }

    #[test]
    fn rows_count_tasks_and_suites() {
        let mut tally = Tally::default();
        for i in 0..20 {
            tally.add(&line("drawer_open", true, i != 0, &[]));
            tally.add(&line("drawer_open", false, i == 0, &[]));
            tally.add(&line("push_red", true, true, &[]));
        }
        let text = tally.text();
        let row = |name: &str| {
            text.lines()
                .find(|line| line.starts_with(name))
                .unwrap()
                .to_owned()
        };
        assert!(
            row("drawer_open").contains("19/20    95 %  [76,  99]"),
            "{text}"
        );
        assert!(
            row("drawer_open").contains("1/20     5 %  [ 1,  24]"),
            "{text}"
        );
        assert!(row("push_red").ends_with('-'), "{text}");
        assert!(row("all").contains("39/40"), "{text}");
        assert!(text.contains("5.0 s simulated, 7.0 chunks"), "{text}");
        assert_eq!(tally.running(), "steered 97 % of 40, unsteered 5 % of 20");
    }

    #[test]
    fn free_runs_count_different_tasks() {
        let mut tally = Tally::default();
        tally.add(&line(FREE_RUN, false, true, &["push_red", "door_left"]));
        tally.add(&line(FREE_RUN, false, true, &["push_red"]));
        tally.add(&line(FREE_RUN, false, false, &[]));
        let text = tally.text();
        assert!(text.contains("completed a task: 2/3"), "{text}");
        assert!(text.contains("different tasks completed: 2"), "{text}");
        assert!(text.contains("door_left 1, push_red 2"), "{text}");
    }
}
