//! Plans, made anew by the policy from what it saw.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tiller_closed_loop::journal::SamplerHeader;
use tiller_closed_loop::{
    Plan, PlanFailure, PlanRequest, Planner, SamplerEffect, SamplerEvent, Seen, policy_state,
};
use tiller_core::StateComponent;
use tiller_messages::ArmState;
use tiller_policy::{
    Bundle, BundleError, Fit, Fitted, Fitter, ImageView, Observation, Observer, Policy,
    PolicyError, Provider, RuntimeOptions, find_bundle,
};
use tiller_steering::SteeringError;

use crate::frames::Frames;

/// What is to be otherwise than it was.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Another policy: a bundle's folder.
    pub policy: Option<PathBuf>,
    /// A reward program's text in the place of those that were written.
    pub program: Option<String>,
    /// Settings of the sampler by their names in small letters, such as `guide_scale`.
    pub set: Vec<(String, String)>,
}

impl Changes {
    /// Settings that can be changed.
    pub const SETTINGS: [&str; 4] = ["guide_scale", "gripper_scale", "particles", "guide"];

    /// Whether nothing is.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Why plans cannot be made anew.
#[derive(Debug, thiserror::Error)]
pub enum ReplanError {
    /// The policy's bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The bundle has changed since.
    #[error("expected policy `{name}` as it was recorded, manifest {expected}, found {found} in `{}`", .folder.display())]
    OtherBundle {
        /// Its name.
        name: String,
        /// SHA-256 of the manifest then.
        expected: String,
        /// And now.
        found: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The policy cannot be run.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Settings that fit no such policy.
    #[error(transparent)]
    Planner(#[from] SteeringError),
    /// What was recorded is not known here.
    #[error("expected {what}, found `{found}`")]
    Unknown {
        /// What is known.
        what: String,
        /// What was recorded, or asked for.
        found: String,
    },
}

/// What a policy was told of the arm, by stamps, ns.
pub(crate) type Arms = BTreeMap<u64, ArmState>;

/// Most of the arm's states that are kept for plans that were made from earlier ones.
const MOST_ARMS: usize = 20_000;

/// What of a sampler's journal its plans are made from.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) arms: Arms,
    /// How many keypoints there are; none before any have come.
    pub(crate) keypoints: Option<usize>,
    requests: BTreeMap<u64, Box<PlanRequest>>,
    rehearsals: BTreeMap<u64, Box<PlanRequest>>,
}

impl Told {
    /// Notes an event, before the machine is told.
    pub(crate) fn hear(&mut self, event: &SamplerEvent) {
        match event {
            SamplerEvent::Arm(arm) => {
                self.arms.insert(arm.stamp_ns, arm.clone());
                if self.arms.len() > MOST_ARMS {
                    self.arms.pop_first();
                }
            }
            SamplerEvent::Keypoints(found) => self.keypoints = Some(found.names.len()),
            _ => {}
        }
    }

    /// Notes what the machine wants planned.
    pub(crate) fn keep(&mut self, effects: &mut Vec<SamplerEffect>) {
        for effect in effects.drain(..) {
            match effect {
                SamplerEffect::Plan(request) => drop(self.requests.insert(request.id, request)),
                SamplerEffect::Rehearse(request) => {
                    self.rehearsals.insert(request.id, request);
                }
                _ => {}
            }
        }
    }

    /// The request of this number; those before it were overtaken, and have no plan.
    pub(crate) fn request(&mut self, id: u64) -> Option<Box<PlanRequest>> {
        self.requests.retain(|known, _| *known >= id);
        self.requests.remove(&id)
    }

