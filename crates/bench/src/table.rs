//! Counting and showing success.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tiller_core::visible;
use tiller_world::{HARD, Suite, Variation, WorldInfo, WorldKind};

use crate::episode::PhaseTimes;
use crate::{EpisodeLine, FREE_RUN, Method};
use tiller_core::wilson::interval;

/// Methods side by side in a table: as many as fit a wide terminal.
const COLUMNS: usize = 4;
/// Columns of a cell, with the space before the next one.
const CELL: usize = 30;
/// What stands below a table with collateral.
const HARMED: &str = "+N: in N of these episodes something beside the task was moved, or something forbidden touched";
/// Least columns of a name.
const MIN_NAME: usize = 14;

/// Successes out of trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Episodes that achieved their task.
    pub successes: usize,
    /// Episodes.
    pub trials: usize,
    /// Episodes in which something beside the task was moved, or something forbidden was touched.
    pub harmed: usize,
}

impl Cell {
    fn add(&mut self, success: bool, harmed: bool) {
        self.successes += usize::from(success);
        self.trials += 1;
        self.harmed += usize::from(harmed);
    }

    fn plus(self, other: Self) -> Self {
        Self {
            successes: self.successes + other.successes,
            trials: self.trials + other.trials,
            harmed: self.harmed + other.harmed,
        }
    }

    /// `19/20   95 %  [76, 99] +2`, the last part where there was collateral.
    fn text(self) -> String {
        if self.trials == 0 {
            return "-".to_owned();
        }
        let (low, high) = interval(self.successes, self.trials);
        let rate = 100.0 * self.successes as f64 / self.trials as f64;
        let harmed = match self.harmed {
            0 => String::new(),
            harmed => format!(" +{harmed}"),
        };
        format!(
            "{:>3}/{:<3} {rate:>4.0} %  [{:>2.0}, {:>3.0}]{harmed}",
            self.successes,
            self.trials,
            100.0 * low,
            100.0 * high
        )
    }
}

/// All results so far.
#[derive(Clone, Debug)]
pub struct Tally {
    kind: Arc<dyn WorldKind>,
    /// By variation, task and method.
    cells: BTreeMap<(Option<Variation>, String, String), Cell>,
    /// Tasks completed in free runs, with the number of runs that completed them.
    completed: BTreeMap<String, usize>,
    episodes: usize,
    steps: usize,
    chunks: usize,
    time: PhaseTimes,
    cpu_s: f64,
    /// Episodes that were asked for but not run.
    pub unfinished: usize,
}

impl Tally {
    /// No results yet, of episodes in this world.
    #[must_use]
    pub fn new(kind: Arc<dyn WorldKind>) -> Self {
        Self {
            kind,
            cells: BTreeMap::new(),
            completed: BTreeMap::new(),
            episodes: 0,
            steps: 0,
            chunks: 0,
            time: PhaseTimes::default(),
            cpu_s: 0.0,
            unfinished: 0,
        }
    }

    fn info(&self) -> &WorldInfo {
        self.kind.info()
    }

    /// Counts an episode.
    pub fn add(&mut self, line: &EpisodeLine) {
        let result = &line.result;
        let key = (
            line.variation.clone(),
            line.task.clone(),
            line.method.clone(),
        );
        self.cells
            .entry(key)
            .or_default()
            .add(result.success, !result.collateral.is_empty());
        if line.task == FREE_RUN {
            for task in &result.completed {
                *self.completed.entry(task.clone()).or_default() += 1;
            }
        }
        self.episodes += 1;
        self.steps += result.steps;
        self.chunks += result.chunks;
        self.time.add(&result.time);
        self.cpu_s += result.cpu_s;
    }

    /// Successes of a task with a method, in scenes that depart so.
    #[must_use]
    pub fn cell(&self, variation: Option<&Variation>, task: &str, method: &str) -> Cell {
        let key = (variation.cloned(), task.to_owned(), method.to_owned());
        self.cells.get(&key).copied().unwrap_or_default()
    }

    /// Successes in a suite's tasks with a method, in scenes that depart so.
    #[must_use]
    pub fn suite(&self, variation: Option<&Variation>, suite: &Suite, method: &str) -> Cell {
        let cells = suite
            .tasks
            .iter()
            .map(|task| self.cell(variation, task, method));
        cells.fold(Cell::default(), Cell::plus)
    }

    /// The methods that there are results of, with all their episodes; free runs left out.
    fn methods(&self) -> Vec<(String, Cell)> {
        let all = |name: &str| {
            let cells = self
                .cells
                .iter()
                .filter(|((_, task, method), _)| method == name && task != FREE_RUN);
            cells.fold(Cell::default(), |sum, (_, cell)| sum.plus(*cell))
        };
        let names = Method::ALL.iter().map(ToString::to_string);
        names
            .map(|name| (name.clone(), all(&name)))
            .filter(|(_, cell)| cell.trials > 0)
            .collect()
    }

    fn free(&self) -> Cell {
        self.cell(None, FREE_RUN, &Method::Unsteered.to_string())
    }

