//! What is drawn over the cameras' pictures: keypoints, and what the sampler chose from.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tiller_core::visible_line;
use tiller_messages::{Candidates, ImageHeader, Keypoints};
use tiller_scene::Camera;

/// Candidates that are drawn beside the chosen one.
const MOST_CANDIDATES: usize = 12;

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

    pub(crate) fn on_picture(&mut self, input: &str, header: &ImageHeader) {
        match Camera::of(header) {
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
        some.map(|k| path(candidates, k, camera)).collect()
    }

    fn chosen_in(&self, camera: &Camera) -> Vec<[f64; 2]> {
        let candidates = self.candidates.as_ref();
        candidates.map_or_else(Vec::new, |all| path(all, all.selected, camera))
    }
}

/// One candidate's path in a picture; what is outside of it is left out.
fn path(candidates: &Candidates, particle: u32, camera: &Camera) -> Vec<[f64; 2]> {
    let points = candidates.points as usize;
    let begin = particle as usize * points * 3;
    let xyz_m = candidates.xyz_m.get(begin..begin + points * 3);
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
        overlay.on_picture("image", &header);
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
        overlay.on_picture("image", &ImageHeader::default());
        assert_eq!(
            overlay.json(),
            json!({}),
            "it no longer says where it stands"
        );
    }
}
