//! One object: its points, and how it has moved.

use nalgebra::{Isometry3, Point3, Vector3};
use optical_flow_lk::TrackResult;

use super::lens::{Spot, is_found};
use super::rigid::{self, Fit, Pair};
use super::spots;
use crate::detector::Mask;
use crate::frame::Scene;
use crate::tracker::{Motion, Sight};

/// Points that go along must be this many, and this share of those that were found again.
const LEAST_INLIERS: usize = 4;
const LEAST_SHARE: f64 = 0.4;
/// How far a point may lie off the object's motion: at least, and as a share of its distance, m.
const TOLERANCE: (f64, f64) = (0.004, 0.004);
/// How far the depth at a spot may lie from where the object is expected, mm: its motion and its turn
/// between two frames.
const REACH_MM: f64 = 40.0;
/// The same where the object's place is known; something nearer than that is in front of it.
const FRONT_MM: f64 = 15.0;
/// Most that an object is expected to go on moving between two frames, m.
const MOST_STEP_M: f64 = 0.03;

/// A point of the object.
#[derive(Debug, Clone, Copy)]
struct Point {
    /// Where it was at the start, world frame, m.
    then_m: Point3<f64>,
    /// Where it was in the first picture, and in the last one.
    first: Spot,
    last: Spot,
    /// Whether it was seen in the last picture.
    is_live: bool,
}

/// A point that is looked for in a picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sought {
    point: usize,
    /// Depth where it is expected, mm.
    depth_mm: f64,
}

/// Why a point that is looked for has no place.
enum Depth {
    /// Depth of the point, m.
    Found(f64),
    /// Something nearer is there.
    Hidden,
    /// Nothing is known, or only what lies behind.
    Unknown,
}

#[derive(Debug, Clone)]
pub(super) struct Object {
    points: Vec<Point>,
    pub(super) motion: Motion,
    /// Where it is expected in this picture.
    pub(super) expected: Isometry3<f64>,
    /// What it moved by between the last two pictures, m.
    step_m: Vector3<f64>,
    sought: Vec<Sought>,
    pairs: Vec<Pair>,
    owners: Vec<(usize, Spot)>,
    explained: Vec<bool>,
    /// Distance from the camera, for the tolerance, m.
    depth_m: f64,
}

impl Object {
    /// Notes the points of a detected object.
    pub(super) fn new(scene: &Scene<'_>, grey: &[u8], mask: &Mask) -> Self {
        let width = scene.frame.width;
        let chosen = spots::choose(scene, grey, &mask.pixels);
        let middle_mm = median(
            chosen
                .iter()
                .map(|p| f64::from(scene.depth_mm[*p as usize])),
        );
        // Half of an object's depth at most, and never the table behind its edge.
        let own = |pixel: &u32| {
            let mm = f64::from(scene.depth_mm[*pixel as usize]);
            (mm - middle_mm).abs() < 3.0 * REACH_MM
        };
        let points = chosen
            .iter()
            .filter(|pixel| own(pixel))
            .filter_map(|pixel| {
                let first = spots::spot(*pixel, width);
                Some(Point {
                    then_m: Point3::from(scene.point_m(*pixel)?),
                    first,
                    last: first,
                    is_live: true,
                })
            });
        let points: Vec<Point> = points.collect();
        let (seen, many) = (!points.is_empty(), points.len());
        Self {
            points,
            motion: Motion {
                now_from_then: Isometry3::identity(),
                sight: if seen { Sight::Seen } else { Sight::Lost },
                agreement: f64::from(u8::from(seen)),
            },
            expected: Isometry3::identity(),
            step_m: Vector3::zeros(),
            sought: Vec::with_capacity(many),
            pairs: Vec::with_capacity(2 * many),
            owners: Vec::with_capacity(2 * many),
            explained: Vec::with_capacity(2 * many),
            depth_m: middle_mm * 1e-3,
        }
    }

