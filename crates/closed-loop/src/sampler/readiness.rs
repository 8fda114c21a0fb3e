//! What a plan needs that has not come, or no longer comes.

use tiller_core::SECOND_NS;

use super::Sampler;
use super::schedule::Due;

/// The stage switcher speaks every second; after so long a silence, ns, nobody knows how far the arm
/// has come, and it holds.
const STAGE_SILENCE_NS: u64 = 5 * SECOND_NS;

impl Sampler {
    /// What keeps the machine from planning a chunk that is due, in a word and in words.
    pub(super) fn missing(&self, due: &Due) -> Option<(&'static str, String)> {
        let none = |key: &'static str| Some((key, "none has come".to_owned()));
        let Some(arm) = &self.arm else {
            return none("arm_state");
        };
        if self.execution.is_none() {
            return none("execution_state");
        }
        let Some(episode) = &self.episode else {
            return none("episode");
        };
        let Due::Now { .. } = due else {
            return None;
        };
        if self.config.steer {
            let blind_ns = arm.stamp_ns.saturating_sub(self.seen_ns);
            let blindness = self.config.blindness;
            match &self.keypoints {
                None => return none("keypoints"),
                Some(_) if blindness.fading(blind_ns).is_none() => {
                    let text = format!("nothing has been seen for {} ms", blind_ns / 1_000_000);
                    return Some(("keypoints", text));
                }
                Some(keypoints) => {
                    if let Some((name, age_ns)) = self.lost()
                        && age_ns >= blindness.hold_after_ns
                    {
                        let text = format!("the {name} is lost, for {} ms", age_ns / 1_000_000);
                        return Some(("keypoints", text));
                    }
                    if let Some(missing) = self.goal.missing(keypoints) {
                        return Some(missing);
                    }
                    let silent_ns = arm.stamp_ns.saturating_sub(self.stage_heard_ns);
                    if silent_ns > STAGE_SILENCE_NS {
                        let text = format!("none for {} ms", silent_ns / 1_000_000);
                        return Some(("stage", text));
                    }
                }
            }
        }
        match self.observation_ns {
            None => none("image"),
            Some(at) => {
                let age_ns = arm.stamp_ns.saturating_sub(at.max(episode.stamp_ns));
                let most_ns = self.config.max_observation_age_ns;
                (age_ns > most_ns).then(|| {
                    let text = format!(
                        "the newest observation is more than {} ms old",
                        most_ns / 1_000_000
                    );
                    ("image", text)
                })
            }
        }
    }

    pub(super) fn stage_heard(&mut self) {
        if let Some(arm) = &self.arm {
            self.stage_heard_ns = self.stage_heard_ns.max(arm.stamp_ns);
        }
    }
}
