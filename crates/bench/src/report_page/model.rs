//! What the page says, without how it looks.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::cost::{Cost, Latency, costs, latencies};
use super::input::{Episode, Input};
use super::origin::{Origin, origins};
use super::stats::{Difference, Pairs, cell, rate};
use super::strips::{Strip, strips};
use crate::{Cell, FREE_RUN, Method, Subjects};
use tiller_world::HARD;

/// Strengths of a variation, with 0 for scenes like those of training.
pub(super) const STRENGTHS: usize = 4;
/// Ways in which scenes depart from training, in the order of the page.
/// The method with which all others are compared.
pub(super) const FULL: &str = "full";
/// The policy left alone.
pub(super) const UNSTEERED: &str = "unsteered";

/// All that the page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Report {
    pub(super) episodes: usize,
    pub(super) policies: Vec<String>,
    /// What was left out or does not fit together, a sentence each.
    pub(super) notes: Vec<String>,
    pub(super) headline: Vec<Headline>,
    pub(super) tasks: Vec<TaskRates>,
    pub(super) methods: Vec<Comparison>,
    pub(super) curves: Vec<Curve>,
    pub(super) causes: Vec<Causes>,
    pub(super) latencies: Vec<Latency>,
    pub(super) costs: Vec<Cost>,
    pub(super) strips: Vec<Strip>,
    pub(super) origins: Vec<Origin>,
}

/// A policy in a suite, steered and left alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Headline {
    pub(super) policy: String,
    pub(super) suite: String,
    pub(super) steered: Cell,
    pub(super) unsteered: Cell,
}

/// A task with every method that is no ablation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TaskRates {
    pub(super) policy: String,
    pub(super) task: String,
    pub(super) rates: Vec<(String, Cell)>,
}

/// A method beside the full one, on the scenes that both have run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comparison {
    pub(super) policy: String,
    /// Scenes like those of training are one, without a name; each hard suite at each strength is one by itself.
    pub(super) scenes: String,
    pub(super) method: String,
    /// On all its scenes.
    pub(super) rate: Cell,
    pub(super) pairs: Pairs,
    /// None without pairs, and for the full method itself.
    pub(super) difference: Option<Difference>,
}

/// Success of a method as the scenes depart from training.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Curve {
    pub(super) policy: String,
    pub(super) axis: String,
    pub(super) method: String,
    /// By strength. Strength 0 counts the same tasks in scenes like those of training.
    pub(super) rates: [Cell; STRENGTHS],
}

/// Why a method failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Causes {
    pub(super) policy: String,
    pub(super) method: String,
    /// `all` for scenes like those of training, else the suite.
    pub(super) suite: String,
    pub(super) episodes: usize,
    /// Most frequent first.
    pub(super) counts: Vec<(String, usize)>,
}

impl Headline {
    /// How many times as often the steered policy succeeds; none when the other never does.
    pub(super) fn ratio(&self) -> Option<f64> {
        let (steered, unsteered) = (rate(self.steered), rate(self.unsteered));
        (unsteered > 0.0 && self.steered.trials > 0).then(|| steered / unsteered)
    }
}

impl Report {
    pub(super) fn of(input: Input, worlds: &Subjects) -> Self {
        let Input {
            mut episodes,
            sources,
            mut notes,
        } = input;
        tell_apart(&mut episodes, &mut notes);
        let lines = episodes.len();
        episodes.retain(|episode| episode.task != FREE_RUN);
        if episodes.len() < lines {
            let free = lines - episodes.len();
            notes.push(format!("{free} free runs have no task and are left out"));
        }
        let beyond = |episode: &Episode| {
            let variation = episode.variation.as_ref();
            variation.is_some_and(|found| !(1..STRENGTHS).contains(&usize::from(found.strength)))
        };
        let count = episodes.len();
        episodes.retain(|episode| !beyond(episode));
        if episodes.len() < count {
            notes.push(format!(
                "{} episodes are left out: expected variations of strength 1 to 3",
                count - episodes.len()
            ));
        }
        // Each file's command must give all of its lines.
        let origins = origins(&episodes, &sources, worlds);
        once_each(&mut episodes, &mut notes);
        let policies: BTreeSet<String> = episodes
            .iter()
            .map(|episode| episode.policy.clone())
            .collect();
        let strips = strips(&episodes, &mut notes);
        Self {
            episodes: episodes.len(),
            headline: headlines(&episodes),
            tasks: task_rates(&episodes, worlds),
            methods: comparisons(&episodes),
            curves: curves(&episodes, worlds),
            causes: causes(&episodes),
            latencies: latencies(&episodes),
            costs: costs(&episodes),
            origins,
            policies: policies.into_iter().collect(),
            strips,
            notes,
        }
    }
}

