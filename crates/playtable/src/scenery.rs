//! Labelled pictures of the table and of the hard suites' tables in random looks: what a detector is trained and tried on.

use mujoco_rs::prelude::MjModel;
use tiller_world::{Channels, Frame, Random, Shot, Studio, WorldError};

use crate::camera::Camera;
use crate::drive::Driver;
use crate::expert::{Expert, ExpertConfig};
use crate::hard::{self, HardTable};
use crate::kind::NAME;
use crate::objects::Block;
use crate::render::TableShot;
use crate::task::Task;
use crate::vary::{Axis, Variation};
use crate::world::PlayTable;

/// Pictures of one scene: at its start, and later, while somebody works in it. Each has looks of its own.
const PICTURES: usize = 4;
/// Share of the scenes that are of the hard suites.
const HARD: f64 = 0.4;
/// Where the hand may be in a scene in which nobody works, m.
const HAND_FROM_M: [f64; 3] = [0.32, -0.32, 0.03];
const HAND_TO_M: [f64; 3] = [0.62, 0.38, 0.30];
/// How often a block is where hands bring blocks: between the fingers, in the open drawer, or on another block.
const BROUGHT: f64 = 0.35;
/// How far the drawer must be open, and where in it blocks lie, from its handle, m.
const OPEN_M: f64 = 0.07;
const IN_DRAWER_FROM_M: [f64; 3] = [0.06, -0.08, -0.03];
const IN_DRAWER_TO_M: [f64; 3] = [0.13, 0.08, 0.0];
/// The random numbers' stream.
const STREAM: u64 = 40;
const POLICY_STEP_NS: u64 = 100_000_000;

/// Makes scenes.
pub struct Scenery {
    plain: PlayTable,
    hard: Vec<HardTable>,
    painting: Painting,
}

/// What pictures are taken with.
struct Painting {
    studio: Studio,
    shot: Option<Box<dyn Shot>>,
    size: [usize; 2],
}

impl Scenery {
    /// For pictures of a width and a height.
    ///
    /// # Errors
    /// [`WorldError::Failed`] where a scene does not load.
    pub fn new(size: [usize; 2]) -> Result<Self, WorldError> {
        let failed = || WorldError::failed(NAME, "a scene does not load");
        let mut hard = Vec::new();
        for suite in hard::suites() {
            for strength in hard::STRENGTHS {
                hard.push(HardTable::new(suite, strength).map_err(failed())?);
            }
        }
        Ok(Self {
            plain: PlayTable::new().map_err(failed())?,
            hard,
            painting: Painting {
                studio: Studio::default(),
                shot: None,
                size,
            },
        })
    }

    /// Shows the pictures of a seed's scene, as the static camera sees it, one after the other: colour, depth and labels.
    ///
    /// # Errors
    /// [`WorldError::Failed`] where nothing can be painted, and what `show` says.
    pub fn scene<E: From<WorldError>>(
        &mut self,
        seed: u64,
        mut show: impl FnMut(&Frame) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut random = Random::new(seed, STREAM);
        let mut frame = Frame::default();
        if random.chance(HARD) {
            let at = random.uniform(0.0, self.hard.len() as f64) as usize % self.hard.len();
            let tasks = self.hard[at].suite.tasks().len();
            let task = random.uniform(0.0, tasks as f64) as usize % tasks;
            self.hard[at].reset(task, seed);
            let base = self.hard[at].table.model().clone();
            for picture in 0..PICTURES {
                if picture > 0 {
                    let hand_m = random.in_box(HAND_FROM_M, HAND_TO_M);
                    let width_m = random.uniform(0.0, 0.08);
                    self.hard[at].table.put_hand(hand_m, width_m);
                }
                let stays = self.hard[at].suite.things();
                let table = &mut self.hard[at].table;
                bring(table, &mut random, |block| stays.contains(&block.body()));
                self.painting.paint(table, &base, &mut random, &mut frame)?;
                show(&frame)?;
            }
            return Ok(());
        }
        let task = random.one_of(&Task::ALL).unwrap_or(Task::DrawerOpen);
        let axes = [Axis::Position, Axis::Object, Axis::Scene];
        let strength = random.one_of(&Variation::STRENGTHS);
        let variation = random
            .one_of(&axes)
            .zip(strength)
            .filter(|_| random.chance(0.6))
            .and_then(|(axis, strength)| Variation::new(axis, strength));
        self.plain.reset_varied(seed, &[task], variation);
        let base = self.plain.model().clone();
        let words = "the arm cannot be driven";
        let mut driver = Driver::new(&self.plain).map_err(WorldError::failed(NAME, words))?;
        let config = ExpertConfig {
            wander: true,
            noise_m: 0.0,
        };
        let mut expert = Expert::with_config(task, &self.plain, seed, config);
        for picture in 0..PICTURES {
            let steps = if picture == 0 {
                0
            } else {
                random.uniform(4.0, 20.0) as usize
            };
            for _ in 0..steps {
                match expert.act(&self.plain, driver.anchor_m()) {
                    Some(action) => driver
                        .execute(&mut self.plain, &[action], 1, 10.0)
                        .map_err(WorldError::failed(NAME, words))?,
                    None => driver.wait(&mut self.plain, POLICY_STEP_NS),
                }
            }
            // What is brought is gone from where the expert works.
            if picture + 1 == PICTURES {
                bring(&mut self.plain, &mut random, |_| true);
            }
            let table = &mut self.plain;
            self.painting.paint(table, &base, &mut random, &mut frame)?;
            show(&frame)?;
        }
        Ok(())
    }
}

/// Puts one of the blocks where hands bring blocks, now and then.
fn bring(table: &mut PlayTable, random: &mut Random, stays: impl Fn(Block) -> bool) {
    let block = random.one_of(&Block::ALL);
    let Some(block) = block.filter(|block| stays(*block) && random.chance(BROUGHT)) else {
        return;
    };
    let objects = table.objects();
    let yaw_rad = random.within(std::f64::consts::PI);
    let is_open = objects.drawer_m > OPEN_M;
    let place_m = match random.uniform(0.0, 3.0) as usize {
        0 if is_open => {
            let handle_m = objects.drawer_handle_m;
            let beside_m = random.in_box(IN_DRAWER_FROM_M, IN_DRAWER_TO_M);
            [0, 1, 2].map(|axis| handle_m[axis] + beside_m[axis])
        }
        1 => {
            let others = Block::ALL.map(|other| (other != block && stays(other)).then_some(other));
            let Some(under) = random.one_of(&others).flatten() else {
                return;
            };
            let [x, y, z] = objects.blocks[under.index()].position_m;
            [x, y, z + 0.042]
        }
        _ => table.tcp_position_m(),
    };
    table.put_block(block, place_m, yaw_rad);
}

impl Painting {
    /// Gives a table new looks and takes its picture.
    fn paint(
        &mut self,
        table: &mut PlayTable,
        base: &MjModel,
        random: &mut Random,
        frame: &mut Frame,
    ) -> Result<(), WorldError> {
        table.dress(base, random);
        let mut shot = tiller_world::used::<TableShot>(self.shot.take())
            .filter(|shot| shot.is_of(table))
            .unwrap_or_else(|| Box::new(TableShot::of(table)));
        shot.take(table, Camera::Static, self.size, Channels::ALL);
        shot.draw(&mut self.studio, frame)?;
        self.shot = Some(shot);
        Ok(())
    }
}
