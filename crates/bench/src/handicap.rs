//! What makes episodes harder than the world does.

use eyre::{Result, ensure};
use serde::{Deserialize, Serialize};
use tiller_grounding::Keypoint;
use tiller_steering::random::{Purpose, Random};

/// Furthest that keypoints may be off, m.
const MAX_NOISE_M: f64 = 1.0;

/// What makes episodes harder than the world does; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Handicap {
    /// Standard deviation of how far each keypoint is off along each axis, for a whole episode, m: as a camera
    /// whose pose is not quite known, or a grounding that finds another spot, would have it.
    pub keypoint_noise_m: f64,
    /// Leaves out of programs what says that a stage is done: progress and fingers decide then.
    pub without_done: bool,
}

impl Handicap {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// # Errors
    /// When the noise is out of range.
    pub(crate) fn check(&self) -> Result<()> {
        let noise_m = self.keypoint_noise_m;
        ensure!(
            (0.0..=MAX_NOISE_M).contains(&noise_m),
            "--keypoint-noise-m {noise_m}: expected 0 to {MAX_NOISE_M} m"
        );
        Ok(())
    }

    /// The keypoints as they seem to be in the episode of that seed.
    pub(crate) fn displaced(&self, points: &[Keypoint], seed: u64) -> Vec<Keypoint> {
        let mut points = points.to_vec();
        if self.keypoint_noise_m == 0.0 {
            return points;
        }
        // The numbers of a chunk that there never is.
        let random = Random::new(seed, u64::MAX);
        for point in &mut points {
            let mut normal = [0.0_f32; 3];
            random.normal(Purpose::Initial, 0, 0, point.index, &mut normal);
            for (value, normal) in point.position_m.iter_mut().zip(normal) {
                *value += self.keypoint_noise_m * f64::from(normal);
            }
        }
        points
    }

    /// Takes out of a program what it is to do without.
    pub(crate) fn shorten(&self, program: &mut String) {
        if self.without_done {
            *program = without_done(program);
        }
    }
}

/// The program without its functions `stageN_done`.
fn without_done(program: &str) -> String {
    let mut is_done = false;
    let kept = program.split_inclusive('\n').filter(|line| {
        // A function ends where the next line begins at the margin.
        let begins = line.starts_with(|first: char| !first.is_whitespace());
        if begins {
            let name = line
                .strip_prefix("def ")
                .and_then(|rest| rest.split('(').next());
            is_done = name.is_some_and(|name| name.starts_with("stage") && name.ends_with("_done"));
        }
        !is_done
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_that_a_stage_is_done_is_left_out() {
        let program = "num_stages = 2\n\n\ndef stage1_guidance(k, a):\n    return -a.sum()\n\n\n\
            def stage1_done(k, s, e):\n    x = 1\n\n    return x\n\n\n# Stage 2: on\n\
            def stage2_guidance(k, a):\n    return a.sum()\n\ndef stage2_done(k, s, e):\n    return 1";
        let expected = "num_stages = 2\n\n\ndef stage1_guidance(k, a):\n    return -a.sum()\n\n\n\
            # Stage 2: on\ndef stage2_guidance(k, a):\n    return a.sum()\n\n";
        assert_eq!(without_done(program), expected);
        let mut same = program.to_owned();
        Handicap::default().shorten(&mut same);
        assert_eq!(same, program);
    }

    #[test]
    fn keypoints_are_off_by_as_much_as_was_asked_for_all_episode_long() {
        let point = |index| Keypoint {
            index,
            name: String::new(),
            object: String::new(),
            position_m: [0.4, 0.1, 0.2],
            axes: Keypoint::NO_AXES,
            visible: true,
            age_ns: 0,
            confidence: 1.0,
        };
        let points: Vec<Keypoint> = (0..500).map(point).collect();
        let handicap = Handicap {
            keypoint_noise_m: 0.02,
            ..Handicap::default()
        };
        let seen = handicap.displaced(&points, 7);
        assert_eq!(
            seen[3].position_m,
            handicap.displaced(&points, 7)[3].position_m
        );
        assert_ne!(
            seen[3].position_m,
            handicap.displaced(&points, 8)[3].position_m
        );
        let squares = seen.iter().flat_map(|point| {
            let off = [0.4, 0.1, 0.2].into_iter().zip(point.position_m);
            off.map(|(true_m, seen_m)| (seen_m - true_m).powi(2))
                .collect::<Vec<_>>()
        });
        let deviation_m = (squares.sum::<f64>() / 1500.0).sqrt();
        assert!((deviation_m - 0.02).abs() < 0.002, "{deviation_m}");
        assert_eq!(
            Handicap::default().displaced(&points, 7)[3].position_m,
            [0.4, 0.1, 0.2]
        );
    }

    #[test]
    fn noise_out_of_range_is_refused() {
        for noise_m in [-0.1, f64::NAN, 1.1] {
            let handicap = Handicap {
                keypoint_noise_m: noise_m,
                ..Handicap::default()
            };
            assert!(handicap.check().is_err(), "{noise_m}");
        }
    }
}
