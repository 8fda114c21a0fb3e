//! Cameras, boards and arms of which everything is known.

#![allow(dead_code, reason = "each test uses a part of it")]

use image::GrayImage;
use nalgebra::{Isometry3, Point3, Translation3, UnitQuaternion, Vector3};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use tiller_calibration::{Board, Corner, Lens, Mount, Setup, Solution, View};
use tiller_core::Pose;

/// Width and height of all pictures, pixels.
pub(crate) const SIZE: [u32; 2] = [640, 480];

/// Pixels of a square in the picture that is warped.
const PRINT: u32 = 96;
/// Shade of what is beside it.
const BESIDE: f64 = 110.0;

pub(crate) fn board() -> Board {
    Board::new(7, 5, 0.03, 0.022, "DICT_4X4_50").unwrap()
}

pub(crate) fn lens() -> Lens {
    Lens {
        focal: [602.0, 598.0],
        principal_point: [331.0, 236.0],
    }
}

pub(crate) fn setup(mount: Mount, lens: Option<Lens>) -> Setup {
    Setup {
        mount,
        size: SIZE,
        lens,
    }
}

/// A seeded source of numbers.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (f64::from(self.0.next_u32()) + 0.5) / f64::from(u32::MAX)
    }

    /// Normally distributed with deviation 1, after Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let length = (-2.0 * self.between(0.0, 1.0).max(1e-12).ln()).sqrt();
        length * (std::f64::consts::TAU * self.between(0.0, 1.0)).cos()
    }
}

/// A camera, a board, and how far the board is tilted and turned in the views of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rig {
    pub(crate) mount: Mount,
    /// `world_from_camera` or `tool_from_camera`.
    pub(crate) camera: Isometry3<f64>,
    /// `tool_from_board` or `base_from_board`.
    pub(crate) board: Isometry3<f64>,
    pub(crate) lens: Lens,
    pub(crate) tilt_deg: f64,
    pub(crate) roll_deg: f64,
}

pub(crate) fn rig(mount: Mount) -> Rig {
    let pose = |place: [f64; 3], angles: [f64; 3]| {
        let rotation = UnitQuaternion::from_euler_angles(angles[0], angles[1], angles[2]);
        Isometry3::from_parts(Translation3::from(Vector3::from(place)), rotation)
    };
    let (camera, board) = match mount {
        Mount::Base => (
            pose([1.26, 0.1, 0.74], [-2.3, 0.1, 1.6]),
            pose([0.02, -0.05, 0.06], [0.3, -0.2, 1.0]),
        ),
        Mount::Hand => (
            pose([0.05, -0.01, 0.04], [0.1, -0.05, 1.5]),
            pose([0.5, 0.1, 0.02], [3.1, 0.05, -0.4]),
        ),
    };
    Rig {
        mount,
        camera,
        board,
        lens: lens(),
        tilt_deg: 38.0,
        roll_deg: 50.0,
    }
}

impl Rig {
    /// `camera_from_board` in `count` views: all of the board is in the picture.
    pub(crate) fn sights(&self, count: usize, random: &mut Random) -> Vec<Isometry3<f64>> {
        let middle = Vector3::new(0.105, 0.075, 0.0);
        let mut one = || {
            let (about, tilt) = (
                random.between(0.0, std::f64::consts::TAU),
                random.between(0.3, 1.0) * self.tilt_deg.to_radians(),
            );
            let axis = Vector3::new(about.cos(), about.sin(), 0.0);
            let roll = random.between(-1.0, 1.0) * self.roll_deg.to_radians();
            let turn = UnitQuaternion::from_scaled_axis(axis * tilt)
                * UnitQuaternion::from_scaled_axis(Vector3::z() * roll);
            let place = Vector3::new(
                random.between(-0.05, 0.05),
                random.between(-0.03, 0.03),
                random.between(0.40, 0.55),
            );
            Isometry3::from_parts(Translation3::from(place - turn * middle), turn)
        };
        (0..count).map(|_| one()).collect()
    }

    /// The tool in the base frame where the camera sees the board like this.
    pub(crate) fn base_from_tool(&self, camera_from_board: &Isometry3<f64>) -> Isometry3<f64> {
        let link = self.camera * camera_from_board * self.board.inverse();
        match self.mount {
            Mount::Base => link,
            Mount::Hand => link.inverse(),
        }
    }

