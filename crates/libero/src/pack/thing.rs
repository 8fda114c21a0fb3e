//! Objects, fixtures and regions of a task.

use serde::{Deserialize, Serialize};

/// Ranges of a joint in which an articulated thing counts as this or that, as the package has them; it
/// compares with one end of each, see [`predicates`](crate::predicates).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Articulation {
    /// Rad or m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<[f64; 2]>,
    /// Rad or m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<[f64; 2]>,
    /// Rad or m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turnon: Option<[f64; 2]>,
    /// Rad or m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turnoff: Option<[f64; 2]>,
}

/// What predicates are about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Thing {
    /// An object that moves, or a fixture.
    Object {
        /// Whether the reset places it and it stays there.
        is_fixture: bool,
        /// `akita_black_bowl`.
        category: String,
        /// Its root body in the scene.
        body: String,
        /// Geoms that touch.
        contact_geoms: Vec<String>,
        /// All its joints.
        joints: Vec<String>,
        /// When it counts as open, closed, on, off.
        articulation: Articulation,
        /// Sites that are shown while it is turned on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lit_sites: Vec<String>,
    },
    /// A region: a box that is fixed to a thing or to the arena.
    Site {
        /// Its site in the scene.
        site: String,
        /// Half of its extent along its own axes, m.
        half_size_m: [f64; 3],
        /// The thing that it is a part of; none for the arena's.
        parent: Option<String>,
        /// Joints that open and close it.
        joints: Vec<String>,
    },
}

impl Thing {
    /// Joints whose positions say whether it is open or turned on.
    #[must_use]
    pub fn joints(&self) -> &[String] {
        match self {
            Self::Object { joints, .. } | Self::Site { joints, .. } => joints,
        }
    }
}
