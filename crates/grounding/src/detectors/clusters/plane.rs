//! The largest plane in view, by random samples (RANSAC, Fischler and Bolles 1981).

use crate::frame::Scene;

/// Points that are looked at.
const POINTS: usize = 2000;
/// Planes that are tried; with a quarter of the points on it a plane is missed once in 10^1 000.
const TRIES: u32 = 150;
/// Farthest that a point of the plane may lie off it, m.
const OFF_M: f64 = 0.008;
/// Least share of the points that lie on it.
const LEAST_SHARE: f64 = 0.2;

/// A plane and the side of it that the camera is on.
pub(super) struct Plane {
    /// Unit length, towards the camera.
    normal: [f64; 3],
    offset_m: f64,
}

impl Plane {
    /// The plane that most points lie on, if a fair share does.
    pub(super) fn largest(scene: &Scene<'_>) -> Option<Self> {
        let pixels = scene.depth_mm.len() as u32;
        // Odd, so that it does not fall into step with the rows.
        let step = (pixels as usize).div_ceil(POINTS).max(1) | 1;
        let points: Vec<[f64; 3]> = (0..pixels)
            .step_by(step)
            .filter_map(|pixel| scene.point_m(pixel))
            .collect();
        let mut best: Option<(usize, Self)> = None;
        let mut state = 1u64;
        for _ in 0..TRIES {
            let mut pick = || {
                // The generator of Knuth's MMIX: the same picks in every run.
                state = state.wrapping_mul(6_364_136_223_846_793_005);
                state = state.wrapping_add(1_442_695_040_888_963_407);
                points.get((state >> 33) as usize % points.len().max(1))
            };
            let Some(plane) = Self::through([*pick()?, *pick()?, *pick()?]) else {
                continue;
            };
            let on_it = points
                .iter()
                .filter(|p| plane.height_m(**p).abs() < OFF_M)
                .count();
            if best.as_ref().is_none_or(|(most, _)| on_it > *most) {
                best = Some((on_it, plane));
            }
        }
        let (on_it, plane) = best?;
        (on_it as f64 >= LEAST_SHARE * points.len() as f64)
            .then(|| plane.facing(scene.camera.position_m()))
    }

    /// How far a point lies on the camera's side, m.
    pub(super) fn height_m(&self, point_m: [f64; 3]) -> f64 {
        dot(self.normal, point_m) - self.offset_m
    }

    fn through([a, b, c]: [[f64; 3]; 3]) -> Option<Self> {
        let minus = |p: [f64; 3], q: [f64; 3]| -> [f64; 3] { std::array::from_fn(|i| p[i] - q[i]) };
        let (u, v) = (minus(b, a), minus(c, a));
        let normal = [
            u[1] * v[2] - u[2] * v[1],
            u[2] * v[0] - u[0] * v[2],
            u[0] * v[1] - u[1] * v[0],
        ];
        let length = dot(normal, normal).sqrt();
        (length > 1e-6).then(|| {
            let normal = normal.map(|n| n / length);
            Self {
                normal,
                offset_m: dot(normal, a),
            }
        })
    }

    fn facing(self, camera_m: [f64; 3]) -> Self {
        if self.height_m(camera_m) >= 0.0 {
            return self;
        }
        Self {
            normal: self.normal.map(|n| -n),
            offset_m: -self.offset_m,
        }
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