    /// Views with exact corners, or with normally distributed errors of so many pixels.
    pub(crate) fn views(&self, count: usize, noise_px: f64, random: &mut Random) -> Vec<View> {
        let board = board();
        let sights = self.sights(count, random);
        let view = |(index, sight): (usize, &Isometry3<f64>)| {
            let corner = |id: u32| {
                let point_m = board.corner_m(id)?;
                let pixel = self.lens.project(&(sight * Point3::from(point_m)))?;
                let pixel = pixel.map(|value| value + noise_px * random.normal());
                let [width, height] = SIZE.map(f64::from);
                let inside = (0.0..width).contains(&pixel[0]) && (0.0..height).contains(&pixel[1]);
                inside.then_some(Corner { id, pixel, point_m })
            };
            View {
                name: format!("view {index}"),
                base_from_tool: pose(&self.base_from_tool(sight)),
                corners: (0..board.corners()).filter_map(corner).collect(),
            }
        };
        sights.iter().enumerate().map(view).collect()
    }

    /// Distance (m) and angle (degrees) of a solution's camera from the true one.
    pub(crate) fn off(&self, solution: &Solution) -> (f64, f64) {
        let (metres, turn) = solution.camera.distance_to(&pose(&self.camera));
        (metres, turn.to_degrees())
    }

    /// The same of its board.
    pub(crate) fn board_off(&self, solution: &Solution) -> (f64, f64) {
        let (metres, turn) = solution.board.distance_to(&pose(&self.board));
        (metres, turn.to_degrees())
    }

    /// What the camera sees: the printed board on grey, 4 x 4 samples a pixel, with noise of 2 of 255.
    pub(crate) fn picture(&self, sight: &Isometry3<f64>, random: &mut Random) -> GrayImage {
        let board = board();
        let print = board.picture(PRINT);
        let eye = sight.inverse() * Point3::origin();
        // Where the print is seen at a place of the picture, pixels of the print.
        let print_at = |x: f64, y: f64| {
            let [focal, middle] = [self.lens.focal, self.lens.principal_point];
            let ray = Vector3::new((x - middle[0]) / focal[0], (y - middle[1]) / focal[1], 1.0);
            let ray = sight.rotation.inverse() * ray;
            let at = eye - ray * (eye.z / ray.z);
            [at.x, at.y].map(|metres| (metres / board.square_m() + 0.5) * f64::from(PRINT))
        };
        let [width, height] = [print.width(), print.height()].map(f64::from);
        let margin = f64::from(PRINT) / 2.0;
        let near = |value: f64, side: f64| (-margin..side + margin).contains(&value);
        GrayImage::from_fn(SIZE[0], SIZE[1], |column, row| {
            let [x, y] = print_at(f64::from(column) + 0.5, f64::from(row) + 0.5);
            let shade = if near(x, width) && near(y, height) {
                let sub = |pixel: u32, n: i32| f64::from(pixel) + (f64::from(n) + 0.5) / 4.0;
                let samples = (0..16).map(|n| print_at(sub(column, n % 4), sub(row, n / 4)));
                samples.map(|[x, y]| sampled(&print, x, y)).sum::<f64>() / 16.0
            } else {
                BESIDE
            };
            let value = 30.0 + 0.75 * shade + 2.0 * random.normal();
            image::Luma([value.round().clamp(0.0, 255.0) as u8])
        })
    }
}

/// The print at a place, between its four nearest pixels; grey beside it.
fn sampled(print: &GrayImage, x: f64, y: f64) -> f64 {
    let (left, top) = ((x - 0.5).floor(), (y - 0.5).floor());
    let (across, down) = (x - 0.5 - left, y - 0.5 - top);
    let at = |dx: f64, dy: f64| {
        let (x, y) = (left + dx, top + dy);
        let inside = x >= 0.0 && y >= 0.0;
        let pixel = inside.then(|| print.get_pixel_checked(x as u32, y as u32));
        pixel
            .flatten()
            .map_or(BESIDE, |pixel| f64::from(pixel.0[0]))
    };
    let row = |dy: f64| at(0.0, dy) * (1.0 - across) + at(1.0, dy) * across;
    row(0.0) * (1.0 - down) + row(1.0) * down
}

pub(crate) fn pose(isometry: &Isometry3<f64>) -> Pose {
    Pose::from_parts(isometry.translation.vector, &isometry.rotation)
}
