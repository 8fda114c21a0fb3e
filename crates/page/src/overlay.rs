//! What is drawn over the cameras' pictures: keypoints, and what the sampler chose from.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tiller_core::visible_line;
use tiller_messages::{Candidates, DryPlan, Keypoints};
use tiller_scene::Camera;

/// Candidates that are drawn beside the chosen one.
const MOST_CANDIDATES: usize = 12;

/// Candidates of a dry plan that are drawn.
const MOST_DRY: usize = 40;

/// Characters of a keypoint's name.
const NAME: usize = 40;

/// Cameras whose place is known, and what is seen of the scene.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    cameras: BTreeMap<String, Camera>,
    keypoints: Option<Keypoints>,
    candidates: Option<Candidates>,
}

impl Overlay {
    /// Another scene begins.
    pub(crate) fn clear(&mut self) {
        self.keypoints = None;
        self.candidates = None;
    }

    pub(crate) fn on_picture(&mut self, input: &str, camera: Option<Camera>) {
        match camera {
            Some(camera) => drop(self.cameras.insert(input.to_owned(), camera)),
            None => drop(self.cameras.remove(input)),
        }
    }

    pub(crate) fn keypoints(&self) -> Option<&Keypoints> {
        self.keypoints.as_ref()
    }

    pub(crate) fn on_keypoints(&mut self, keypoints: Keypoints) {
        self.keypoints = Some(keypoints);
    }

    pub(crate) fn on_candidates(&mut self, candidates: Candidates) {
        self.candidates = Some(candidates);
    }

    /// `{CAMERA: {size, keypoints: [[x, y, index, name, is_visible]], candidates: [[[x, y], ..], ..], chosen}}`, in
    /// pixels of the camera.
    pub(crate) fn json(&self) -> Value {
        let rows = self.cameras.iter().map(|(input, camera)| {
            let drawn = json!({
                "size": camera.size,
                "keypoints": self.keypoints_in(camera),
                "candidates": self.candidates_in(camera),
                "chosen": self.chosen_in(camera),
            });
            (input.clone(), drawn)
        });
        Value::Object(rows.collect())
    }

    fn keypoints_in(&self, camera: &Camera) -> Vec<Value> {
        let Some(keypoints) = &self.keypoints else {
            return Vec::new();
        };
        let rows = keypoints.points().zip(&keypoints.names).enumerate();
        let seen = rows.filter_map(|(k, (point, name))| {
            let [x, y] = camera.project(point)?.map(tenths);
            let is_visible = keypoints.visible.get(k).copied().unwrap_or(false);
            Some(json!([x, y, k, visible_line(name, NAME), is_visible]))
        });
        seen.collect()
    }

    fn candidates_in(&self, camera: &Camera) -> Vec<Vec<[f64; 2]>> {
        let Some(candidates) = &self.candidates else {
            return Vec::new();
        };
        let paths = (0..candidates.particles).filter(|k| *k != candidates.selected);
        let some = paths.take(MOST_CANDIDATES);
        let (xyz_m, points) = (&candidates.xyz_m, candidates.points);
        some.map(|k| path(xyz_m, points, k, camera)).collect()
    }

    fn chosen_in(&self, camera: &Camera) -> Vec<[f64; 2]> {
        let candidates = self.candidates.as_ref();
        candidates.map_or_else(Vec::new, |all| {
            path(&all.xyz_m, all.points, all.selected, camera)
        })
    }

    /// A dry plan over the cameras: `{CAMERA: {size, paths: [[reward's share of the range or null, [[x, y], ..]], ..],
    /// chosen: [[x, y], ..]}}`, the lowest reward first, so that the highest lie above.
    pub(crate) fn dry_json(&self, plan: &DryPlan) -> Value {
        let range = reward_range(&plan.rewards);
        let share = |k: u32| -> Option<f64> {
            let (low, high) = range?;
            let reward = f64::from(*plan.rewards.get(k as usize)?);
            let share = (reward - low) / (high - low).max(f64::MIN_POSITIVE);
            reward.is_finite().then_some((share * 1e3).round() / 1e3)
        };
        let mut order: Vec<_> = (0..plan.particles).map(|k| (share(k), k)).collect();
        order.sort_by(|(a, _), (b, _)| a.unwrap_or(-1.0).total_cmp(&b.unwrap_or(-1.0)));
        order.drain(..order.len().saturating_sub(MOST_DRY));
        let rows = self.cameras.iter().map(|(input, camera)| {
            let path = |k| path(&plan.xyz_m, plan.points, k, camera);
            let paths = order.iter().map(|(share, k)| json!([share, path(*k)]));
            let drawn = json!({
                "size": camera.size,
                "paths": paths.collect::<Vec<_>>(),
                "chosen": path(plan.selected),
            });
            (input.clone(), drawn)
        });
        Value::Object(rows.collect())
    }
}