    /// Points of the object where it is, world frame, m.
    pub(super) fn points_m(&self) -> impl Iterator<Item = Point3<f64>> + '_ {
        let now_from_then = self.motion.now_from_then;
        self.points
            .iter()
            .map(move |point| now_from_then * point.then_m)
    }

    /// Expects the object where its motion leads, or where the hand has carried it.
    pub(super) fn expect(&mut self, carried: Option<Isometry3<f64>>) {
        self.expected = carried.unwrap_or_else(|| {
            let mut onward = self.motion.now_from_then;
            onward.translation.vector += self.step_m;
            onward
        });
        self.pairs.clear();
        self.owners.clear();
    }

    /// Appends the spots of the first picture that are to be found again, and where they are expected.
    pub(super) fn seek_first(
        &mut self,
        scene: &Scene<'_>,
        from: &mut Vec<Spot>,
        to: &mut Vec<Spot>,
    ) {
        self.seek(scene, |_| true, |point| point.first, from, to);
    }

    /// The same with the spots of the last picture.
    pub(super) fn seek_last(
        &mut self,
        scene: &Scene<'_>,
        from: &mut Vec<Spot>,
        to: &mut Vec<Spot>,
    ) {
        self.seek(scene, |point| point.is_live, |point| point.last, from, to);
    }

    fn seek(
        &mut self,
        scene: &Scene<'_>,
        wanted: impl Fn(&Point) -> bool,
        spot: impl Fn(&Point) -> Spot,
        from: &mut Vec<Spot>,
        to: &mut Vec<Spot>,
    ) {
        self.sought.clear();
        for (index, point) in self.points.iter().enumerate().filter(|(_, p)| wanted(p)) {
            if let Some((at, depth_m)) = projected(scene, self.expected * point.then_m) {
                from.push(spot(point));
                to.push(at);
                self.sought.push(Sought {
                    point: index,
                    depth_mm: depth_m * 1e3,
                });
            }
        }
    }

    /// How many spots were asked for.
    pub(super) fn sought(&self) -> usize {
        self.sought.len()
    }

    /// Takes where the spots were found, and gives the motion that they show together with those of
    /// before; none where they show none.
    pub(super) fn take(&mut self, scene: &Scene<'_>, found: &[TrackResult]) -> Option<Fit> {
        for (sought, result) in self.sought.iter().zip(found) {
            if !is_found(result) {
                continue;
            }
            if let Depth::Found(depth_m) = depth_at(scene, result.pos, sought.depth_mm, REACH_MM) {
                let point = &self.points[sought.point];
                self.pairs
                    .push((point.then_m, world(scene, result.pos, depth_m)));
                self.owners.push((sought.point, result.pos));
            }
        }
        let tolerance_m = TOLERANCE.0 + TOLERANCE.1 * self.depth_m;
        let fit = rigid::fit(
            &self.pairs,
            &self.expected,
            tolerance_m,
            &mut self.explained,
        )?;
        let share = fit.inliers as f64 / self.pairs.len() as f64;
        (fit.inliers >= LEAST_INLIERS && share >= LEAST_SHARE).then_some(fit)
    }

    /// The object is where its points say.
    pub(super) fn settle(&mut self, scene: &Scene<'_>, fit: Fit) {
        let before = self.motion;
        let middle = self.middle_m();
        self.motion.now_from_then = fit.motion;
        self.motion.sight = Sight::Seen;
        let step_m = fit.motion * middle - before.now_from_then * middle;
        let goes_on = before.sight == Sight::Seen && step_m.norm() < MOST_STEP_M;
        self.step_m = if goes_on { step_m } else { Vector3::zeros() };
        self.renew(scene);
        for ((index, spot), explained) in self.owners.iter().zip(&self.explained) {
            if *explained {
                (self.points[*index].last, self.points[*index].is_live) = (*spot, true);
            }
        }
        let live = self.points.iter().filter(|point| point.is_live).count();
        self.motion.agreement = (fit.inliers as f64 / live.max(1) as f64).min(1.0);
    }

    /// The object is somewhere else than expected: found by its looks.
    pub(super) fn found_at(&mut self, scene: &Scene<'_>, motion: Isometry3<f64>, agreement: f64) {
        self.motion = Motion {
            now_from_then: motion,
            sight: Sight::Seen,
            agreement,
        };
        self.step_m = Vector3::zeros();
        self.renew(scene);
    }

    /// The object is not seen; it has gone along with the hand, if that carries it.
    pub(super) fn miss(&mut self, scene: &Scene<'_>, carried: bool) {
        self.step_m = Vector3::zeros();
        if carried {
            self.motion.now_from_then = self.expected;
        }
        let hidden = self.renew(scene);
        self.motion.sight = match (carried, 2 * hidden >= self.points.len()) {
            (true, _) => Sight::Carried,
            (false, true) => Sight::Hidden,
            (false, false) => Sight::Lost,
        };
    }

    /// Puts every point where the motion has it, and says how many are hidden or out of the picture.
    fn renew(&mut self, scene: &Scene<'_>) -> usize {
        let mut hidden = 0;
        for point in &mut self.points {
            point.is_live = false;
            let Some((at, depth_m)) = projected(scene, self.motion.now_from_then * point.then_m)
            else {
                hidden += 1;
                continue;
            };
            match depth_at(scene, at, depth_m * 1e3, FRONT_MM) {
                Depth::Found(_) => (point.last, point.is_live) = (at, true),
                Depth::Hidden => hidden += 1,
                Depth::Unknown => {}
            }
        }
        hidden
    }

    /// The middle of the points as they were at the start, m.
    pub(super) fn middle_m(&self) -> Point3<f64> {
        let sum: Vector3<f64> = self.points.iter().map(|point| point.then_m.coords).sum();
        Point3::from(sum / self.points.len().max(1) as f64)
    }
}

