//! Where the time goes.

use super::input::Episode;
use super::model::{FULL, UNSTEERED, groups};
use super::stats::Histogram;

/// Simulated seconds of a policy step.
const STEP_S: f64 = 0.1;

/// How long a part of planning a chunk takes, over episodes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Latency {
    pub(super) policy: String,
    pub(super) provider: String,
    pub(super) method: String,
    pub(super) phase: &'static str,
    /// Milliseconds a chunk, each episode's mean.
    pub(super) ms: Histogram,
}

/// What an episode costs, on average.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cost {
    pub(super) policy: String,
    pub(super) provider: String,
    pub(super) method: String,
    pub(super) episodes: usize,
    pub(super) wall_s: f64,
    /// None when no episode has it measured.
    pub(super) cpu_s: Option<f64>,
    pub(super) simulated_s: f64,
    pub(super) chunks: f64,
    /// Parts of the wall time, which add up to 1.
    pub(super) shares: Vec<(&'static str, f64)>,
}

impl Cost {
    /// Episodes that one worker finishes in a minute.
    pub(super) fn per_minute(&self) -> f64 {
        60.0 / self.wall_s
    }
}

/// Seconds of an episode.
type Seconds = fn(&Episode) -> f64;

/// Parts of planning.
const PHASES: [(&str, Seconds); 4] = [
    ("image encoder", |episode| episode.time.encode_s),
    ("policy (denoiser)", |episode| episode.time.denoise_s),
    ("steering", |episode| {
        episode.time.plan_s - episode.time.denoise_s
    }),
    ("observation to chunk", |episode| {
        episode.time.encode_s + episode.time.plan_s
    }),
];

fn by_provider(episodes: &[Episode]) -> Vec<(String, String, String, Vec<&Episode>)> {
    let mut found = Vec::new();
    for (policy, method, group) in
        groups(episodes.iter().filter(|episode| episode.time.wall_s > 0.0))
    {
        let mut providers: Vec<&str> = group
            .iter()
            .map(|episode| episode.provider.as_str())
            .collect();
        providers.sort_unstable();
        providers.dedup();
        for provider in providers {
            let of_provider = group.iter().filter(|episode| episode.provider == provider);
            found.push((
                policy.clone(),
                provider.to_owned(),
                method.clone(),
                of_provider.copied().collect(),
            ));
        }
    }
    found
}

pub(super) fn latencies(episodes: &[Episode]) -> Vec<Latency> {
    let mut found = Vec::new();
    for (policy, provider, method, group) in by_provider(episodes) {
        if method != FULL && method != UNSTEERED {
            continue;
        }
        for (phase, seconds) in PHASES {
            // Nothing steers an unsteered policy; what is left of the difference is bookkeeping.
            if method == UNSTEERED && phase == "steering" {
                continue;
            }
            let with_chunks = group.iter().filter(|episode| episode.chunks > 0.0);
            let ms =
                Histogram::of(with_chunks.map(|episode| 1e3 * seconds(episode) / episode.chunks));
            if let Some(ms) = ms {
                found.push(Latency {
                    policy: policy.clone(),
                    provider: provider.clone(),
                    method: method.clone(),
                    phase,
                    ms,
                });
            }
        }
    }
    found
}

pub(super) fn costs(episodes: &[Episode]) -> Vec<Cost> {
    by_provider(episodes)
        .into_iter()
        .map(|(policy, provider, method, group)| {
            let n = group.len() as f64;
            let mean = |value: fn(&Episode) -> f64| {
                group.iter().map(|episode| value(episode)).sum::<f64>() / n
            };
            let cpu: Vec<f64> = group.iter().filter_map(|episode| episode.cpu_s).collect();
            let wall_s = mean(|episode| episode.time.wall_s);
            let mut shares = vec![
                ("simulation", mean(|episode| episode.time.simulate_s)),
                ("rendering", mean(|episode| episode.time.render_s)),
                ("grounding", mean(|episode| episode.time.ground_s)),
                (
                    "policy",
                    mean(|episode| episode.time.encode_s + episode.time.denoise_s),
                ),
                (
                    "steering",
                    mean(|episode| episode.time.plan_s - episode.time.denoise_s),
                ),
            ];
            let known: f64 = shares.iter().map(|(_, seconds)| seconds).sum();
            shares.push(("other", (wall_s - known).max(0.0)));
            let whole: f64 = shares.iter().map(|(_, seconds)| seconds).sum();
            shares.iter_mut().for_each(|(_, share)| *share /= whole);
            Cost {
                policy,
                provider,
                method,
                episodes: group.len(),
                wall_s,
                cpu_s: (!cpu.is_empty()).then(|| cpu.iter().sum::<f64>() / cpu.len() as f64),
                simulated_s: STEP_S * mean(|episode| episode.steps),
                chunks: mean(|episode| episode.chunks),
                shares,
            }
        })
        .collect()
}
