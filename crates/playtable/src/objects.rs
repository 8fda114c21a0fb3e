//! What the world knows about its objects. Privileged: for the oracle and the experts, never for a policy.

/// One of the three blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Block {
    /// The red cube.
    Red,
    /// The blue cube.
    Blue,
    /// The pink cuboid, longer along its own x.
    Pink,
}

impl Block {
    /// All blocks.
    pub const ALL: [Block; 3] = [Block::Red, Block::Blue, Block::Pink];

    /// Position in [`Block::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Name of its body and geom in the scene.
    pub(crate) fn body(self) -> &'static str {
        match self {
            Block::Red => "red",
            Block::Blue => "blue",
            Block::Pink => "pink",
        }
    }

    /// Half extents along the block's own axes in a plain scene, metres.
    pub fn half_size_m(self) -> [f64; 3] {
        match self {
            Block::Red | Block::Blue => [0.021, 0.021, 0.020],
            Block::Pink => [0.030, 0.021, 0.020],
        }
    }
}

/// Anything that can be moved, pushed towards or left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    /// The drawer with its handle.
    Drawer,
    /// The sliding door with its handle.
    Door,
    /// The switch.
    Switch,
    /// The button.
    Button,
    /// A block.
    Block(Block),
}

impl Thing {
    /// All things.
    pub const ALL: [Thing; 7] = [
        Thing::Drawer,
        Thing::Door,
        Thing::Switch,
        Thing::Button,
        Thing::Block(Block::Red),
        Thing::Block(Block::Blue),
        Thing::Block(Block::Pink),
    ];

    /// Position in [`Thing::ALL`].
    pub fn index(self) -> usize {
        match self {
            Thing::Drawer => 0,
            Thing::Door => 1,
            Thing::Switch => 2,
            Thing::Button => 3,
            Thing::Block(block) => 4 + block.index(),
        }
    }

    /// What it is called, such as `drawer` or `red block`.
    pub fn name(self) -> &'static str {
        match self {
            Thing::Drawer => "drawer",
            Thing::Door => "door",
            Thing::Switch => "switch",
            Thing::Button => "button",
            Thing::Block(Block::Red) => "red block",
            Thing::Block(Block::Blue) => "blue block",
            Thing::Block(Block::Pink) => "pink block",
        }
    }

    /// The label of the part that an instruction is about.
    pub(crate) fn keypoint(self) -> &'static str {
        match self {
            Thing::Drawer => "drawer handle",
            Thing::Door => "door handle",
            _ => self.name(),
        }
    }
}

/// State of one block.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BlockState {
    /// Centre in the world frame, metres.
    pub position_m: [f64; 3],
    /// Rotation about z, radians.
    pub yaw_rad: f64,
    /// Both fingertips touch it.
    pub gripped: bool,
}

/// True state of everything that can move, in the world frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ObjectStates {
    /// Drawer opening, 0 (shut) to 0.16 m.
    pub drawer_m: f64,
    /// Centre of the drawer handle's bar, metres.
    pub drawer_handle_m: [f64; 3],
    /// Door travel, 0 (right) to 0.18 m (left).
    pub door_m: f64,
    /// Centre of the door's knob, metres.
    pub door_handle_m: [f64; 3],
    /// Lever angle, -0.6 (off, towards the robot) to 0.6 rad (on, away from it).
    pub switch_rad: f64,
    /// Centre of the switch lever, metres.
    pub switch_m: [f64; 3],
    /// Button travel, 0 (released) to 0.014 m.
    pub button_m: f64,
    /// Centre of the button cap, metres.
    pub button_cap_m: [f64; 3],
    /// The lamp beside the button is lit; each press toggles it.
    pub lamp_on: bool,
    /// The blocks, in the order of [`Block::ALL`].
    pub blocks: [BlockState; 3],
}

impl ObjectStates {
    /// The same as seen from a frame that is shifted, metres.
    pub(crate) fn seen_from(mut self, shift_m: [f64; 3]) -> Self {
        let blocks = self.blocks.iter_mut().map(|block| &mut block.position_m);
        let fixtures = [
            &mut self.drawer_handle_m,
            &mut self.door_handle_m,
            &mut self.switch_m,
            &mut self.button_cap_m,
        ];
        for position in blocks.chain(fixtures) {
            for (value, shift) in position.iter_mut().zip(shift_m) {
                *value -= shift;
            }
        }
        self
    }
}
