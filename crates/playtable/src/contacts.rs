//! What the robot touches.

use mujoco_rs::prelude::{MjData, MjModel};

use crate::labels;
use crate::objects::{Block, Thing};

/// What the robot touches at one step.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    /// In the order of [`Thing::ALL`].
    pub(crate) touched: [bool; Thing::ALL.len()],
    /// Left and right finger, by block.
    pub(crate) fingers: [[bool; 2]; Block::ALL.len()],
}

impl Contacts {
    /// Goes through the contacts once. `labels` are those of the geoms, `fingers` the bodies of the left and
    /// the right one.
    pub(crate) fn read(data: &MjData<Box<MjModel>>, labels: &[u8], fingers: [usize; 2]) -> Self {
        let bodies = data.model().geom_bodyid();
        let mut contacts = Self::default();
        for contact in data.contact() {
            let [Ok(a), Ok(b)] = contact.geom.map(usize::try_from) else {
                continue;
            };
            let [Some(&label_a), Some(&label_b)] = [a, b].map(|geom| labels.get(geom)) else {
                continue;
            };
            let (link, label) = match (label_a, label_b) {
                (labels::ROBOT, other) => (a, other),
                (other, labels::ROBOT) => (b, other),
                _ => continue,
            };
            let Some(thing) = labels::thing_of(label) else {
                continue;
            };
            contacts.touched[thing.index()] = true;
            if let (Thing::Block(block), Ok(body)) = (thing, usize::try_from(bodies[link])) {
                let touches = &mut contacts.fingers[block.index()];
                for (touches, finger) in touches.iter_mut().zip(fingers) {
                    *touches |= body == finger;
                }
            }
        }
        contacts
    }

    /// Whether both fingers touch a block.
    pub(crate) fn grip(&self, block: Block) -> bool {
        self.fingers[block.index()] == [true; 2]
    }
}