/// Files may hold the same episode twice, such as the full method's in baselines and ablations.
fn once_each(episodes: &mut Vec<Episode>, notes: &mut Vec<String>) {
    let before = episodes.len();
    let mut outcomes = BTreeMap::new();
    let mut differ = 0;
    episodes.retain(|episode| {
        let variation = episode.variation.as_ref();
        let key = (
            episode.policy.clone(),
            episode.provider.clone(),
            episode.suite.clone(),
            variation.map(|variation| (variation.axis.clone(), variation.strength)),
            episode.task.clone(),
            episode.seed,
            episode.method.clone(),
        );
        match outcomes.entry(key) {
            Entry::Vacant(place) => {
                place.insert(episode.success);
                true
            }
            Entry::Occupied(first) => {
                differ += usize::from(*first.get() != episode.success);
                false
            }
        }
    });
    let twice = before - episodes.len();
    if twice > 0 {
        let differ = match differ {
            0 => "with the same outcome".to_owned(),
            count => format!("{count} of them with another outcome"),
        };
        notes.push(format!(
            "{twice} lines repeat an episode, {differ}; the first of each counts"
        ));
    }
}

/// Gives different bundles of one name different names, and says where parameters differ.
fn tell_apart(episodes: &mut [Episode], notes: &mut Vec<String>) {
    let mut hashes: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    for episode in episodes.iter() {
        hashes
            .entry(episode.policy.clone())
            .or_default()
            .insert(episode.policy_sha256.clone());
    }
    for episode in episodes.iter_mut() {
        if hashes
            .get(&episode.policy)
            .is_some_and(|found| found.len() > 1)
        {
            let hash = episode.policy_sha256.as_deref().unwrap_or("hash unknown");
            let short: String = hash.chars().take(12).collect();
            episode.policy = format!("{} ({short})", episode.policy);
        }
    }
    let mut settings: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for episode in episodes.iter() {
        if let Some(value) = &episode.settings {
            settings
                .entry(&episode.policy)
                .or_default()
                .insert(value.to_string());
        }
    }
    for (policy, found) in settings {
        if found.len() > 1 {
            notes.push(format!(
                "{policy}: the files were made with {} different settings, which are counted together",
                found.len()
            ));
        }
    }
}

/// Policies and methods in the order of the tables.
pub(super) fn groups<'a>(
    episodes: impl Iterator<Item = &'a Episode>,
) -> Vec<(String, String, Vec<&'a Episode>)> {
    let mut groups: BTreeMap<(String, usize, String), Vec<&Episode>> = BTreeMap::new();
    for episode in episodes {
        let method = episode.method.clone();
        groups
            .entry((episode.policy.clone(), method_rank(&method), method))
            .or_default()
            .push(episode);
    }
    groups
        .into_iter()
        .map(|((policy, _, method), episodes)| (policy, method, episodes))
        .collect()
}

/// The benchmark's own order; unknown methods come last.
pub(super) fn method_rank(name: &str) -> usize {
    let known = Method::ALL
        .iter()
        .position(|method| method.to_string() == name);
    known.unwrap_or(Method::ALL.len())
}

fn is_ablation(name: &str) -> bool {
    name != FULL
        && Method::ablations()
            .iter()
            .any(|method| method.to_string() == name)
}

/// Place of a task in the order of the worlds.
fn task_rank(worlds: &Subjects, id: &str) -> usize {
    let infos = worlds.all().iter().map(|subject| subject.kind.info());
    let mut ids = infos.flat_map(|info| info.tasks.iter().map(|task| task.id.as_str()));
    ids.position(|known| known == id).unwrap_or(usize::MAX)
}

/// Place of an axis in the order of the worlds.
fn axis_rank(worlds: &Subjects, name: &str) -> usize {
    let infos = worlds.all().iter().map(|subject| subject.kind.info());
    let mut names = infos.flat_map(|info| info.axes.iter().map(|axis| axis.name));
    names.position(|known| known == name).unwrap_or(usize::MAX)
}

fn headlines(episodes: &[Episode]) -> Vec<Headline> {
    let mut cells: BTreeMap<(&str, &str), [Vec<&Episode>; 2]> = BTreeMap::new();
    for episode in episodes.iter().filter(|episode| episode.is_plain()) {
        let way = match episode.method.as_str() {
            FULL => 0,
            UNSTEERED => 1,
            _ => continue,
        };
        let key = (episode.policy.as_str(), episode.suite.as_str());
        cells.entry(key).or_default()[way].push(episode);
    }
    let mut rows: Vec<Headline> = Vec::new();
    let policies: BTreeSet<&str> = cells.keys().map(|(policy, _)| *policy).collect();
    for policy in policies {
        let first = rows.len();
        for ((_, suite), ways) in cells.iter().filter(|((owner, _), _)| *owner == policy) {
            let [steered, unsteered] = ways.each_ref().map(|way| cell(way.iter().copied()));
            rows.push(Headline {
                policy: policy.to_owned(),
                suite: (*suite).to_owned(),
                steered,
                unsteered,
            });
        }
        // A sum over one suite would only repeat its row.
        if rows.len() > first + 1 {
            let sum = |way: fn(&Headline) -> Cell| {
                rows[first..].iter().map(way).fold(Cell::default(), plus)
            };
            let (steered, unsteered) = (sum(|row| row.steered), sum(|row| row.unsteered));
            rows.push(Headline {
                policy: policy.to_owned(),
                suite: "all".to_owned(),
                steered,
                unsteered,
            });
        }
    }
    rows
}

