//! The predicates of BDDL goals, as the package evaluates them.
//!
//! They read positions of bodies and sites and contacts as `MuJoCo` computed them at the beginning of the last
//! physics step, but joints as that step left them: the package looks there too.

use mujoco_rs::prelude::{MjData, MjModel};
use nalgebra::{Matrix3, Vector3};
use tiller_core::Problems;

use crate::names::Names;
use crate::pack::{Articulation, Pack, Thing};

/// Two objects are on each other only if their centres are this near in the plane, m.
const ON_OBJECT_M: f64 = 0.03;
/// A region reaches this much below its box when something is to be in it, m.
const IN_BELOW_M: f64 = 0.01;
/// How far the centre of what lies on a region may be below its upper face, m.
const ON_BELOW_M: f64 = 0.005;
/// How far it may be above, m.
const ON_ABOVE_M: f64 = 0.10;
/// Height from which on a thing is up, m.
const UP_M: f64 = 1.0;

/// What a predicate says of its things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The first one's centre is in the second one, a region.
    In,
    /// The first one lies on the second one.
    On,
    /// It is lifted.
    Up,
    /// Any joint is in the open range.
    Open,
    /// All joints are in the closed range.
    Close,
    /// Any joint is in the range of on.
    TurnOn,
    /// All joints are in the range of off.
    TurnOff,
}

/// What may stand in a place of a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Anything,
    Object,
    Region,
    Joints,
}

/// On which side of a number a joint has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Threshold {
    Below(f64),
    Above(f64),
    AtLeast(f64),
}

impl Threshold {
    fn holds(self, joint: f64) -> bool {
        match self {
            Self::Below(limit) => joint < limit,
            Self::Above(limit) => joint > limit,
            Self::AtLeast(limit) => joint >= limit,
        }
    }
}

impl Relation {
    /// As goals spell them, in lower case.
    pub const WORDS: [(&str, Self); 7] = [
        ("in", Self::In),
        ("on", Self::On),
        ("up", Self::Up),
        ("open", Self::Open),
        ("close", Self::Close),
        ("turnon", Self::TurnOn),
        ("turnoff", Self::TurnOff),
    ];

    /// How many things it is about.
    #[must_use]
    pub fn count(self) -> usize {
        if matches!(self, Self::In | Self::On) {
            2
        } else {
            1
        }
    }

    pub(crate) fn takes(self, place: usize) -> Takes {
        match (self, place) {
            (Self::In | Self::On, 0) => Takes::Object,
            // The package's objects cannot say whether something is in them.
            (Self::In, _) => Takes::Region,
            (Self::On | Self::Up, _) => Takes::Anything,
            _ => Takes::Joints,
        }
    }

    /// What it asks of a joint. Things that open towards negative positions are compared the other way round.
    pub(crate) fn threshold(self, ranges: &Articulation) -> Option<Threshold> {
        let low = |[a, b]: [f64; 2]| a.min(b);
        let high = |[a, b]: [f64; 2]| a.max(b);
        let opens_down = |open| low(open) < 0.0;
        Some(match self {
            Self::Open if opens_down(ranges.open?) => Threshold::Below(high(ranges.open?)),
            Self::Open => Threshold::Above(low(ranges.open?)),
            Self::Close if opens_down(ranges.open?) => Threshold::Above(low(ranges.close?)),
            Self::Close => Threshold::Below(high(ranges.close?)),
            Self::TurnOn => Threshold::AtLeast(low(ranges.turnon?)),
            Self::TurnOff => Threshold::Below(high(ranges.turnoff?)),
            Self::In | Self::On | Self::Up => return None,
        })
    }
}

/// A condition on things, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    /// What it says.
    pub relation: Relation,
    /// Of what.
    pub first: String,
    /// And of what it is in or on.
    pub second: Option<String>,
}

/// A body or a site.
#[derive(Debug, Clone, Copy)]
enum Place {
    Body(usize),
    Site(usize),
}

impl Place {
    fn position(self, data: &MjData<Box<MjModel>>) -> Vector3<f64> {
        Vector3::from(match self {
            Self::Body(id) => data.xpos()[id],
            Self::Site(id) => data.site_xpos()[id],
        })
    }
}

