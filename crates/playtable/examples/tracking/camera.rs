//! What real cameras add: a stereo depth camera of the D435's kind, and a plain colour camera.

use tiller_playtable::Frame;
use tiller_world::Random;

/// Depth noise grows with the square of the distance: at 1 m, mm. Subpixel steps of the disparity are of
/// the same size.
const NOISE_MM: f64 = 2.0;
const STEP_MM: f64 = 1.5;
/// Neighbours with a step between them, mm, and how often such a pixel is a hole, or between the two.
const EDGE_MM: u16 = 20;
const HOLE: f64 = 0.4;
const FLYING: f64 = 0.2;
/// Noise of the colour, of 255.
const GREY: f64 = 3.0;

/// A seeded disturbance of frames.
pub(crate) struct Noise {
    random: Random,
}

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed, 77),
        }
    }

    pub(crate) fn disturb(&mut self, frame: &mut Frame) {
        let clean = frame.depth_mm.clone();
        let width = frame.width;
        for (at, depth) in frame.depth_mm.iter_mut().enumerate() {
            let mm = clean[at];
            if mm == 0 {
                continue;
            }
            let sides = [
                at.checked_sub(1),
                Some(at + 1),
                at.checked_sub(width),
                Some(at + width),
            ];
            let step = sides
                .into_iter()
                .flatten()
                .filter_map(|side| clean.get(side));
            let beyond = step.copied().find(|side| side.abs_diff(mm) > EDGE_MM);
            let mut seen = f64::from(mm);
            if let Some(beyond) = beyond {
                if self.random.chance(HOLE) {
                    *depth = 0;
                    continue;
                }
                if self.random.chance(FLYING) {
                    seen += (f64::from(beyond) - seen) * self.random.uniform(0.0, 1.0);
                }
            }
            let square = (seen * 1e-3).powi(2);
            seen += NOISE_MM * square * self.random.normal();
            let step = STEP_MM * square;
            *depth = ((seen / step).round() * step).clamp(1.0, 65_535.0) as u16;
        }
        for value in &mut frame.rgb {
            let grey = f64::from(*value) + GREY * self.random.normal();
            *value = grey.clamp(0.0, 255.0) as u8;
        }
    }
}
