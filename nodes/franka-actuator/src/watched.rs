//! Which inputs show that somebody lives, and how they are missed.

use std::collections::BTreeMap;

use tiller_closed_loop::{Guard, MAX_CAMERAS, Reaction, Source, Watch, WatchdogConfig};
use tiller_node_kit::Environment;

/// The settings: how each kind of source is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watches {
    chunk: Watch,
    camera: Watch,
    keypoints: Watch,
    sampler: Watch,
    overrun: Watch,
}

/// What is done, by its word in the settings.
const REACTIONS: [(&str, Reaction); 3] = [
    ("off", Reaction::Off),
    ("hold", Reaction::Hold),
    ("stop", Reaction::Stop),
];

impl Watches {
    /// Reads the settings; an arm that `is_real` is watched by default.
    pub(crate) fn read(env: &mut Environment, is_real: bool) -> Self {
        let mut watch = |name: &str, wanted: &str, limit: &str, default_ms: u64| {
            let default = if is_real { wanted } else { "off" };
            Watch {
                reaction: env.choice(name, default, &REACTIONS),
                limit_ns: env.number(limit, default_ms, 5..=600_000) * 1_000_000,
            }
        };
        Self {
            chunk: watch("ON_NO_CHUNK", "hold", "NO_CHUNK_MS", 3_000),
            camera: watch("ON_NO_CAMERA", "hold", "NO_CAMERA_MS", 1_000),
            keypoints: watch("ON_NO_KEYPOINTS", "hold", "NO_KEYPOINTS_MS", 1_000),
            sampler: watch("ON_NO_SAMPLER", "stop", "NO_SAMPLER_MS", 3_000),
            overrun: watch("ON_OVERRUN", "hold", "OVERRUN_MS", 10),
        }
    }
}

/// The inputs of this dataflow that are watched.
#[derive(Debug)]
pub(crate) struct Watched {
    watches: Watches,
    sources: BTreeMap<String, Source>,
    cameras: Vec<String>,
}

impl Watched {
    /// Whatever is wired and not off.
    pub(crate) fn new(watches: &Watches, wired: &[String]) -> Self {
        let is_on = |watch: &Watch| watch.reaction != Reaction::Off;
        let is_camera = |input: &&String| *input == "image" || input.ends_with("_image");
        let cameras = wired.iter().filter(|_| is_on(&watches.camera));
        let cameras: Vec<String> = cameras
            .filter(is_camera)
            .take(MAX_CAMERAS)
            .cloned()
            .collect();
        let named = [
            ("keypoints", Source::Keypoints, &watches.keypoints),
            ("program_contract", Source::Sampler, &watches.sampler),
        ];
        let named = named
            .into_iter()
            .filter(|(input, _, watch)| is_on(watch) && wired.iter().any(|one| one == input))
            .map(|(input, source, _)| (input.to_owned(), source));
        let seen = cameras
            .iter()
            .zip(0..)
            .map(|(name, number)| (name.clone(), Source::Camera(number)));
        Self {
            sources: named.chain(seen).collect(),
            watches: *watches,
            cameras,
        }
    }

    /// What an input shows to live, if that is watched.
    pub(crate) fn source(&self, input: &str) -> Option<Source> {
        self.sources.get(input).copied()
    }

    /// Sources that are to be watched and not wired.
    pub(crate) fn unwired(&self) -> impl Iterator<Item = &'static str> {
        let has = |source| self.sources.values().any(|one| *one == source);
        let of = [
            ("image", &self.watches.camera, has(Source::Camera(0))),
            ("keypoints", &self.watches.keypoints, has(Source::Keypoints)),
            (
                "program_contract",
                &self.watches.sampler,
                has(Source::Sampler),
            ),
        ];
        let missing =
            of.map(|(name, watch, has)| (watch.reaction != Reaction::Off && !has).then_some(name));
        missing.into_iter().flatten()
    }

    /// What the machine demands, with these watchdogs.
    pub(crate) fn guard(&self, guard: &Guard) -> Guard {
        let watches = &self.watches;
        Guard {
            watchdog: WatchdogConfig {
                chunk: watches.chunk,
                camera: watches.camera,
                keypoints: watches.keypoints,
                sampler: watches.sampler,
                overrun: watches.overrun,
                cameras: self.cameras.clone(),
            },
            ..guard.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wired(inputs: &[&str]) -> Vec<String> {
        inputs.iter().map(|input| (*input).to_owned()).collect()
    }

    fn watches(pairs: &[(&str, &str)], is_real: bool) -> Watches {
        let mut env = Environment::from_pairs(pairs.iter().copied());
        let watches = Watches::read(&mut env, is_real);
        env.finish(watches).unwrap()
    }

    #[test]
    fn an_arm_of_metal_is_watched_and_others_where_that_is_set() {
        let real = watches(&[], true);
        assert_eq!(real.camera.reaction, Reaction::Hold);
        assert_eq!(real.sampler.reaction, Reaction::Stop);
        assert_eq!(real.overrun.limit_ns, 10_000_000);
        let numbers = watches(&[("ON_NO_CAMERA", "stop"), ("NO_CAMERA_MS", "250")], false);
        assert_eq!(numbers.chunk.reaction, Reaction::Off);
        assert_eq!(numbers.camera.reaction, Reaction::Stop);
        assert_eq!(numbers.camera.limit_ns, 250_000_000);
        let mut env = Environment::from_pairs([("ON_NO_CHUNK", "panic"), ("OVERRUN_MS", "0")]);
        let watches = Watches::read(&mut env, true);
        let error = env.finish(watches).unwrap_err().to_string();
        assert!(
            error.contains("ON_NO_CHUNK: expected one of `off`, `hold`, `stop`"),
            "{error}"
        );
        assert!(error.contains("OVERRUN_MS"), "{error}");
    }

    #[test]
    fn what_is_wired_is_watched_by_its_name_and_what_is_not_is_told() {
        let inputs = wired(&[
            "action_chunk",
            "image",
            "stage",
            "wrist_image",
            "program_contract",
        ]);
        let watched = Watched::new(&watches(&[], true), &inputs);
        assert_eq!(watched.source("image"), Some(Source::Camera(0)));
        assert_eq!(watched.source("wrist_image"), Some(Source::Camera(1)));
        assert_eq!(watched.source("program_contract"), Some(Source::Sampler));
        assert_eq!(watched.source("action_chunk"), None);
        assert_eq!(watched.unwired().collect::<Vec<_>>(), ["keypoints"]);
        let guard = watched.guard(&Guard::default());
        assert_eq!(guard.watchdog.cameras, ["image", "wrist_image"]);
        let off = Watched::new(&watches(&[], false), &inputs);
        assert_eq!(off.source("image"), None);
        assert_eq!(off.unwired().count(), 0);
    }
}
