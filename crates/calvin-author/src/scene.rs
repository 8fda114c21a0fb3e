//! What is in CALVIN's scene, as an author sees it.

use tiller_vlm::{Abilities, AuthorError, SceneKeypoint, things};

/// A keypoint of a thing that is known.
pub type Point = things::Point<Kind>;

/// What a thing is, whatever its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A block.
    Block,
    /// The drawer's front.
    Drawer,
    /// The bar on it.
    DrawerHandle,
    /// The sliding door.
    Slide,
    /// The bar on it.
    SlideHandle,
    /// The button, which toggles the LED.
    Button,
    /// The lever, which turns the light bulb on and off.
    Switch,
    /// The LED.
    Led,
    /// The light bulb.
    Bulb,
}

impl Kind {
    /// As its keypoint is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Drawer => "drawer",
            Self::DrawerHandle => "drawer handle",
            Self::Slide => "slide",
            Self::SlideHandle => "slide handle",
            Self::Button => "button",
            Self::Switch => "switch",
            Self::Led => "led",
            Self::Bulb => "light",
        }
    }
}

/// How names of keypoints end.
const ENDINGS: [(&str, Kind); 9] = [
    ("drawer handle", Kind::DrawerHandle),
    ("slide handle", Kind::SlideHandle),
    ("block", Kind::Block),
    ("drawer", Kind::Drawer),
    ("slide", Kind::Slide),
    ("button", Kind::Button),
    ("switch", Kind::Switch),
    ("led", Kind::Led),
    ("light", Kind::Bulb),
];

/// Where a block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// On the table, before the sliding door.
    Table,
    /// On the shelf, behind the sliding door or beside it.
    Shelf,
    /// In the drawer.
    Drawer,
}

impl Spot {
    /// The shelf begins here along y, and the drawer's floor is below this height, m.
    const SHELF_Y_M: f64 = 0.47;
    const DRAWER_Z_M: f64 = 0.18;

    /// Where a block lies by where it is seen.
    pub(crate) fn of(block: &Point) -> Self {
        let [_, y, z] = block.position_m;
        if z < Self::DRAWER_Z_M {
            Self::Drawer
        } else if y > Self::SHELF_Y_M {
            Self::Shelf
        } else {
            Self::Table
        }
    }

    /// In words.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Table => "on the table",
            Self::Shelf => "on the shelf",
            Self::Drawer => "in the drawer",
        }
    }
}

/// Checked keypoints.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    points: Vec<Point>,
}

impl Scene {
    /// Checks the positions and finds out what is what.
    pub(crate) fn new(keypoints: &[SceneKeypoint]) -> Result<Self, AuthorError> {
        let points = things::points(keypoints, &ENDINGS)?;
        Ok(Self { points })
    }

    /// The things of a kind.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(move |point| point.kind == kind)
    }

    fn has(&self, kind: Kind) -> bool {
        self.of(kind).next().is_some()
    }

    /// Some instructions that would work here, at least one about every thing.
    pub(crate) fn abilities(&self) -> Abilities {
        let mut can = Vec::new();
        if self.has(Kind::DrawerHandle) {
            can.extend(["open the drawer", "close the drawer"].map(ToOwned::to_owned));
        }
        if self.has(Kind::SlideHandle) {
            can.extend(["move the slide left", "move the slide right"].map(ToOwned::to_owned));
        }
        if self.has(Kind::Button) && self.has(Kind::Led) {
            can.push("turn on the led".to_owned());
        }
        if self.has(Kind::Switch) && self.has(Kind::Bulb) {
            can.push("turn on the light bulb".to_owned());
        }
        for block in self.of(Kind::Block) {
            can.push(format!("lift the {}", block.name));
        }
        Abilities(can)
    }
}