/// The lowest and the highest finite reward; none where there is none.
pub(crate) fn reward_range(rewards: &[f32]) -> Option<(f64, f64)> {
    let finite = rewards.iter().map(|reward| f64::from(*reward));
    finite
        .filter(|reward| reward.is_finite())
        .fold(None, |range, reward| {
            let (low, high) = range.unwrap_or((reward, reward));
            Some((reward.min(low), reward.max(high)))
        })
}

/// One candidate's path in a picture; what is outside of it is left out.
fn path(xyz_m: &[f32], points: u32, particle: u32, camera: &Camera) -> Vec<[f64; 2]> {
    let points = points as usize;
    let begin = particle as usize * points * 3;
    let xyz_m = xyz_m.get(begin..begin + points * 3);
    let (points, _) = xyz_m.unwrap_or_default().as_chunks::<3>();
    let seen = points
        .iter()
        .filter_map(|point| camera.project(point.map(f64::from)));
    seen.map(|point| point.map(tenths)).collect()
}

fn tenths(pixel: f32) -> f64 {
    (f64::from(pixel) * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use tiller_messages::ImageHeader;

    use super::*;

    #[test]
    fn keypoints_and_candidates_are_where_the_camera_sees_them() {
        // From 1 m above, looking straight down.
        #[rustfmt::skip]
        let matrix = [
            0.0, -1.0, 0.0, 0.5,
            -1.0, 0.0, 0.0, 0.1,
            0.0, 0.0, -1.0, 1.0,
            0.0, 0.0, 0.0, 1.0,
        ];
        let header = ImageHeader {
            width: 200,
            height: 100,
            focal: Some([100.0, 100.0]),
            world_from_camera: Some(matrix),
            ..Default::default()
        };
        let mut overlay = Overlay::default();
        overlay.on_picture("image", Camera::of(&header));
        overlay.on_keypoints(Keypoints {
            names: vec!["a\u{202e}b".into(), "behind".into()],
            xyz_m: vec![0.5, 0.1, 0.0, 0.5, 0.1, 2.0],
            visible: vec![true, true],
            ..Default::default()
        });
        overlay.on_candidates(Candidates {
            particles: 2,
            points: 2,
            xyz_m: vec![0.5, 0.1, 0.0, 0.5, 0.0, 0.0, 0.5, 0.1, 0.0, 9.0, 9.0, 0.0],
            selected: 0,
            ..Default::default()
        });
        let json = overlay.json();
        let drawn = &json["image"];
        assert_eq!(
            drawn["keypoints"],
            json!([[100.0, 50.0, 0, "a\\u{202e}b", true]])
        );
        assert_eq!(drawn["chosen"], json!([[100.0, 50.0], [110.0, 50.0]]));
        assert_eq!(drawn["candidates"], json!([[[100.0, 50.0]]]));
        let plan = DryPlan {
            particles: 3,
            points: 2,
            xyz_m: [0.5, 0.1, 0.0, 0.5, 0.0, 0.0].repeat(3),
            rewards: vec![-1.0, f32::NAN, -3.0],
            selected: 0,
            ..Default::default()
        };
        let drawn = &overlay.dry_json(&plan)["image"];
        let line = [[100.0, 50.0], [110.0, 50.0]];
        assert_eq!(drawn["chosen"], json!(line));
        let paths = json!([[null, line], [0.0, line], [1.0, line]]);
        assert_eq!(drawn["paths"], paths, "the best is drawn last");
        assert_eq!(reward_range(&[f32::NAN]), None);
        overlay.on_picture("image", None);
        assert_eq!(
            overlay.json(),
            json!({}),
            "it no longer says where it stands"
        );
    }
}
