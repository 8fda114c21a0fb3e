//! Pixels through time: pyramidal Lucas-Kanade, forward and back.

use image::GrayImage;
use optical_flow_lk::{
    DEFAULT_MIN_EIGEN_THRESHOLD, TrackOptions, TrackParams, TrackResult, TrackStatus,
    TrackerContext,
};

use crate::frame::FrameView;

/// Levels of the image pyramid: on coarser ones a window of this size holds more of a thing's
/// surroundings than of the thing, and patterns that repeat within it mislead.
const LEVELS: usize = 2;
const OPTIONS: TrackOptions = TrackOptions::new().with_fb_levels(1);
/// An image's height is this many windows; a window holds a part of a thing, not the table around it.
const WINDOWS: usize = 28;
/// Narrowest and widest window, pixels.
const WINDOW: [usize; 2] = [9, 21];
const ITERATIONS: usize = 20;
/// Way and way back may miss each other by this much, pixels.
const ROUND_TRIP: f32 = 0.7;
/// Mean difference of grey between a window and where it is found again, at most.
const UNLIKE: f32 = 24.0;

/// An image position with the centre of the first pixel at (0, 0), as the method has it.
pub(super) type Spot = (f32, f32);

/// The pictures between which spots are followed.
#[derive(Default)]
pub(super) struct Lens {
    first: GrayImage,
    now: GrayImage,
    /// From the first picture to this one.
    since_first: TrackerContext,
    /// From the last picture to this one.
    since_last: TrackerContext,
}

impl Lens {
    /// Begins with a picture.
    pub(super) fn start(&mut self, frame: &FrameView<'_>) {
        grey(frame, &mut self.now);
        self.first.clone_from(&self.now);
        self.since_last.advance(&self.now, LEVELS);
    }

    /// Takes the next picture; one of another size begins anew.
    pub(super) fn look(&mut self, frame: &FrameView<'_>) {
        let size = [frame.width as u32, frame.height as u32];
        if size != [self.first.width(), self.first.height()] {
            return self.start(frame);
        }
        grey(frame, &mut self.now);
        self.since_first.prepare(&self.first, &self.now, LEVELS);
        self.since_last.advance(&self.now, LEVELS);
    }

    /// The first picture's grey, row by row.
    pub(super) fn first(&self) -> &[u8] {
        self.first.as_raw()
    }

    /// Where spots of the first picture are in this one, sought near `expected`.
    pub(super) fn since_first(&mut self, spots: &[Spot], expected: &[Spot]) -> &[TrackResult] {
        let params = params(self.now.height());
        self.since_first
            .track_fb_with(spots, Some(expected), params, ROUND_TRIP, OPTIONS)
    }

    /// Where spots of the last picture are in this one, sought near `expected`.
    pub(super) fn since_last(&mut self, spots: &[Spot], expected: &[Spot]) -> &[TrackResult] {
        let params = params(self.now.height());
        self.since_last
            .track_fb_with(spots, Some(expected), params, ROUND_TRIP, OPTIONS)
    }
}

/// Whether a spot was found again.
pub(super) fn is_found(result: &TrackResult) -> bool {
    result.status == TrackStatus::Tracked && result.error < UNLIKE
}

/// Side of the window for pictures of this height, pixels; odd.
pub(super) fn window(height: usize) -> usize {
    (height / WINDOWS).clamp(WINDOW[0], WINDOW[1]) | 1
}

fn params(height: u32) -> TrackParams {
    TrackParams {
        window_size: window(height as usize),
        max_iterations: ITERATIONS,
        min_eigen_threshold: DEFAULT_MIN_EIGEN_THRESHOLD,
    }
}

