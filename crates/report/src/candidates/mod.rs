//! What a sampler had to choose from, and how it came about: candidate trajectories over the scene,
//! and beside them the sampling steps.

mod steps;
mod view;

use std::path::Path;

use image::{Rgb, RgbImage};

use crate::mark::{draw_disc, draw_hand};
use crate::picture::Picture;
use crate::scale::{Scale, colour};
use crate::sheet::{self, INK, ZOOM, put};
use crate::text::width;
use crate::{Axis, Mark, MarkKind, ReportError, save_small};

/// Size of the picture, pixels: as wide as a slide.
const SIZE: [u32; 2] = [1600, 900];
/// Where one view lies, or two: left, top, width, height.
const ROOM: [i32; 4] = [24, 100, 740, 740];
const ROOMS: [[i32; 4]; 2] = [[84, 128, 660, 310], [84, 506, 660, 310]];
/// The colour bar, likewise.
const BAR: [i32; 4] = [784, 132, 20, 708];
/// What has no reward.
const PLAIN: Rgb<u8> = Rgb([40, 120, 190]);

/// The candidates of one chunk and the steps that led to them. `B` particles, `S` steps.
#[derive(Clone, Debug, Default)]
pub struct CandidatesPicture<'a> {
    /// One line above everything.
    pub title: String,
    /// A smaller line below it.
    pub caption: String,
    /// One view, or two that are drawn one above the other.
    pub views: Vec<CandidateView<'a>>,
    /// `[B]`; not a number where there is none.
    pub rewards: Vec<f64>,
    /// The candidate that is executed.
    pub selected: usize,
    /// `[S]`.
    pub steps: Vec<CandidateStep>,
    /// Effective sample size below which particles are resampled, if they ever are.
    pub ess_threshold: Option<f64>,
}

/// Where the candidates lie in the scene.
#[derive(Clone, Debug, Default)]
pub struct CandidateView<'a> {
    /// Stands above the view.
    pub title: String,
    /// Coordinates to the right, in metres or in pixels of the image.
    pub across: Axis,
    /// Coordinates upward, likewise.
    pub up: Axis,
    /// Fills the view; without it the axes have ticks in metres.
    pub image: Option<Picture<'a>>,
    /// A trajectory a candidate, `[B]`; empty for those that are not drawn.
    pub paths: Vec<Vec<[f64; 2]>>,
    /// Keypoints and hand.
    pub marks: Vec<Mark>,
}

/// One sampling step.
#[derive(Clone, Debug, Default)]
pub struct CandidateStep {
    /// What pushed the particles: `free`, `diversity` or `guided`.
    pub phase: &'static str,
    /// Rewards `[B]` of the chunks that the particles are heading for; not a number where unknown.
    pub rewards: Vec<f64>,
    /// Root mean squares `[B]` of the reward's gradients; not a number where none was taken.
    pub gradient_norms: Vec<f64>,
    /// What the normalised gradient was multiplied by.
    pub strength: f64,
    /// Effective sample size.
    pub ess: f64,
    /// After a resampling: the particle that each particle became a copy of.
    pub ancestors: Option<Vec<usize>>,
}

impl CandidatesPicture<'_> {
    /// Draws the picture and writes it as a PNG file.
    ///
    /// # Errors
    /// [`ReportError`] with the file that could not be written.
    pub fn write(&self, path: &Path) -> Result<(), ReportError> {
        save_small(&self.draw(), path)
    }

    /// Draws the picture, 1600 x 900 pixels.
    #[must_use]
    pub fn draw(&self) -> RgbImage {
        let caption = std::slice::from_ref(&self.caption);
        let mut picture = sheet::begin(SIZE, &self.title, caption);
        let scale = Scale::of(self.rewards.iter().copied());
        let rooms: &[[i32; 4]] = if self.views.len() > 1 {
            &ROOMS
        } else {
            &[ROOM]
        };
        for (view, room) in self.views.iter().zip(rooms) {
            view::draw(&mut picture, self, view, *room, &scale);
        }
        if self.rewards.iter().any(|reward| reward.is_finite()) {
            sheet::draw_bar(&mut picture, BAR, "reward", &scale);
        }
        self.draw_legend(&mut picture);
        steps::draw(&mut picture, self, &scale);
        sheet::finish(&picture)
    }

    /// The colour of a candidate.
    fn colour(&self, particle: usize, scale: &Scale) -> Rgb<u8> {
        match self.rewards.get(particle) {
            Some(reward) if reward.is_finite() => colour(scale.share(*reward)),
            _ => PLAIN,
        }
    }

    /// Candidates in the order in which they are drawn: the best ones on top, the executed one last.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rewards.len()).collect();
        let key = |particle: usize| match self.rewards[particle] {
            reward if reward.is_nan() => f64::NEG_INFINITY,
            reward => reward,
        };
        order.sort_by(|&a, &b| {
            let executed = (a == self.selected).cmp(&(b == self.selected));
            executed.then(key(a).total_cmp(&key(b)))
        });
        order
    }

    fn draw_legend(&self, picture: &mut RgbImage) {
        let y = SIZE[1] as i32 - 32;
        let mut x = 44;
        let marks = || self.views.iter().flat_map(|view| &view.marks);
        for (name, is_there) in [
            ("hand", marks().any(|mark| mark.kind == MarkKind::Hand)),
            (
                "keypoint that the stage uses",
                marks().any(|mark| matches!(mark.kind, MarkKind::Used(_))),
            ),
            (
                "other keypoint",
                marks().any(|mark| matches!(mark.kind, MarkKind::Other(_))),
            ),
        ] {
            if !is_there {
                continue;
            }
            let at = [x * ZOOM, y * ZOOM];
            match name {
                "hand" => draw_hand(picture, at),
                _ => draw_disc(picture, at, "", name != "other keypoint"),
            }
            put(picture, [x + 20, y - 10], 16.0, 400, INK, name);
            x += 20 + width(name, 16.0) as i32 + 40;
        }
    }
}

#[cfg(test)]
mod tests;
