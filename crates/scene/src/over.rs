//! A stage's reward, drawn over a picture of the scene.

use tiller_reward::{EvaluateError, Scene, Stage, Workspace};

use crate::Camera;
use crate::colour::{by_share, shares};
use crate::point_field::{Best, PointField, Way, room, steps};

/// Spacing of the grid, m.
const SPACING_M: f64 = 0.02;
/// Points along one direction at most.
const MOST: usize = 60;
/// How much of the picture's own colour is left.
const SEEN_THROUGH: f64 = 0.45;
/// Half the width of the ring around the best point, as a share of the picture's height.
const RING: f64 = 0.03;

/// The reward of a stage on a level plane, at the height of the point where it is highest: of a hand that goes to a
/// point with the next step and stays there, straight down and open.
#[derive(Debug, Clone, PartialEq)]
pub struct RewardPlane {
    /// Where the reward is highest; none where it is nowhere a finite number.
    pub best: Option<Best>,
    room: Workspace,
    height_m: f64,
    counts: [usize; 2],
    /// How far each value lies between the lowest and the highest, `[x][y]`.
    shares: Vec<f64>,
}

impl RewardPlane {
    /// That of a stage for a hand at `hand_m`; none where the stage leaves the policy unguided.
    ///
    /// # Errors
    /// When the reward cannot be evaluated.
    pub fn of(
        stage: &Stage,
        scene: Scene<'_>,
        hand_m: [f64; 3],
    ) -> Result<Option<Self>, EvaluateError> {
        if stage.is_unguided {
            return Ok(None);
        }
        let used = stage.guidance.used_keypoints();
        let used = used.iter().filter_map(|&k| scene.keypoints.get(k).copied());
        let matters: Vec<_> = used.chain([hand_m]).collect();
        let room = room(&matters);
        let mut field = PointField::new(stage, scene, hand_m, Way::Stay);
        let best = field.best(&room)?;
        let height_m = best.map_or(hand_m, |best| best.at_m)[2];
        let counts = [0, 1].map(|axis| steps(extent(&room, axis), SPACING_M, MOST));
        let place = |axis: usize, index: usize| {
            let share = index as f64 / (counts[axis] - 1) as f64;
            room.min_m[axis] + share * extent(&room, axis)
        };
        let points: Vec<_> = (0..counts[0] * counts[1])
            .map(|index| {
                [
                    place(0, index / counts[1]),
                    place(1, index % counts[1]),
                    height_m,
                ]
            })
            .collect();
        let values = field.values(&points)?;
        let shares = shares(values.iter().copied()).collect();
        Ok(Some(Self {
            best,
            room,
            height_m,
            counts,
            shares,
        }))
    }

    /// Draws it over a picture of this camera, three bytes a pixel: dark violet is low, yellow is high, grey is no
    /// number, a ring is around the best point. A picture of another size is left as it is.
    pub fn paint(&self, camera: &Camera, rgb: &mut [u8]) {
        let [width, height] = camera.size.map(|side| side as usize);
        if rgb.len() != 3 * width * height {
            return;
        }
        let eye = camera.world_from_camera.position_m;
        for (index, pixel) in rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let ahead = camera
                .lift(index % width, index / width, 1.0)
                .map(f64::from);
            let towards = [0, 1, 2].map(|axis| ahead[axis] - eye[axis]);
            let far = (self.height_m - eye[2]) / towards[2];
            if !(far.is_finite() && far > 0.0) {
                continue;
            }
            let at = [0, 1].map(|axis| eye[axis] + far * towards[axis]);
            if let Some(share) = self.at(at) {
                let [colour @ .., _] = by_share(share, 255);
                mix(pixel, colour, SEEN_THROUGH);
            }
        }
        let ring = self.best.and_then(|best| camera.project(best.at_m));
        if let Some(centre) = ring {
            self.ring(centre.map(f64::from), [width, height], rgb);
        }
    }

    /// The share at a place, between its four neighbours; none outside.
    fn at(&self, at_m: [f64; 2]) -> Option<f64> {
        let [nx, ny] = self.counts;
        let along = [0, 1].map(|axis| {
            let share = (at_m[axis] - self.room.min_m[axis]) / extent(&self.room, axis);
            share * (self.counts[axis] - 1) as f64
        });
        let is_inside =
            (0..2).all(|axis| (0.0..=(self.counts[axis] - 1) as f64).contains(&along[axis]));
        if !is_inside {
            return None;
        }
        let low = [
            (along[0] as usize).min(nx - 2),
            (along[1] as usize).min(ny - 2),
        ];
        let part = [along[0] - low[0] as f64, along[1] - low[1] as f64];
        let value = |dx: usize, dy: usize| self.shares[(low[0] + dx) * ny + low[1] + dy];
        let row = |dx: usize| value(dx, 0) + part[1] * (value(dx, 1) - value(dx, 0));
        Some(row(0) + part[0] * (row(1) - row(0)))
    }

    fn ring(&self, centre: [f64; 2], [width, height]: [usize; 2], rgb: &mut [u8]) {
        let radius = (RING * height as f64).max(4.0);
        for (index, pixel) in rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (x, y) = ((index % width) as f64 + 0.5, (index / width) as f64 + 0.5);
            let off = ((x - centre[0]).hypot(y - centre[1]) - radius).abs() / (0.25 * radius);
            if off < 0.5 {
                *pixel = [255; 3];
            } else if off < 1.0 {
                *pixel = [0; 3];
            }
        }
    }
}