/// Rec. 601 luma, in parts of 65 536, rounded.
fn grey(frame: &FrameView<'_>, image: &mut GrayImage) {
    let (width, height) = (frame.width as u32, frame.height as u32);
    if (image.width(), image.height()) != (width, height) {
        *image = GrayImage::new(width, height);
    }
    for (grey, rgb) in image.iter_mut().zip(frame.rgb.chunks_exact(3)) {
        let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(u32::from);
        *grey = ((19_595 * r + 38_470 * g + 7_471 * b + 32_768) >> 16) as u8;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIDE: usize = 96;

    /// Hills and valleys of grey, seen through a similarity: where a place of the first picture is.
    struct Texture {
        waves: Vec<[f64; 4]>,
    }

    #[derive(Debug, Clone, Copy)]
    struct Warp {
        shift: [f64; 2],
        turn_rad: f64,
        zoom: f64,
    }

    const MIDDLE: f64 = SIDE as f64 / 2.0;

    impl Warp {
        fn to(&self, [x, y]: [f64; 2]) -> [f64; 2] {
            let (sin, cos) = self.turn_rad.sin_cos();
            let (x, y) = (x - MIDDLE, y - MIDDLE);
            [
                MIDDLE + self.zoom * (cos * x - sin * y) + self.shift[0],
                MIDDLE + self.zoom * (sin * x + cos * y) + self.shift[1],
            ]
        }

        fn back(&self, [x, y]: [f64; 2]) -> [f64; 2] {
            let (sin, cos) = self.turn_rad.sin_cos();
            let x = (x - MIDDLE - self.shift[0]) / self.zoom;
            let y = (y - MIDDLE - self.shift[1]) / self.zoom;
            [MIDDLE + cos * x + sin * y, MIDDLE - sin * x + cos * y]
        }
    }

    impl Texture {
        fn picture(&self, warp: &Warp) -> Vec<u8> {
            let grey = |pixel: usize| {
                let place = [(pixel % SIDE) as f64, (pixel / SIDE) as f64];
                let [x, y] = warp.back(place);
                let waves = self.waves.iter();
                let sum: f64 = waves
                    .map(|[u, v, phase, size]| size * (u * x + v * y + phase).sin())
                    .sum();
                (128.0 + 300.0 * sum / self.waves.len() as f64).clamp(0.0, 255.0) as u8
            };
            (0..SIDE * SIDE)
                .flat_map(|pixel| [grey(pixel); 3])
                .collect()
        }
    }

    fn frame(rgb: &[u8]) -> FrameView<'_> {
        FrameView {
            width: SIDE,
            height: SIDE,
            rgb,
            depth_mm: None,
            segmentation: None,
            labels: &[],
            focal: [100.0; 2],
            principal_point: [MIDDLE; 2],
            world_from_camera: [0.0; 16],
            stamp_ns: 0,
        }
    }

    const WAVES: usize = 7;

    /// Waves from 7 to 20 pixels long, in directions that leave no room for one alone.
    fn texture() -> impl Strategy<Value = Texture> {
        let wave = (
            0.31f64..0.9,
            -0.2f64..0.2,
            0.0f64..std::f64::consts::TAU,
            0.5f64..1.5,
        );
        prop::collection::vec(wave, WAVES).prop_map(|waves| {
            let turned = (0..).zip(waves).map(|(n, (k, off, phase, size))| {
                let angle = std::f64::consts::PI * f64::from(n) / WAVES as f64 + off;
                [k * angle.cos(), k * angle.sin(), phase, size]
            });
            Texture {
                waves: turned.collect(),
            }
        })
    }

    impl std::fmt::Debug for Texture {
        fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(out, "{:?}", self.waves)
        }
    }

    /// Spots well inside the picture.
    fn spots() -> Vec<Spot> {
        let places = (0..36).map(|n| (26 + 8 * (n % 6), 26 + 8 * (n / 6)));
        places.map(|(x, y)| (x as f32, y as f32)).collect()
    }

    const STILL: Warp = Warp {
        shift: [0.0; 2],
        turn_rad: 0.0,
        zoom: 1.0,
    };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn spots_are_followed_through_warps(
            texture in texture(),
            shift in prop::array::uniform2(-3.0f64..3.0),
            turn_rad in -0.06f64..0.06,
            zoom in 0.96f64..1.04,
        ) {
            let warp = Warp { shift, turn_rad, zoom };
            let [first, second] = [STILL, warp].map(|warp| texture.picture(&warp));
            let spots = spots();
            let mut lens = Lens::default();
            lens.start(&frame(&first));
            lens.look(&frame(&second));
            for pass in [Lens::since_first, Lens::since_last] {
                let found = pass(&mut lens, &spots, &spots);
                let mut good = 0;
                let mut close = 0;
                for (spot, result) in spots.iter().zip(found) {
                    let [x, y] = warp.to([f64::from(spot.0), f64::from(spot.1)]);
                    if is_found(result) {
                        good += 1;
                        let off = (f64::from(result.pos.0) - x).hypot(f64::from(result.pos.1) - y);
                        close += usize::from(off < 0.25);
                    }
                }
                prop_assert!(good >= 18, "{good} of {}", spots.len());
                prop_assert!(10 * close >= 9 * good, "{close} of {good}");
            }
        }

        #[test]
        fn what_was_covered_is_not_taken_for_standing_still(texture in texture()) {
            let waves = texture.waves.iter();
            let across = waves.map(|[u, v, phase, size]| [-0.7 * v, 0.7 * u, phase + 2.0, *size]);
            let other = Texture { waves: across.collect() };
            let (first, second) = (texture.picture(&STILL), other.picture(&STILL));
            let mut lens = Lens::default();
            lens.start(&frame(&first));
            lens.look(&frame(&second));
            let spots = spots();
            let found = lens.since_first(&spots, &spots).iter().zip(&spots);
            let stands = found.filter(|(result, spot)| {
                let off = (result.pos.0 - spot.0).hypot(result.pos.1 - spot.1);
                is_found(result) && off < 0.5
            });
            let stands = stands.count();
            prop_assert!(stands < 6, "{stands} of {}", spots.len());
        }
    }
}
