//! A table with what one suite adds to it, at one strength.

use tiller_core::Pose;
use tiller_world::{HandStep, Random};

use super::hand::Script;
use super::place;
use super::snapshot::{Ids, Snapshot};
use super::watch::Watch;
use super::{STRENGTHS, Suite, labels};
use crate::objects::Block;
use crate::world::{PlayTable, PlayTableError};

/// The stream of random numbers that lays scenes; the plain table's has number 0, the experts' 1.
const STREAM: u64 = 20;

/// Stiffness and damping of a locked joint, N/m and Ns/m.
const LOCK_N_M: f64 = 3000.0;
const LOCK_NS_M: f64 = 60.0;

/// A table of a suite, its oracle and its scripted hand.
pub(crate) struct HardTable {
    pub(crate) suite: &'static dyn Suite,
    pub(crate) strength: u8,
    pub(crate) table: PlayTable,
    ids: Ids,
    task: usize,
    start: Snapshot,
    now: Snapshot,
    watch: Watch,
    told: Vec<(usize, String)>,
    script: Option<Script>,
    /// Where the suite's lock holds its joint.
    locked_at: Option<f64>,
}

impl HardTable {
    /// Compiles the suite's scene.
    ///
    /// # Errors
    /// [`PlayTableError`] when MuJoCo does not accept it.
    pub(crate) fn new(suite: &'static dyn Suite, strength: u8) -> Result<Self, PlayTableError> {
        let scene = suite.scene(level(strength));
        let stays = Block::ALL.map(|block| suite.things().contains(&block.body()));
        let table = PlayTable::with(Some(&scene), |model, parts| {
            place::put_away(model, parts, suite.keeps(), stays);
        })?;
        let ids = Ids::find(table.model(), suite.things(), suite.joints())?;
        Ok(Self {
            suite,
            strength,
            table,
            ids,
            task: 0,
            start: Snapshot::default(),
            now: Snapshot::default(),
            watch: Watch::default(),
            told: Vec::new(),
            script: None,
            locked_at: None,
        })
    }

    /// Starts the episode of a seed: the same one gives the same scene.
    pub(crate) fn reset(&mut self, task: usize, seed: u64) {
        let level = level(self.strength);
        // Each suite and strength has scenes of its own.
        let stream = self.suite.name().bytes().fold(STREAM, |sum, byte| {
            sum.wrapping_mul(257).wrapping_add(u64::from(byte))
        });
        let mut random = Random::new(seed, stream.wrapping_add(level as u64));
        let lay = self.suite.lay(task, level, &mut random);
        let ids = &self.ids;
        self.table.reset_laid(
            seed,
            lay.hand_m,
            |model, parts| {
                place::shift(model, parts, &lay);
                for (thing, place) in &lay.things {
                    if ids.free(model, *thing).is_none() {
                        let body = ids.bodies[*thing];
                        model.body_pos_mut()[body] = place.position_m;
                        model.body_quat_mut()[body] = place.quaternion_wxyz();
                    }
                }
            },
            |data| {
                for (thing, place) in &lay.things {
                    if let Some(at) = ids.free(data.model(), *thing) {
                        let qpos = &mut data.qpos_mut()[at..at + 7];
                        qpos[..3].copy_from_slice(&place.position_m);
                        qpos[3..].copy_from_slice(&place.quaternion_wxyz());
                    }
                }
                for (joint, value) in &lay.joints {
                    data.qpos_mut()[ids.joints[*joint]] = *value;
                }
            },
        );
        self.script = None;
        self.locked_at = None;
        self.ask(task);
    }

    /// Has the oracle follow another task of the suite from now on, in the scene as it is.
    pub(crate) fn ask(&mut self, task: usize) {
        self.task = task;
        self.look();
        self.start.clone_from(&self.now);
        self.watch = Watch::new(self.suite.roles(task, &self.start));
        self.told.clear();
    }

    /// What holds a locked joint where it was when it was locked: a stiff spring with a damper.
    fn lock(&mut self) {
        let Some(lock) = self.suite.lock(&self.now) else {
            return;
        };
        let (at, dof) = (self.now.joints[lock.joint], self.ids.dofs[lock.joint]);
        let data = self.table.data_mut();
        let mut force_n = 0.0;
        if lock.is_shut {
            let away_m = at - *self.locked_at.get_or_insert(at);
            force_n = -LOCK_N_M * away_m - LOCK_NS_M * data.qvel()[dof];
        } else {
            self.locked_at = None;
        }
        data.qfrc_applied_mut()[dof] = force_n;
    }

    /// Lets a physics step pass; afterwards [`told`](Self::told) holds what happened beside the task in it.
    pub(crate) fn step(&mut self) {
        self.lock();
        self.table.step();
        self.look();
        self.told.clear();
        let told = &mut self.told;
        self.watch.observe(&self.start, &self.now, |thing, what| {
            told.push((thing, what))
        });
    }

    fn look(&mut self) {
        let table = &self.table;
        self.ids
            .read(table.data(), table.geom_labels(), &mut self.now);
        self.now.hand_m = table.tcp_position_m();
        self.now.width_m = table.reading().gripper_width_m;
    }

    /// Whether the task is achieved now, and nothing happened that no success makes good.
    pub(crate) fn holds(&self) -> bool {
        !self.watch.is_spoiled() && self.is_met()
    }

    fn is_met(&self) -> bool {
        let level = level(self.strength);
        self.suite.holds(self.task, level, &self.start, &self.now)
    }

    /// What happened beside the task in the last step: name of the thing, and what.
    pub(crate) fn told(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let things = self.suite.things();
        self.told
            .iter()
            .map(|(thing, what)| (name(things[*thing]), what.as_str()))
    }

    /// Calls the scripted hand for a task of the suite.
    pub(crate) fn call_script(&mut self, task: usize) {
        self.script = Some(Script::new(self.suite, task));
    }

    /// The scripted hand's next step of 100 ms, from where actions start.
    pub(crate) fn script_step(&mut self, anchor: Pose) -> Option<HandStep> {
        let done = self.holds();
        let step = self.script.as_mut()?.act(&mut self.now, anchor, done);
        self.look();
        step
    }
}

fn level(strength: u8) -> usize {
    let known = STRENGTHS.iter().position(|known| *known == strength);
    known.unwrap_or_default()
}

/// What a body is called: its label, or as the table has it.
fn name(body: &'static str) -> &'static str {
    let of_block = Block::ALL.into_iter().find(|block| block.body() == body);
    let of_suite = labels().find(|(_, known, _)| *known == body);
    match (of_block, of_suite) {
        (Some(block), _) => crate::objects::Thing::Block(block).name(),
        (None, Some((.., name))) => name,
        (None, None) => body,
    }
}