fn plus(a: Cell, b: Cell) -> Cell {
    Cell {
        successes: a.successes + b.successes,
        trials: a.trials + b.trials,
        harmed: a.harmed + b.harmed,
    }
}

fn task_rates(episodes: &[Episode], worlds: &Subjects) -> Vec<TaskRates> {
    let mut rows: BTreeMap<(String, usize, String), Vec<(String, Cell)>> = BTreeMap::new();
    let plain = episodes
        .iter()
        .filter(|episode| episode.is_plain() && !is_ablation(&episode.method));
    for (policy, method, group) in groups(plain) {
        let tasks: BTreeSet<&str> = group.iter().map(|episode| episode.task.as_str()).collect();
        for task in tasks {
            let of_task = group.iter().filter(|episode| episode.task == task);
            rows.entry((policy.clone(), task_rank(worlds, task), task.to_owned()))
                .or_default()
                .push((method.clone(), cell(of_task.copied())));
        }
    }
    rows.into_iter()
        .map(|((policy, _, task), rates)| TaskRates {
            policy,
            task,
            rates,
        })
        .collect()
}

fn comparisons(episodes: &[Episode]) -> Vec<Comparison> {
    let mut scenes: BTreeMap<String, Vec<&Episode>> = BTreeMap::new();
    for episode in episodes {
        let name = match &episode.variation {
            Some(variation) if variation.axis == HARD => {
                format!("{} {}", episode.suite, variation.strength)
            }
            _ if episode.is_plain() => String::new(),
            _ => continue,
        };
        scenes.entry(name).or_default().push(episode);
    }
    let compared = scenes
        .iter()
        .map(|(name, episodes)| comparisons_in(name, episodes));
    compared.flatten().collect()
}

fn comparisons_in(scenes: &str, episodes: &[&Episode]) -> Vec<Comparison> {
    let full: BTreeMap<_, bool> = episodes
        .iter()
        .filter(|episode| episode.method == FULL)
        .map(|episode| (episode.scene(), episode.success))
        .collect();
    groups(episodes.iter().copied())
        .into_iter()
        .map(|(policy, method, group)| {
            let mut pairs = Pairs::default();
            for episode in group.iter().filter(|_| method != FULL) {
                if let Some(success) = full.get(&episode.scene()) {
                    pairs.add(episode.success, *success);
                }
            }
            Comparison {
                policy,
                scenes: scenes.to_owned(),
                rate: cell(group.iter().copied()),
                difference: pairs.difference(),
                method,
                pairs,
            }
        })
        .collect()
}

fn curves(episodes: &[Episode], worlds: &Subjects) -> Vec<Curve> {
    let mut tasks: BTreeMap<(&str, usize, &str), BTreeSet<&str>> = BTreeMap::new();
    for episode in episodes {
        if let Some(variation) = &episode.variation {
            let axis = variation.axis.as_str();
            let rank = axis_rank(worlds, axis);
            let key = (episode.policy.as_str(), rank, axis);
            tasks.entry(key).or_default().insert(&episode.task);
        }
    }
    let mut curves = Vec::new();
    for ((policy, _, axis), tasks) in tasks {
        let of_axis = episodes.iter().filter(|episode| {
            episode.policy == policy
                && tasks.contains(episode.task.as_str())
                && match &episode.variation {
                    Some(variation) => variation.axis == axis,
                    None => episode.is_plain(),
                }
        });
        for (_, method, group) in groups(of_axis) {
            let rates: [Cell; STRENGTHS] = std::array::from_fn(|strength| {
                let at = group.iter().filter(|episode| {
                    let variation = episode.variation.as_ref();
                    variation.map_or(0, |variation| usize::from(variation.strength)) == strength
                });
                cell(at.copied())
            });
            // A method that ran on plain scenes only has no curve.
            if rates[1..].iter().any(|rate| rate.trials > 0) {
                curves.push(Curve {
                    policy: policy.to_owned(),
                    axis: axis.to_owned(),
                    method,
                    rates,
                });
            }
        }
    }
    curves
}

fn causes(episodes: &[Episode]) -> Vec<Causes> {
    let mut found = Vec::new();
    let suites: BTreeSet<(bool, &str)> = episodes.iter().map(suite_of).collect();
    for suite in suites {
        let of_suite = episodes.iter().filter(|episode| suite_of(episode) == suite);
        for (policy, method, group) in groups(of_suite) {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for cause in group
                .iter()
                .filter_map(|episode| episode.failure.as_deref())
            {
                *counts.entry(cause).or_default() += 1;
            }
            let mut counts: Vec<(String, usize)> = counts
                .into_iter()
                .map(|(cause, count)| (cause.to_owned(), count))
                .collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            found.push(Causes {
                policy,
                method,
                suite: suite.1.to_owned(),
                episodes: group.len(),
                counts,
            });
        }
    }
    found
}

/// Scenes like those of training first, as one.
fn suite_of(episode: &Episode) -> (bool, &str) {
    if episode.is_plain() {
        (false, "all")
    } else {
        (true, &episode.suite)
    }
}