    /// The same of a dry plan.
    pub(crate) fn rehearsal(&mut self, id: u64) -> Option<Box<PlanRequest>> {
        self.rehearsals.retain(|known, _| *known >= id);
        self.rehearsals.remove(&id)
    }
}

/// A policy and its planner, as the node had them.
pub(crate) struct Replanner {
    policy: Policy,
    planner: Planner,
    observer: Observer,
    fitter: Fitter,
    cameras: Vec<(String, String)>,
    told: Vec<StateComponent>,
}

impl Replanner {
    /// As it was recorded, but for the changes. Bundles are looked for where they were, then by their names from
    /// `here`.
    pub(crate) fn open(
        header: &SamplerHeader,
        changes: &Changes,
        here: &Path,
    ) -> Result<Self, ReplanError> {
        let (bundle, is_another) = find(header, changes, here)?;
        let unknown = |what: &str, found: &str| ReplanError::Unknown {
            what: what.to_owned(),
            found: found.to_owned(),
        };
        let (provider, threads) = &header.runtime;
        let providers = [Provider::Cpu, Provider::Cuda];
        let provider = providers
            .into_iter()
            .find(|known| known.name() == provider.as_str())
            .ok_or_else(|| unknown("a provider, `cpu` or `cuda`", provider))?;
        let fit = Fit::from_name(&header.picture_fit)
            .ok_or_else(|| unknown("a way to fit pictures", &header.picture_fit))?;
        let options = RuntimeOptions {
            threads: *threads,
            provider,
            ..RuntimeOptions::default()
        };
        let policy = Policy::open(&bundle, &options)?;
        let mut config = header.planner.clone();
        if is_another {
            policy.configure(&mut config.steering);
            config.execute_steps = policy.manifest().execute_steps;
        }
        for (name, value) in &changes.set {
            let found = format!("{name}={value}");
            let number = || {
                value
                    .parse::<f32>()
                    .map_err(|_| unknown("a number", &found))
            };
            match name.as_str() {
                "guide_scale" => config.steering.guide_scale = number()?,
                "gripper_scale" => config.steering.gripper_scale = number()?,
                "particles" => {
                    let count = value.parse();
                    config.steering.particles = count.map_err(|_| unknown("a count", &found))?;
                }
                "guide" => {
                    let guide = value.parse();
                    config.steering.guide = guide.map_err(|_| {
                        unknown("`position`, or `position,rotation,gripper`", &found)
                    })?;
                }
                _ => {
                    let known = Changes::SETTINGS.join("`, `");
                    return Err(unknown(&format!("one of `{known}`"), &found));
                }
            }
        }
        let planner = Planner::new(config, policy.action_space(), policy.manifest().horizon)?;
        Ok(Self {
            fitter: Fitter::new(fit, &bundle),
            told: policy.manifest().robot_state(),
            policy,
            planner,
            observer: Observer::default(),
            cameras: header.cameras.clone(),
        })
    }

    /// The plan of a request, from what the policy had seen; a text where that is not to be had.
    pub(crate) fn plan(
        &mut self,
        request: &PlanRequest,
        seen: &[Seen],
        frames: &Frames,
        arms: &Arms,
    ) -> Result<Result<Box<Plan>, PlanFailure>, String> {
        self.observer.forget(&mut self.policy);
        let (last, before) = seen
            .split_last()
            .ok_or("what the policy saw was not noted")?;
        for moment in before {
            self.show(moment, request, frames, arms, false)?;
        }
        self.show(last, request, frames, arms, true)?;
        Ok(self
            .planner
            .plan(&mut self.policy, request)
            .map(Box::new)
            .map_err(|error| PlanFailure {
                code: error.code().to_owned(),
                text: format!("planning failed: {error}"),
            }))
    }

    fn show(
        &mut self,
        moment: &Seen,
        request: &PlanRequest,
        frames: &Frames,
        arms: &Arms,
        is_last: bool,
    ) -> Result<(), String> {
        let mut views = Vec::new();
        for ((name, topic), stamp_ns) in self.cameras.iter().zip(&moment.frames_ns) {
            let picture = frames
                .get(topic, *stamp_ns)
                .ok_or_else(|| format!("the picture of `{topic}` with stamp {stamp_ns} ns"))?;
            views.push(ImageView {
                name,
                width: picture.width,
                height: picture.height,
                rgb: &picture.rgb,
            });
        }
        let arm = if request.arm.stamp_ns == moment.arm_ns {
            &request.arm
        } else {
            let arm_ns = moment.arm_ns;
            arms.get(&arm_ns)
                .ok_or_else(|| format!("the arm's state with stamp {arm_ns} ns"))?
        };
        let mut state = Vec::new();
        policy_state(&self.told, arm, &mut state);
        let fitted = self.fitter.fit(&views);
        let images: Vec<ImageView<'_>> = fitted.iter().map(Fitted::view).collect();
        let observation = Observation {
            images: &images,
            state: &state,
            environment: &[],
            instruction: &request.instruction,
        };
        let shown = if is_last {
            self.observer
                .encode(&mut self.policy, moment.stamp_ns, &observation)
        } else {
            self.observer
                .observe(&mut self.policy, moment.stamp_ns, &observation)
        };
        shown.map_err(|error| format!("an observation that the policy takes: {error}"))
    }
}

/// The bundle, and whether it is another than was recorded.
fn find(
    header: &SamplerHeader,
    changes: &Changes,
    here: &Path,
) -> Result<(Bundle, bool), ReplanError> {
    if let Some(folder) = &changes.policy {
        return Ok((Bundle::load(folder)?, true));
    }
    let (recorded, expected) = &header.bundle;
    let name = &header.sampler.policy.name;
    let folder = if Path::new(recorded).is_dir() {
        PathBuf::from(recorded)
    } else {
        find_bundle(name, here)?
    };
    let bundle = Bundle::load(&folder)?;
    if bundle.fingerprint() != expected {
        return Err(ReplanError::OtherBundle {
            name: name.clone(),
            expected: expected.clone(),
            found: bundle.fingerprint().to_owned(),
            folder,
        });
    }
    Ok((bundle, false))
}
