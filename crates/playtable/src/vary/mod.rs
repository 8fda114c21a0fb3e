//! Departures from the scenes that policies were trained on, along one axis at a time.
//!
//! Everything here is drawn from the episode's seed and the axis; the strength only scales what was drawn,
//! so that the three strengths of a seed are the same departure carried further.

mod apply;
mod looks;
mod parts;

pub(crate) use apply::Outcome;
pub(crate) use looks::dress;
pub(crate) use parts::{Fixture, Parts};

/// What a [`Variation`] departs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Axis {
    /// Furniture and blocks stand where they never stood.
    Position,
    /// Blocks have other sizes, everything has other colours and patterns.
    Object,
    /// The instruction has other words; the world is the plain one.
    Instruction,
    /// Distractors, another table height, another light, another pose of the static camera.
    Scene,
    /// Slippery and heavier blocks, stiffer furniture, commands that arrive late.
    Dynamics,
}

impl Axis {
    /// All axes.
    pub const ALL: [Axis; 5] = [
        Axis::Position,
        Axis::Object,
        Axis::Instruction,
        Axis::Scene,
        Axis::Dynamics,
    ];

    /// Identifier, such as `position`.
    pub fn name(self) -> &'static str {
        match self {
            Axis::Position => "position",
            Axis::Object => "object",
            Axis::Instruction => "instruction",
            Axis::Scene => "scene",
            Axis::Dynamics => "dynamics",
        }
    }

    /// The axis with that [`name`](Axis::name).
    ///
    /// ```
    /// use tiller_playtable::Axis;
    /// assert_eq!(Axis::from_name("scene"), Some(Axis::Scene));
    /// assert_eq!(Axis::from_name("weather"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Axis> {
        Axis::ALL.into_iter().find(|axis| axis.name() == name)
    }
}

/// A departure along one axis, at one of three strengths. [`Display`](std::fmt::Display) writes `scene 2`.
///
/// ```
/// use tiller_playtable::{Axis, PlayTable, Task, Variation};
/// let mut table = PlayTable::new()?;
/// let variation = Variation::new(Axis::Position, 3).expect("1 to 3");
/// table.reset_varied(7, &[Task::DrawerOpen], Some(variation));
/// let moved = table.objects().button_cap_m;
/// table.reset(7, Some(Task::DrawerOpen));
/// assert_ne!(moved, table.objects().button_cap_m);
/// # Ok::<(), tiller_playtable::PlayTableError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variation {
    axis: Axis,
    strength: u8,
}

impl Variation {
    /// Strengths that exist.
    pub const STRENGTHS: [u8; 3] = [1, 2, 3];

    /// A departure; `None` unless the strength is 1, 2 or 3.
    pub fn new(axis: Axis, strength: u8) -> Option<Self> {
        Self::STRENGTHS
            .contains(&strength)
            .then_some(Self { axis, strength })
    }

    /// What it departs in.
    pub fn axis(self) -> Axis {
        self.axis
    }

    /// How far: 1, 2 or 3.
    pub fn strength(self) -> u8 {
        self.strength
    }
}

impl std::fmt::Display for Variation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.axis.name(), self.strength)
    }
}