    /// The departures that there are results of.
    fn variations(&self) -> BTreeSet<&Variation> {
        self.cells.keys().filter_map(|key| key.0.as_ref()).collect()
    }

    /// One line on how things stand.
    #[must_use]
    pub fn running(&self) -> String {
        let mut parts: Vec<String> = self
            .methods()
            .iter()
            .map(|(name, cell)| {
                let rate = 100 * cell.successes / cell.trials;
                format!("{name} {rate} % of {}", cell.trials)
            })
            .collect();
        let free = self.free();
        if let Some(share) = (100 * free.successes).checked_div(free.trials) {
            let different = self.completed.len();
            parts.push(format!(
                "free {share} % of {}, {different} tasks",
                free.trials
            ));
        }
        parts.join(", ")
    }

    /// The table: a row for each task and suite, or for each suite and departure, and a column for
    /// each method, with 95 % intervals.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        let methods: Vec<String> = self.methods().into_iter().map(|(name, _)| name).collect();
        for methods in methods.chunks(COLUMNS) {
            lines.extend(self.rows(methods));
            lines.extend(self.varied_rows(methods));
            lines.push(String::new());
        }
        let free = self.free();
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
        if self.cells.values().any(|cell| cell.harmed > 0) {
            lines.push(HARMED.to_owned());
        }
        lines.push(self.times());
        lines.join("\n")
    }

    /// The world's tasks in its own order, then others that there are results of.
    fn tasks(&self) -> Vec<&str> {
        let listed = self.info().tasks.iter().map(|task| task.id.as_str());
        let mut tasks: Vec<&str> = listed.collect();
        for (variation, task, _) in self.cells.keys() {
            if variation.is_none() && task != FREE_RUN && !tasks.contains(&task.as_str()) {
                tasks.push(task);
            }
        }
        tasks
    }

    fn plain_suites(&self) -> impl Iterator<Item = Suite> {
        self.info().suites().into_iter().filter(Suite::is_plain)
    }

    /// The suites of whose tasks the rows of a departure are: those that have it, or the plain ones.
    fn suites_of(&self, variation: &Variation) -> Vec<Suite> {
        let suites = self.info().suites().into_iter();
        let is_of = |suite: &Suite| match variation.axis == HARD {
            true => suite.variations.contains(variation),
            false => suite.is_plain(),
        };
        suites.filter(is_of).collect()
    }

    fn rows(&self, methods: &[String]) -> Vec<String> {
        let (width, mut lines) = (self.name_width(), Vec::new());
        let mut tasks = 0;
        for task in self.tasks() {
            let cells: Vec<Cell> = methods
                .iter()
                .map(|name| self.cell(None, task, name))
                .collect();
            if cells.iter().any(|cell| cell.trials > 0) {
                if tasks == 0 {
                    lines.push(row(width, "task", methods.iter().cloned()));
                }
                tasks += 1;
                lines.push(row(width, task, cells.into_iter().map(Cell::text)));
            }
        }
        for suite in self.plain_suites() {
            let cells: Vec<Cell> = methods
                .iter()
                .map(|name| self.suite(None, &suite, name))
                .collect();
            // A sum over a single task would only repeat its row.
            if tasks > 1 && cells.iter().any(|cell| cell.trials > 0) {
                lines.push(row(width, &suite.name, cells.into_iter().map(Cell::text)));
            }
        }
        lines
    }

    fn varied_rows(&self, methods: &[String]) -> Vec<String> {
        let (width, mut lines) = (self.name_width(), Vec::new());
        for variation in self.variations() {
            lines.push(row(
                width,
                &format!("{} {}", variation.axis, variation.strength),
                methods.iter().cloned(),
            ));
            for suite in self.suites_of(variation) {
                let cells: Vec<Cell> = methods
                    .iter()
                    .map(|name| self.suite(Some(variation), &suite, name))
                    .collect();
                let is_measured = cells.iter().any(|cell| cell.trials > 0);
                if is_measured || variation.axis != HARD {
                    let cells = cells.into_iter().map(Cell::text);
                    lines.push(row(width, &format!("  {}", suite.name), cells));
                }
            }
        }
        lines
    }

    /// Columns that the names take.
    fn name_width(&self) -> usize {
        let names = self
            .tasks()
            .into_iter()
            .map(|task| visible(task).chars().count());
        names.max().unwrap_or(0).max(MIN_NAME) + 1
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
            format!("{name} {:.1} %", 100.0 * spent / time.wall_s.max(1e-9))
        };
        format!(
            "an episode: {:.1} s ({:.1} s of processor on its thread), {:.1} s simulated, {:.1} chunks ({})",
            time.wall_s / n,
            self.cpu_s / n,
            self.steps as f64 / 10.0 / n,
            self.chunks as f64 / n,
            parts.map(share).join(", ")
        )
    }
}