fn extent(room: &Workspace, axis: usize) -> f64 {
    room.max_m[axis] - room.min_m[axis]
}

fn mix(pixel: &mut [u8; 3], colour: [u8; 3], kept: f64) {
    for (own, new) in pixel.iter_mut().zip(colour) {
        *own = (kept * f64::from(*own) + (1.0 - kept) * f64::from(new)).round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use tiller_messages::ImageHeader;
    use tiller_reward::{CompileOptions, compile};

    use super::*;

    const PROGRAM: &str = "num_stages = 2\n\
        def stage1_guidance(keypoints, action_sequence):\n    \
            return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n\
        def stage2_guidance(keypoints, action_sequence):\n    return 0\n";

    /// From 1 m above (0.5, 0.1), looking straight down.
    fn camera() -> Camera {
        #[rustfmt::skip]
        let matrix = [
            0.0, -1.0, 0.0, 0.5,
            -1.0, 0.0, 0.0, 0.1,
            0.0, 0.0, -1.0, 1.0,
            0.0, 0.0, 0.0, 1.0,
        ];
        let header = ImageHeader {
            width: 120,
            height: 100,
            focal: Some([150.0, 150.0]),
            world_from_camera: Some(matrix),
            ..Default::default()
        };
        Camera::of(&header).unwrap()
    }

    #[test]
    fn it_is_bright_where_the_reward_is_high_and_ringed_where_it_is_highest() {
        let program = compile(PROGRAM, &CompileOptions::new(1, 9)).unwrap();
        let keypoints = [[0.55, 0.15, 0.1]];
        let scene = Scene::from(keypoints.as_slice());
        let hand_m = [0.45, 0.0, 0.25];
        let plane = RewardPlane::of(&program.stages[0], scene, hand_m)
            .unwrap()
            .unwrap();
        let best = plane.best.unwrap();
        assert!(
            best.at_m
                .iter()
                .zip(keypoints[0])
                .all(|(a, b)| (a - b).abs() < 1e-3),
            "{best:?}"
        );
        let camera = camera();
        let mut rgb = vec![0; 3 * 120 * 100];
        plane.paint(&camera, &mut rgb);
        let pixel = |[x, y]: [f32; 2]| {
            let at = 3 * (y as usize * 120 + x as usize);
            [rgb[at], rgb[at + 1], rgb[at + 2]]
        };
        let centre = pixel(camera.project(keypoints[0]).unwrap());
        let far = pixel(camera.project([0.35, -0.1, 0.1]).unwrap());
        let yellow = |[r, g, b]: [u8; 3]| i32::from(r) + i32::from(g) - i32::from(b);
        assert!(yellow(centre) > yellow(far) + 100, "{centre:?} {far:?}");
        assert!(rgb.as_chunks::<3>().0.contains(&[255; 3]), "the ring");
        let mut other = vec![9; 3 * 7];
        plane.paint(&camera, &mut other);
        assert_eq!(other, [9; 21]);
        assert!(
            RewardPlane::of(&program.stages[1], scene, hand_m)
                .unwrap()
                .is_none()
        );
    }
}
