//! One episode as a line of JSON.

use serde::{Deserialize, Serialize};
use tiller_world::Variation;

use crate::episode::EpisodeResult;
use crate::handicap::Handicap;
use crate::sight::SightSettings;
use crate::tuned::Tuned;

/// One episode, as the JSON file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpisodeLine {
    /// Name of the task; `any` in a free run.
    pub task: String,
    /// Suite of the task, or of the variation; `any` in a free run.
    pub suite: String,
    /// How the scene differs from those of training; none when it does not.
    pub variation: Option<Variation>,
    /// Seed of scene and sampling.
    pub seed: u64,
    /// Name of the method.
    pub method: String,
    /// Whether a reward had a part in it.
    pub steered: bool,
    /// What the reward author was told; none when unsteered.
    pub instruction: Option<String>,
    /// Name of the policy.
    pub policy: String,
    /// Processor that ran it: `cpu` or `cuda`.
    pub provider: String,
    /// A short cause that is the same in all episodes that failed alike; none after a success.
    pub failure: Option<String>,
    /// Folder of the episode's pictures, seen from the file's folder.
    pub pictures: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub result: EpisodeResult,
    /// What all episodes of the file have in common.
    pub settings: Settings,
}

/// Which episode it is.
pub(crate) type Key = (String, Option<Variation>, u64, String);

impl EpisodeLine {
    /// Its name among the records: task, departure, seed and method.
    pub(crate) fn id(&self) -> String {
        let variation = self.variation.as_ref();
        let variation = variation.map_or_else(String::new, |it| format!(" {it}"));
        format!("{}{variation} {} {}", self.task, self.seed, self.method)
    }

    /// Which episode of the file it is.
    pub(crate) fn key(&self) -> Key {
        (
            self.task.clone(),
            self.variation.clone(),
            self.seed,
            self.method.clone(),
        )
    }
}

/// What must be the same for results to be counted together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Name of the world.
    #[serde(default)]
    pub world: String,
    /// Name of the policy.
    pub policy: String,
    /// SHA-256 of the bundle's manifest, which holds those of its graphs.
    pub policy_sha256: String,
    /// Processor that was asked for.
    pub provider: String,
    /// What guidance was to move; what the bundle says when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide: Option<String>,
    /// Policy steps (100 ms) after which an episode has failed.
    pub max_steps: usize,
    /// What made episodes harder than the world does.
    #[serde(default, skip_serializing_if = "Handicap::is_none")]
    pub handicap: Handicap,
    /// How keypoints were found and followed; by the world's own labels when absent.
    #[serde(default, skip_serializing_if = "SightSettings::is_default")]
    pub sight: SightSettings,
    /// SHA-256 of the programs that were followed in the place of the world's author's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programs_sha256: Option<String>,
    /// The full method's parameters.
    pub tuned: Tuned,
}

impl Settings {
    /// What differs in `other`, a line for each: `max_steps: 200 there, 400 here`.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let values = [self, other].map(|settings| serde_json::to_value(settings).ok());
        if let [Some(here), Some(there)] = &values {
            compare("", here, there, &mut found);
        }
        found
    }
}

fn compare(
    name: &str,
    here: &serde_json::Value,
    there: &serde_json::Value,
    found: &mut Vec<String>,
) {
    if let (Some(fields), Some(others)) = (here.as_object(), there.as_object()) {
        for (key, value) in fields {
            let name = if name.is_empty() {
                key.clone()
            } else {
                format!("{name}.{key}")
            };
            let other = others.get(key).unwrap_or(&serde_json::Value::Null);
            compare(&name, value, other, found);
        }
    } else if here != there {
        found.push(format!("{name}: {there} there, {here} here"));
    }
}