/// A box that a site marks.
#[derive(Debug, Clone, Copy)]
struct Region {
    site: usize,
    half_m: Vector3<f64>,
}

impl Region {
    fn pose(self, data: &MjData<Box<MjModel>>) -> (Vector3<f64>, Matrix3<f64>) {
        let rotation = Matrix3::from_row_slice(&data.site_xmat()[self.site]);
        (Place::Site(self.site).position(data), rotation)
    }

    /// The package turns the half extents as if they were a vector; for boxes turned by multiples of a
    /// right angle that is their extent along the world's axes.
    fn contains(self, data: &MjData<Box<MjModel>>, position: Vector3<f64>) -> bool {
        let (centre, rotation) = self.pose(data);
        let reach = (rotation * self.half_m).abs();
        let (mut low, high) = (centre - reach, centre + reach);
        low.z -= IN_BELOW_M;
        (0..3).all(|axis| low[axis] < position[axis] && position[axis] < high[axis])
    }

    /// The package turns the offset forwards, not back.
    fn carries(self, data: &MjData<Box<MjModel>>, position: Vector3<f64>) -> bool {
        let (centre, rotation) = self.pose(data);
        let offset = rotation * (position - centre);
        let top = self.half_m.z;
        top - ON_BELOW_M < offset.z
            && offset.z < top + ON_ABOVE_M
            && offset.x.abs() < self.half_m.x
            && offset.y.abs() < self.half_m.y
    }
}

/// Two groups of geoms, of which one may touch the other: by geom, bit 0 for the first, bit 1 for the second.
#[derive(Debug, Clone)]
struct Touching(Vec<u8>);

impl Touching {
    fn new(names: &mut Names<'_>, [first, second]: [(&str, &[String]); 2]) -> Self {
        let mut sides = vec![0; names.model.geom_bodyid().len()];
        for (bit, (at, geoms)) in [(1, first), (2, second)] {
            for name in geoms {
                let geom = names.geom(&format!("things.{at}.contact_geoms"), name);
                if let Some(side) = sides.get_mut(geom) {
                    *side |= bit;
                }
            }
        }
        Self(sides)
    }

    fn holds(&self, data: &MjData<Box<MjModel>>) -> bool {
        let side = |geom: i32| {
            let geom = usize::try_from(geom).ok();
            geom.and_then(|geom| self.0.get(geom)).copied().unwrap_or(0)
        };
        data.contact().iter().any(|contact| {
            let [a, b] = contact.geom.map(side);
            (a & 1 != 0 && b & 2 != 0) || (a & 2 != 0 && b & 1 != 0)
        })
    }
}

#[derive(Debug, Clone)]
enum Condition {
    In {
        thing: Place,
        region: Region,
    },
    OnRegion {
        thing: Place,
        region: Region,
        /// None for regions of the arena.
        touching: Option<Touching>,
    },
    OnObject {
        thing: Place,
        below: Place,
        touching: Touching,
    },
    Up(Place),
    Joints {
        places: Vec<usize>,
        threshold: Threshold,
        all: bool,
    },
}

impl Condition {
    fn holds(&self, data: &MjData<Box<MjModel>>) -> bool {
        match self {
            Self::In { thing, region } => region.contains(data, thing.position(data)),
            Self::OnRegion {
                thing,
                region,
                touching,
            } => {
                region.carries(data, thing.position(data))
                    && touching.as_ref().is_none_or(|it| it.holds(data))
            }
            Self::OnObject {
                thing,
                below,
                touching,
            } => {
                let (upper, lower) = (thing.position(data), below.position(data));
                lower.z <= upper.z
                    && (upper - lower).xy().norm() < ON_OBJECT_M
                    && touching.holds(data)
            }
            Self::Up(place) => place.position(data).z >= UP_M,
            Self::Joints {
                places,
                threshold,
                all,
            } => {
                let joints = data.qpos();
                let mut held = places.iter().map(|place| threshold.holds(joints[*place]));
                if *all {
                    held.all(|it| it)
                } else {
                    held.any(|it| it)
                }
            }
        }
    }
}

