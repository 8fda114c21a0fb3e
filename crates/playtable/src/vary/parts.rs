//! Where the things that vary are in MuJoCo's arrays.

use crate::objects::Block;
use crate::task::Task;
use crate::world::{PlayTableError, find_id};
use mujoco_rs::prelude::{MjModel, MjtObjBase};

/// A piece of furniture that stands by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixture {
    Drawer,
    Door,
    Switch,
    Button,
}

impl Fixture {
    pub(crate) const ALL: [Fixture; 4] = [
        Fixture::Drawer,
        Fixture::Door,
        Fixture::Switch,
        Fixture::Button,
    ];

    /// The one that a task works on; `None` for the blocks.
    pub(crate) fn of(task: Task) -> Option<Self> {
        match task {
            Task::DrawerOpen | Task::DrawerClose => Some(Self::Drawer),
            Task::DoorLeft | Task::DoorRight => Some(Self::Door),
            Task::SwitchOn | Task::SwitchOff => Some(Self::Switch),
            Task::ButtonPress => Some(Self::Button),
            Task::Push(_) | Task::Lift(_) => None,
        }
    }

    /// Name of its body and joint.
    fn body(self) -> &'static str {
        match self {
            Self::Drawer => "drawer",
            Self::Door => "door",
            Self::Switch => "switch",
            Self::Button => "button",
        }
    }

    /// What of the table moves along with it.
    fn surroundings(self) -> &'static [&'static str] {
        match self {
            Self::Drawer => &[
                "cabinet_right",
                "cabinet_left",
                "cabinet_lid",
                "cabinet_back",
            ],
            Self::Door => &["rail", "shelf"],
            Self::Switch => &["switch_plate"],
            Self::Button => &["button_plate", "lamp"],
        }
    }
}

/// Everything that the distractors are made of.
const DISTRACTORS: [&str; 7] = [
    "distractor_can",
    "distractor_dish",
    "distractor_book",
    "distractor_cube",
    "distractor_ball",
    "distractor_tower",
    "distractor_egg",
];

/// Parts of furniture that get other colours.
const PAINTED: [&str; 12] = [
    "top",
    "cabinet_lid",
    "shelf",
    "drawer_front",
    "drawer_bottom",
    "handle_bar",
    "handle_post_right",
    "handle_post_left",
    "door_panel",
    "door_knob",
    "switch_lever",
    "button_cap",
];

/// A fixture's elements.
#[derive(Debug, Clone)]
pub(crate) struct FixtureParts {
    pub(crate) body: usize,
    pub(super) dof: usize,
    pub(crate) surroundings: Vec<usize>,
}

/// Elements by index.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(super) table: usize,
    pub(super) top: usize,
    /// In the order of [`Fixture::ALL`].
    pub(super) fixtures: Vec<FixtureParts>,
    /// Body and geom, in the order of [`Block::ALL`].
    pub(super) blocks: Vec<(usize, usize)>,
    pub(super) distractors_body: usize,
    pub(super) distractors: Vec<usize>,
    pub(super) painted: Vec<usize>,
    pub(super) materials: [usize; 2],
    pub(super) camera: usize,
}

impl Parts {
    pub(crate) fn fixture(&self, fixture: Fixture) -> &FixtureParts {
        &self.fixtures[fixture as usize]
    }

    /// Body and geom of each block.
    pub(crate) fn blocks(&self) -> &[(usize, usize)] {
        &self.blocks
    }

    /// Looks everything up.
    ///
    /// # Errors
    /// [`PlayTableError::Missing`] names what the scene lacks.
    pub(crate) fn find(model: &MjModel) -> Result<Self, PlayTableError> {
        let find = |object, kind, name| find_id(model, object, kind, name);
        let geom = |name| find(MjtObjBase::mjOBJ_GEOM, "geom", name);
        let body = |name| find(MjtObjBase::mjOBJ_BODY, "body", name);
        let geoms = |names: &[&'static str]| {
            let ids = names.iter().map(|name| geom(name));
            ids.collect::<Result<Vec<_>, _>>()
        };
        let fixture = |fixture: Fixture| {
            let name = fixture.body();
            let joint = find(MjtObjBase::mjOBJ_JOINT, "joint", name)?;
            let missing = PlayTableError::Missing {
                kind: "joint",
                name,
            };
            Ok(FixtureParts {
                body: body(name)?,
                dof: usize::try_from(model.jnt_dofadr()[joint]).map_err(|_| missing)?,
                surroundings: geoms(fixture.surroundings())?,
            })
        };
        let block = |block: Block| Ok((body(block.body())?, geom(block.body())?));
        let material = |name| find(MjtObjBase::mjOBJ_MATERIAL, "material", name);
        Ok(Self {
            table: body("table")?,
            top: geom("top")?,
            fixtures: Fixture::ALL
                .into_iter()
                .map(fixture)
                .collect::<Result<_, PlayTableError>>()?,
            blocks: Block::ALL
                .into_iter()
                .map(block)
                .collect::<Result<_, PlayTableError>>()?,
            distractors_body: body("distractors")?,
            distractors: geoms(&DISTRACTORS)?,
            painted: geoms(&PAINTED)?,
            materials: [material("checks")?, material("stains")?],
            camera: find(MjtObjBase::mjOBJ_CAMERA, "camera", "static")?,
        })
    }
}
