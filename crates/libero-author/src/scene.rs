//! The keypoints as an author sees them: kinds of things, what tells them apart, and places.

use tiller_vlm::{Abilities, AuthorError, SceneKeypoint, things};

/// A keypoint of a kind that is known.
pub type Point = things::Point<Kind>;

/// One of a cabinet's three drawers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// The highest.
    Top,
    /// Between the others.
    Middle,
    /// The lowest.
    Bottom,
}

impl Level {
    pub(crate) const ALL: [Self; 3] = [Self::Top, Self::Middle, Self::Bottom];

    /// As it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::Middle => "middle",
            Self::Bottom => "bottom",
        }
    }
}

/// What a thing is, whatever its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A bowl.
    Bowl,
    /// A block of cream cheese.
    Cheese,
    /// A bottle.
    Bottle,
    /// A plate.
    Plate,
    /// A cabinet with drawers.
    Cabinet,
    /// One of its drawers.
    Drawer(Level),
    /// A stove.
    Stove,
    /// Where it cooks.
    Burner,
    /// What turns it on.
    Knob,
    /// A rack for bottles.
    Rack,
}

impl Kind {
    /// As it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Bowl => "bowl",
            Self::Cheese => "cream cheese",
            Self::Bottle => "bottle",
            Self::Plate => "plate",
            Self::Cabinet => "cabinet",
            Self::Drawer(Level::Top) => "top drawer",
            Self::Drawer(Level::Middle) => "middle drawer",
            Self::Drawer(Level::Bottom) => "bottom drawer",
            Self::Stove => "stove",
            Self::Burner => "burner",
            Self::Knob => "knob",
            Self::Rack => "rack",
        }
    }

    /// What can be carried.
    pub(crate) fn is_loose(self) -> bool {
        matches!(self, Self::Bowl | Self::Cheese | Self::Bottle | Self::Plate)
    }
}

/// How names of keypoints end, the longest endings first.
const ENDINGS: [(&str, Kind); 12] = [
    ("top drawer", Kind::Drawer(Level::Top)),
    ("middle drawer", Kind::Drawer(Level::Middle)),
    ("bottom drawer", Kind::Drawer(Level::Bottom)),
    ("cream cheese", Kind::Cheese),
    ("bowl", Kind::Bowl),
    ("bottle", Kind::Bottle),
    ("plate", Kind::Plate),
    ("cabinet", Kind::Cabinet),
    ("burner", Kind::Burner),
    ("knob", Kind::Knob),
    ("stove", Kind::Stove),
    ("rack", Kind::Rack),
];

/// Checked keypoints.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    points: Vec<Point>,
}

impl Scene {
    /// Checks the positions and finds out what is what. Keypoints of unknown things are left out.
    pub(crate) fn new(keypoints: &[SceneKeypoint]) -> Result<Self, AuthorError> {
        let points = things::points(keypoints, &ENDINGS)?;
        Ok(Self { points })
    }

    /// The things of a kind.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(move |point| point.kind == kind)
    }

    /// A part of a thing: a cabinet's drawer, a stove's knob. Parts are called after their thing.
    pub(crate) fn part(&self, of: &Point, kind: Kind) -> Option<&Point> {
        let mut parts = self.of(kind);
        parts.find(|part| part.name.starts_with(&of.name))
    }

    /// Whether the word is part of a name here.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.points.iter().any(|point| point.is_called(word))
    }

    /// Some instructions that would work here, at least one about every thing.
    pub(crate) fn abilities(&self) -> Abilities {
        let mut can = Vec::new();
        for level in [Level::Top, Level::Middle] {
            can.extend(self.of(Kind::Drawer(level)).take(1).map(|point| {
                let word = point.kind.word();
                format!("open the {word}")
            }));
        }
        if self.of(Kind::Knob).next().is_some() {
            can.push("turn on the stove".to_owned());
        }
        let places = [
            (Kind::Plate, "on the plate"),
            (Kind::Burner, "on the stove"),
            (Kind::Bowl, "in the bowl"),
            (Kind::Cabinet, "on the cabinet"),
            (Kind::Rack, "on the rack"),
        ];
        for point in self.points.iter().filter(|point| point.kind.is_loose()) {
            let mut others = places
                .iter()
                .filter(|(kind, _)| *kind != point.kind && self.of(*kind).next().is_some());
            let place = others.next();
            can.push(match place {
                Some((_, place)) => format!("put the {} {place}", point.name),
                None => format!("pick up the {}", point.name),
            });
        }
        Abilities(can)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keypoint(index: usize, name: &str, x: f64) -> SceneKeypoint {
        SceneKeypoint {
            index,
            name: name.to_owned(),
            position_m: [x, 0.0, 0.0],
        }
    }

    #[test]
    fn things_are_known_by_how_their_names_end() {
        let names = [
            "Yellow Cabinet",
            "yellow cabinet top drawer",
            "bigger akita black bowl 1",
            "red cream cheese",
            "teapot",
            "notaplate",
        ];
        let keypoints: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(index, name)| keypoint(index, name, 0.5))
            .collect();
        let scene = Scene::new(&keypoints).unwrap();
        let kinds: Vec<_> = scene.points.iter().map(|point| point.kind).collect();
        let drawer = Kind::Drawer(Level::Top);
        assert_eq!(kinds, [Kind::Cabinet, drawer, Kind::Bowl, Kind::Cheese]);
        let cabinet = scene.of(Kind::Cabinet).next().unwrap();
        assert_eq!(scene.part(cabinet, drawer).map(|part| part.index), Some(1));
        assert!(scene.knows("akita") && !scene.knows("teapot"));
    }
}
