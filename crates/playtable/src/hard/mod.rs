//! The hard suites: scenes at three strengths in which the straight way fails.
//!
//! Each suite is a file here that holds everything of it: what is added to the table, where a seed lays it, what
//! counts as done, and how a scripted hand does it. All share the physics, cameras and labels of the table, and
//! none changes a scene of the thirteen tasks: a suite's scene is a model of its own.

mod contact;
mod grip;
mod hand;
mod into;
mod obstacle;
mod place;
mod slot;
mod snapshot;
mod stack;
mod table;
mod twins;
mod watch;
mod yaw;

pub(crate) use table::HardTable;

use hand::Leg;
use place::Lay;
use snapshot::Snapshot;
use tiller_world::Random;
use watch::Role;

use crate::vary::Fixture;

/// Strengths at which the suites come.
pub(crate) const STRENGTHS: [u8; 3] = [1, 2, 3];

/// First label of what the suites add, in a segmentation image.
const FIRST_LABEL: u8 = 12;

/// What is measured together.
pub(crate) trait Suite: Sync {
    /// Its name among the suites.
    fn name(&self) -> &'static str;

    /// What it is, in a few words.
    fn about(&self) -> &'static str;

    /// Ids of its tasks, and what a person says who wants them.
    fn tasks(&self) -> &'static [(&'static str, &'static str)];

    /// What it adds to the table, in MuJoCo's XML; `level` counts strengths from 0.
    fn scene(&self, level: usize) -> String;

    /// Bodies that it adds, and the names under which a segmentation knows them.
    fn labels(&self) -> &'static [(&'static str, &'static str)];

    /// How many keypoints its labels need, where one says too little.
    fn keypoint_counts(&self) -> &'static [(&'static str, usize)] {
        &[]
    }

    /// The furniture that stays on the table; the rest is put away, and so are blocks that are not among the
    /// [things](Self::things).
    fn keeps(&self) -> &'static [Fixture] {
        &[Fixture::Drawer, Fixture::Door]
    }

    /// The bodies that are watched, those of the table among them.
    fn things(&self) -> &'static [&'static str];

    /// The joints that are watched.
    fn joints(&self) -> &'static [&'static str] {
        &[]
    }

    /// A joint that is locked or not, as things stand now.
    fn lock(&self, _now: &Snapshot) -> Option<Lock> {
        None
    }

    /// Where a seed lays everything.
    fn lay(&self, task: usize, level: usize, random: &mut Random) -> Lay;

    /// What may happen to each of the [things](Self::things).
    fn roles(&self, task: usize, start: &Snapshot) -> Vec<Role>;

    /// Whether a task is achieved at this very step.
    fn holds(&self, task: usize, level: usize, start: &Snapshot, now: &Snapshot) -> bool;

    /// What the scripted hand does in the leg of that number, as things stand now; `None` after the last one. The
    /// first one leads up, from wherever an attempt has failed.
    fn leg(&self, task: usize, number: usize, now: &Snapshot) -> Option<Leg>;
}

/// A joint that a mechanism holds where it is, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lock {
    /// Its number among the suite's joints.
    pub(crate) joint: usize,
    pub(crate) is_shut: bool,
}

/// All of them, in the order in which tables show them.
const SUITES: [&dyn Suite; 8] = [
    &obstacle::Obstacle,
    &twins::Twins,
    &into::Into,
    &stack::Stack,
    &slot::Slot,
    &grip::Grip,
    &contact::Contact,
    &yaw::Yaw,
];

/// All suites.
pub(crate) fn suites() -> impl Iterator<Item = &'static dyn Suite> {
    SUITES.into_iter()
}

/// The scene of a suite: the table, and what is added to it.
fn stand(added: &str) -> String {
    format!(
        r#"<mujoco model="playtable">
             <include file="playtable.xml"/>
             <worldbody>{added}</worldbody>
           </mujoco>"#
    )
}

/// The suite of a task and the task's number there.
pub(crate) fn find(id: &str) -> Option<(&'static dyn Suite, usize)> {
    suites().find_map(|suite| {
        let number = suite.tasks().iter().position(|(known, _)| *known == id)?;
        Some((suite, number))
    })
}

/// Labels of what the suites add: id, body and name.
pub(crate) fn labels() -> impl Iterator<Item = (u8, &'static str, &'static str)> {
    let all = suites().flat_map(|suite| suite.labels());
    (FIRST_LABEL..)
        .zip(all)
        .map(|(id, (body, name))| (id, *body, *name))
}

#[cfg(test)]
mod tests;
