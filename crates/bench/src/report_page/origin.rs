//! Where the results come from, and how to get them again.

use std::collections::{BTreeMap, BTreeSet};

use super::input::{Episode, Source};
use super::model::method_rank;
use crate::{Method, Subjects};
use tiller_world::Suite;

/// A file's episodes of one policy and suite.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Origin {
    pub(super) file: String,
    pub(super) policy: String,
    pub(super) policy_sha256: Option<String>,
    pub(super) provider: String,
    pub(super) methods: Vec<String>,
    /// First and last of each run of consecutive seeds.
    pub(super) seeds: Vec<(u64, u64)>,
    pub(super) episodes: usize,
    /// A command for each run of seeds.
    pub(super) commands: Vec<String>,
    /// Everything that the file's episodes have in common, as JSON.
    pub(super) settings: Option<String>,
}

/// A line for each file, policy and suite. Tasks of both in-distribution suites make one line.
pub(super) fn origins(episodes: &[Episode], sources: &[Source], worlds: &Subjects) -> Vec<Origin> {
    let mut groups: BTreeMap<(usize, &str, &str, &str), Vec<&Episode>> = BTreeMap::new();
    for episode in episodes {
        let suite = if episode.is_plain() {
            ""
        } else {
            &episode.suite
        };
        let key = (
            episode.file,
            episode.policy.as_str(),
            episode.provider.as_str(),
            suite,
        );
        groups.entry(key).or_default().push(episode);
    }
    groups
        .into_iter()
        .filter_map(|((file, policy, provider, suite), group)| {
            let source = sources.get(file)?;
            let seeds: BTreeSet<u64> = group.iter().map(|episode| episode.seed).collect();
            let mut methods: Vec<String> =
                group.iter().map(|episode| episode.method.clone()).collect();
            methods.sort_by_key(|method| (method_rank(method), method.clone()));
            methods.dedup();
            let first = *group.first()?;
            let seeds = ranges(&seeds);
            let command =
                |range: &(u64, u64)| command(&source.name, suite, &methods, *range, &group, worlds);
            Some(Origin {
                file: source.name.clone(),
                policy: policy.to_owned(),
                policy_sha256: first.policy_sha256.clone(),
                provider: provider.to_owned(),
                episodes: group.len(),
                commands: seeds.iter().map(command).collect(),
                settings: first
                    .settings
                    .as_ref()
                    .and_then(|settings| serde_json::to_string_pretty(settings).ok()),
                methods,
                seeds,
            })
        })
        .collect()
}

fn command(
    file: &str,
    suite: &str,
    methods: &[String],
    (first, last): (u64, u64),
    group: &[&Episode],
    worlds: &Subjects,
) -> String {
    let settings = group.first().and_then(|episode| episode.settings.as_ref());
    let named = settings.and_then(|settings| settings.get("world")?.as_str());
    let subject = worlds.find(named).ok();
    let world = named.or_else(|| subject.map(|subject| subject.kind.info().name));
    let mut words = vec![format!("tiller bench {}", quoted(world.unwrap_or("WORLD")))];
    let policy = group.first().map_or("", |episode| episode.policy.as_str());
    // A name that tells bundles apart ends with a part of the hash.
    words.push(format!(
        "--policy {}",
        quoted(policy.split(" (").next().unwrap_or(policy))
    ));
    if suite.is_empty() {
        let tasks: BTreeSet<&str> = group.iter().map(|episode| episode.task.as_str()).collect();
        let suites = subject.map(|subject| subject.kind.info().suites());
        let plain = suites.into_iter().flatten().filter(Suite::is_plain);
        let known = plain.into_iter().find(|suite| {
            let ids: BTreeSet<&str> = suite.tasks.iter().map(String::as_str).collect();
            ids == tasks
        });
        match known {
            Some(suite) => words.push(format!("--suite {}", suite.name)),
            None => words.extend(tasks.iter().map(|task| format!("--task {}", quoted(task)))),
        }
    } else {
        words.push(format!("--suite {}", quoted(suite)));
    }
    let is = |all: &[Method]| {
        all.len() == methods.len()
            && all
                .iter()
                .all(|method| methods.contains(&method.to_string()))
    };
    if is(&Method::BASELINES) {
        words.push("--methods baselines".to_owned());
    } else if is(&Method::ablations()) {
        words.push("--methods ablations".to_owned());
    } else if !is(&[Method::Full, Method::Unsteered]) {
        words.extend(
            methods
                .iter()
                .map(|method| format!("--method {}", quoted(method))),
        );
    }
    words.push(format!("--seed {first} --episodes {}", last - first + 1));
    if let Some(steps) = settings.and_then(|settings| settings.get("max_steps")?.as_u64()) {
        words.push(format!("--max-steps {steps}"));
    }
    if let Some(provider) = group.first().map(|episode| &episode.provider)
        && provider != "cpu"
    {
        words.push(format!("--provider {}", quoted(provider)));
    }
    words.push(format!("--json {}", quoted(file)));
    words.join(" ")
}

/// Runs of consecutive seeds.
fn ranges(seeds: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &seed in seeds {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(seed) => *last = seed,
            _ => ranges.push((seed, seed)),
        }
    }
    ranges
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_make_runs() {
        let seeds = BTreeSet::from([7, 3, 4, 5, u64::MAX]);
        assert_eq!(ranges(&seeds), [(3, 5), (7, 7), (u64::MAX, u64::MAX)]);
        assert_eq!(ranges(&BTreeSet::new()), []);
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("results/flow.jsonl"), "results/flow.jsonl");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's; rm -rf"), "'it'\\''s; rm -rf'");
        assert_eq!(quoted(""), "''");
    }
}