/// Evaluates predicates in a scene.
#[derive(Debug, Clone)]
pub(crate) struct Judge {
    conditions: Vec<Condition>,
}

impl Judge {
    /// Finds in the scene what the predicates are about, and notes what is not there.
    pub(crate) fn new(
        pack: &Pack,
        predicates: &[Predicate],
        model: &MjModel,
        problems: &mut Problems,
    ) -> Self {
        let mut names = Names { model, problems };
        let conditions = predicates
            .iter()
            .filter_map(|predicate| condition(pack, predicate, &mut names))
            .collect();
        Self { conditions }
    }

    /// Whether each holds, in their order.
    pub(crate) fn each<'a>(
        &'a self,
        data: &'a MjData<Box<MjModel>>,
    ) -> impl Iterator<Item = bool> + 'a {
        self.conditions.iter().map(|it| it.holds(data))
    }

    /// Whether all hold.
    pub(crate) fn all(&self, data: &MjData<Box<MjModel>>) -> bool {
        self.each(data).all(|it| it)
    }
}

/// `None` for what the pack's own check refuses.
fn condition(pack: &Pack, predicate: &Predicate, names: &mut Names<'_>) -> Option<Condition> {
    let thing = |name: &str| pack.thing(name);
    let (first_name, first) = (&*predicate.first, thing(&predicate.first)?);
    let second_name = predicate.second.as_deref();
    let second = second_name.and_then(thing);
    let at = place(first_name, first, names);
    Some(match predicate.relation {
        Relation::Up => Condition::Up(at),
        Relation::In => {
            let region = region(second_name?, second?, names)?;
            Condition::In { thing: at, region }
        }
        Relation::On => match second? {
            Thing::Site { parent, .. } => {
                let region = region(second_name?, second?, names)?;
                let parent = parent.as_deref();
                let touching = parent.map(|parent| {
                    let sides = [(parent, geoms(pack, parent)), (first_name, geoms_of(first))];
                    Touching::new(names, sides)
                });
                Condition::OnRegion {
                    thing: at,
                    region,
                    touching,
                }
            }
            below @ Thing::Object { .. } => {
                let name = second_name?;
                let sides = [(name, geoms_of(below)), (first_name, geoms_of(first))];
                Condition::OnObject {
                    thing: at,
                    below: place(name, below, names),
                    touching: Touching::new(names, sides),
                }
            }
        },
        relation => {
            let articulation = match first {
                Thing::Object { articulation, .. } => articulation,
                Thing::Site { parent, .. } => match thing(parent.as_deref()?)? {
                    Thing::Object { articulation, .. } => articulation,
                    Thing::Site { .. } => return None,
                },
            };
            let at = format!("things.{first_name}.joints");
            let joints = first.joints().iter();
            Condition::Joints {
                places: joints
                    .map(|joint| names.scalar_joint(&at, joint)[0])
                    .collect(),
                threshold: relation.threshold(articulation)?,
                all: matches!(relation, Relation::Close | Relation::TurnOff),
            }
        }
    })
}

fn place(name: &str, thing: &Thing, names: &mut Names<'_>) -> Place {
    match thing {
        Thing::Object { body, .. } => Place::Body(names.body(&format!("things.{name}.body"), body)),
        Thing::Site { site, .. } => Place::Site(names.site(&format!("things.{name}.site"), site)),
    }
}

fn region(name: &str, thing: &Thing, names: &mut Names<'_>) -> Option<Region> {
    match thing {
        Thing::Site {
            site, half_size_m, ..
        } => Some(Region {
            site: names.site(&format!("things.{name}.site"), site),
            half_m: Vector3::from(*half_size_m),
        }),
        Thing::Object { .. } => None,
    }
}

fn geoms<'a>(pack: &'a Pack, name: &str) -> &'a [String] {
    pack.thing(name).map_or(&[], geoms_of)
}

fn geoms_of(thing: &Thing) -> &[String] {
    match thing {
        Thing::Object { contact_geoms, .. } => contact_geoms,
        Thing::Site { .. } => &[],
    }
}
