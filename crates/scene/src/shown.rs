//! Things that a viewer can draw.

use tiller_core::Pose;

use crate::{Camera, Colour};

/// One thing at one place and time.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Where it belongs, parts divided by `/`; what comes later at the same path takes its place.
    pub path: String,
    /// Robot time, ns; none before the first stamp was heard.
    pub stamp_ns: Option<u64>,
    /// What it is.
    pub what: What,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A colour picture, three bytes a pixel, row-major.
    Picture {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Red, green, blue.
        rgb: Vec<u8>,
    },
    /// Depth, metres, row-major; 0 where it is not known.
    Depth {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Along the optical axis.
        metres: Vec<f32>,
    },
    /// A number a pixel that says what is there.
    Labels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Row-major.
        ids: Vec<u8>,
        /// What numbers stand for, where that is known.
        names: Vec<(u8, String)>,
    },
    /// From where, and with what lens, the pictures at this path are taken.
    Camera(Camera),
    /// Points in a picture, pixels.
    Points2 {
        /// `[x, y]` each.
        at: Vec<[f32; 2]>,
        /// One each.
        colours: Vec<Colour>,
        /// One each, or none at all.
        names: Vec<String>,
    },
    /// Boxes in a picture: `[x, y, width, height]` each, pixels.
    Boxes2 {
        /// Upper left corner and size.
        at: Vec<[f32; 4]>,
        /// One each, or none at all.
        names: Vec<String>,
    },
    /// Points in space.
    Points3 {
        /// Metres.
        at: Vec<[f32; 3]>,
        /// One each, or one for all.
        colours: Vec<Colour>,
        /// Radius, m.
        radius_m: f32,
        /// One each, or none at all.
        names: Vec<String>,
    },
    /// Lines in space.
    Lines3 {
        /// The corners of each, metres.
        strips: Vec<Vec<[f32; 3]>>,
        /// One each, or one for all.
        colours: Vec<Colour>,
        /// Radius, m.
        radius_m: f32,
    },
    /// A pose, drawn as its axes.
    Axes(Pose),
    /// Values of a plot, one of each of its curves.
    Series(Vec<f64>),
    /// A line of a log.
    Line {
        /// How grave it is.
        gravity: Gravity,
        /// The line.
        text: String,
    },
    /// A page in Markdown.
    Page(String),
    /// Nothing any more: what was there is over.
    Gone,
}

/// How grave a line of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gravity {
    /// All is well.
    Info,
    /// It goes on, but not as wished.
    Warning,
    /// It does not go on.
    Error,
}

impl What {
    /// Whether it is large and the next one takes its place: what a viewer that is late leaves out first.
    #[must_use]
    pub fn is_heavy(&self) -> bool {
        match self {
            Self::Picture { .. } | Self::Depth { .. } | Self::Labels { .. } => true,
            Self::Points3 { at, .. } => at.len() > 1_000,
            _ => false,
        }
    }
}