fn row(width: usize, name: &str, cells: impl Iterator<Item = String>) -> String {
    let mut line = format!("{:<width$}", visible(name));
    for cell in cells {
        line.push_str(&format!("{cell:<CELL$}"));
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::episode::EpisodeResult;
    use crate::{Handicap, Settings, SightSettings, Tuned};

    fn tally() -> Tally {
        Tally::new(Arc::new(tiller_playtable::kind()))
    }

    pub(crate) fn line(task: &str, method: &str, success: bool) -> EpisodeLine {
        EpisodeLine {
            task: task.to_owned(),
            suite: String::new(),
            variation: None,
            seed: 0,
            method: method.to_owned(),
            steered: method != "unsteered",
            instruction: None,
            policy: "flow".to_owned(),
            provider: "cpu".to_owned(),
            failure: None,
            pictures: None,
            result: EpisodeResult {
                success,
                steps: 50,
                chunks: 7,
                ..EpisodeResult::default()
            },
            settings: Settings {
                world: "playtable".to_owned(),
                policy: "flow".to_owned(),
                policy_sha256: "00".to_owned(),
                provider: "cpu".to_owned(),
                max_steps: 400,
                guide: None,
                handicap: Handicap::default(),
                sight: SightSettings::default(),
                programs_sha256: None,
                tuned: Tuned::shipped().unwrap(),
            },
        }
    }

    fn row_of(text: &str, name: &str) -> String {
        let row = text.lines().find(|line| line.starts_with(name));
        row.unwrap_or_else(|| panic!("{name} is missing in\n{text}"))
            .to_owned()
    }

    #[test]
    fn rows_count_tasks_and_suites() {
        let mut tally = tally();
        for i in 0..20 {
            tally.add(&line("drawer_open", "full", i != 0));
            tally.add(&line("drawer_open", "unsteered", i == 0));
            tally.add(&line("push_red", "full", true));
        }
        let text = tally.text();
        let row = |name: &str| row_of(&text, name);
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
        assert_eq!(tally.running(), "full 97 % of 40, unsteered 5 % of 20");
    }

    #[test]
    fn columns_stand_below_each_other_however_long_a_name_is() {
        let mut tally = tally();
        for task in ["push_red", "push_red_and_nothing_but_red"] {
            tally.add(&line(task, "full", true));
        }
        let text = tally.text();
        let lines = text.lines().filter(|line| line.starts_with("push_red"));
        let starts: Vec<_> = lines.map(|line| line.find("1/1 ")).collect();
        assert_eq!(starts.len(), 2, "{text}");
        assert!(starts[0].is_some() && starts[0] == starts[1], "{text}");
    }

    #[test]
    fn every_method_has_its_column() {
        let mut tally = tally();
        for (i, method) in Method::ALL.iter().enumerate() {
            for episode in 0..25 {
                tally.add(&line("drawer_open", &method.to_string(), episode <= i));
            }
        }
        let text = tally.text();
        let mut found = Vec::new();
        let mut lines = text.lines();
        while let Some(head) = lines.next() {
            if let Some(methods) = head.strip_prefix("task ") {
                let cells = lines.next().unwrap().strip_prefix("drawer_open").unwrap();
                let cells = cells.split_inclusive(']').map(str::trim);
                found.extend(methods.split_whitespace().zip(cells));
            }
        }
        assert_eq!(found.len(), Method::ALL.len(), "{text}");
        for (i, (method, (name, cell))) in Method::ALL.iter().zip(found).enumerate() {
            assert_eq!(name, method.to_string());
            assert!(cell.starts_with(&format!("{}/25 ", i + 1)), "{cell}");
        }
    }

    #[test]
    fn departures_are_counted_apart() {
        let mut tally = tally();
        for i in 0..20 {
            tally.add(&line("push_red", "full", true));
            for strength in [1, 3] {
                let mut line = line("push_red", "full", i % strength == 0);
                line.variation = Some(Variation {
                    axis: "scene".to_owned(),
                    strength: strength as u8,
                });
                tally.add(&line);
            }
        }
        let text = tally.text();
        assert!(
            row_of(&text, "push_red").contains("20/20   100 %"),
            "{text}"
        );
        let rows: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("movable"))
            .collect();
        let [mild, strong] = rows[..] else {
            panic!("{text}");
        };
        assert!(mild.contains("20/20   100 %"), "{text}");
        assert!(strong.contains("7/20    35 %"), "{text}");
        assert!(row_of(&text, "scene 3").ends_with("full"), "{text}");
        assert_eq!(tally.running(), "full 78 % of 60");
    }

    #[test]
    fn free_runs_count_different_tasks() {
        let mut tally = tally();
        let free: [&[&str]; 3] = [&["push_red", "door_left"], &["push_red"], &[]];
        for completed in free {
            let mut line = line(FREE_RUN, "unsteered", !completed.is_empty());
            line.result.completed = completed.iter().map(|&name| name.to_owned()).collect();
            tally.add(&line);
        }
        let text = tally.text();
        assert!(text.contains("completed a task: 2/3"), "{text}");
        assert!(text.contains("different tasks completed: 2"), "{text}");
        assert!(text.contains("door_left 1, push_red 2"), "{text}");
        assert!(!text.contains("task  "), "{text}");
    }
}
