//! What experts see: the true state of everything, in the frame of the arm's base.

use nalgebra::{Isometry3, Point3, Vector3};
use tiller_core::Pose;

use crate::native::Native;

const BOWL: &str = "akita_black_bowl_1_main";
const CHEESE: &str = "cream_cheese_1_main";
const BOTTLE: &str = "wine_bottle_1_main";
const PLATE: &str = "plate_1_main";
const CABINET: &str = "wooden_cabinet_1_main";
const KNOB: &str = "flat_stove_1_button";
const CABINET_TOP: &str = "wooden_cabinet_1_top_side";
const BURNER: &str = "flat_stove_1_cook_region";
const STOVE_FRONT: &str = "main_table_stove_front_region";

/// Bodies, sites and joints that must be there.
const BODIES: [&str; 6] = [BOWL, CHEESE, BOTTLE, PLATE, CABINET, KNOB];
const SITES: [&str; 3] = [CABINET_TOP, BURNER, STOVE_FRONT];

/// Something that is taken along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    Bowl,
    Cheese,
    Bottle,
    Plate,
}

/// Where the tool comes down: to grasp, to turn, or in front of the drawer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    Of(Load),
    Knob,
    Drawer,
}

impl Spot {
    pub(super) const ALL: [Self; 6] = [
        Self::Of(Load::Bowl),
        Self::Of(Load::Cheese),
        Self::Of(Load::Bottle),
        Self::Of(Load::Plate),
        Self::Knob,
        Self::Drawer,
    ];
}

/// Where a load is to go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    OnPlate,
    OnBurner,
    OnCabinet,
    InBowl,
    BeforeStove,
    /// At a place, m.
    At(Vector3<f64>),
}

/// The scene at one time.
pub(crate) struct View<'a> {
    native: &'a Native,
    base_from_world: Isometry3<f64>,
    /// The tool in the base frame, measured.
    pub(super) tool: Pose,
    /// Between the fingers, m.
    pub(super) width_m: f64,
}

impl<'a> View<'a> {
    pub(crate) fn new(native: &'a Native, tool: Pose, width_m: f64) -> Self {
        Self {
            native,
            base_from_world: native.base().isometry().inverse(),
            tool,
            width_m,
        }
    }

    /// What experts need and the scene has not, if anything.
    pub(super) fn missing(native: &Native) -> Option<&'static str> {
        let bodies = BODIES.into_iter();
        let sites = SITES.into_iter();
        bodies
            .filter(|name| native.body_m(name).is_none())
            .chain(sites.filter(|name| native.site_m(name).is_none()))
            .next()
    }

    pub(super) fn hand_m(&self) -> Vector3<f64> {
        self.tool.position()
    }

    fn in_base(&self, world_m: Option<Vector3<f64>>) -> Vector3<f64> {
        let point = Point3::from(world_m.unwrap_or_default());
        (self.base_from_world * point).coords
    }

    fn body(&self, name: &str) -> Vector3<f64> {
        self.in_base(self.native.body_m(name))
    }

    fn site(&self, name: &str) -> Vector3<f64> {
        self.in_base(self.native.site_m(name))
    }

    /// Origin of a load's body.
    pub(super) fn load(&self, load: Load) -> Vector3<f64> {
        self.body(match load {
            Load::Bowl => BOWL,
            Load::Cheese => CHEESE,
            Load::Bottle => BOTTLE,
            Load::Plate => PLATE,
        })
    }

    /// Where the tool is to be: bowl and plate are grasped at their rim.
    pub(super) fn spot(&self, spot: Spot) -> Vector3<f64> {
        match spot {
            Spot::Of(Load::Bowl) => self.load(Load::Bowl) + Vector3::new(0.0, 0.052, 0.035),
            Spot::Of(Load::Cheese) => self.load(Load::Cheese) + Vector3::new(0.0, 0.0, -0.007),
            Spot::Of(Load::Bottle) => self.load(Load::Bottle) + Vector3::new(0.0, 0.0, 0.118),
            Spot::Of(Load::Plate) => self.load(Load::Plate) + Vector3::new(0.0, 0.064, 0.004),
            Spot::Knob => self.body(KNOB) + Vector3::new(0.022, 0.001, 0.036),
            Spot::Drawer => self.body(CABINET) + Vector3::new(0.003, 0.302, 0.188),
        }
    }

    /// Middle of the middle drawer's handle, while it is shut.
    pub(super) fn handle(&self) -> Vector3<f64> {
        self.body(CABINET) + Vector3::new(0.003, 0.102, 0.114)
    }

    /// Where a load's origin is to come.
    pub(super) fn goal(&self, goal: Goal) -> Vector3<f64> {
        match goal {
            Goal::OnPlate => self.load(Load::Plate) + Vector3::new(0.0, 0.0, 0.01),
            Goal::OnBurner => self.site(BURNER) + Vector3::new(0.0, 0.0, 0.035),
            // Towards the robot: the middle is hardly within reach from above.
            Goal::OnCabinet => self.site(CABINET_TOP) + Vector3::new(-0.05, 0.02, 0.01),
            Goal::InBowl => self.load(Load::Bowl) + Vector3::new(0.0, 0.0, 0.05),
            Goal::BeforeStove => self.site(STOVE_FRONT) + Vector3::new(0.0, 0.0, 0.012),
            Goal::At(place) => place,
        }
    }

    /// How far the stove's knob is turned, rad.
    pub(super) fn knob_rad(&self) -> f64 {
        self.native.joint(KNOB).unwrap_or_default()
    }
}