/// Where a world point shows in the scene, and its depth, m; none outside the picture.
fn projected(scene: &Scene<'_>, point_m: Point3<f64>) -> Option<(Spot, f64)> {
    let ([u, v], depth_m) = scene.camera.project(point_m.coords.into())?;
    let inside =
        u > 0.0 && v > 0.0 && u < scene.frame.width as f64 && v < scene.frame.height as f64;
    inside.then_some((((u - 0.5) as f32, (v - 0.5) as f32), depth_m))
}

fn world(scene: &Scene<'_>, (x, y): Spot, depth_m: f64) -> Point3<f64> {
    let (u, v) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
    Point3::from(scene.camera.back_project(u, v, depth_m))
}

/// Depth at a spot where the object's should be about `expected_mm`: the median of what is near it among
/// the nine pixels there, so that holes and pixels between near and far do not count.
fn depth_at(scene: &Scene<'_>, (x, y): Spot, expected_mm: f64, reach_mm: f64) -> Depth {
    let (width, height) = (scene.frame.width as i64, scene.frame.height as i64);
    let (column, row) = (x.round() as i64, y.round() as i64);
    let mut near = [0.0; 9];
    let (mut count, mut in_front, mut known) = (0, 0, 0);
    for pixel in 0..9 {
        let (u, v) = (column + pixel % 3 - 1, row + pixel / 3 - 1);
        if u < 0 || v < 0 || u >= width || v >= height {
            continue;
        }
        let mm = f64::from(scene.depth_mm[(v * width + u) as usize]);
        if mm == 0.0 {
            continue;
        }
        known += 1;
        if mm < expected_mm - reach_mm {
            in_front += 1;
        }
        if (mm - expected_mm).abs() < reach_mm {
            near[count] = mm;
            count += 1;
        }
    }
    if known > 0 && 2 * in_front > known {
        return Depth::Hidden;
    }
    if count < 3 {
        return Depth::Unknown;
    }
    let near = &mut near[..count];
    let middle = count / 2;
    Depth::Found(*near.select_nth_unstable_by(middle, f64::total_cmp).1 * 1e-3)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
