//! The play table as one [`World`] among others.

use tiller_core::Pose;
use tiller_motion::Setpoint;
use tiller_world::{
    ArmMeasurement, Channels, Command, Episode, EpisodeSpec, ExpertStep, Frame, HARD, HandStep,
    SETPOINT_NS, Shot, Studio, Verdict, World, WorldError, WorldKind, used,
};

use crate::camera::Camera;
use crate::expert::{Expert, ExpertConfig};
use crate::goal::Goals;
use crate::hard::{self, HardTable, Suite};
use crate::kind::{NAME, PlayTableKind};
use crate::render::TableShot;
use crate::task::Task;
use crate::vary::{Axis, Variation};
use crate::world::PlayTable;

/// A play table, those of the hard suites, their renderers and the episode.
pub(crate) struct TableWorld {
    kind: PlayTableKind,
    plain: PlayTable,
    /// Made when first asked for.
    hard: Vec<HardTable>,
    /// Which of them has the episode, if not the plain one.
    present: Option<usize>,
    studio: Studio,
    /// The last look's, to be used again.
    shot: Option<Box<dyn Shot>>,
    episode: Episode,
    /// Revision of the collateral that the episode was told of.
    collateral_told: u64,
    /// The command under way, and when it came.
    setpoints: Vec<Setpoint>,
    commanded_ns: u64,
    expert: Option<Expert>,
}

impl TableWorld {
    pub(crate) fn new(kind: PlayTableKind) -> Result<Self, WorldError> {
        let table =
            PlayTable::new().map_err(WorldError::failed(NAME, "the scene does not load"))?;
        Ok(Self {
            kind,
            plain: table,
            hard: Vec::new(),
            present: None,
            studio: Studio::default(),
            shot: None,
            episode: Episode::new(Vec::new()),
            collateral_told: 0,
            setpoints: Vec::new(),
            commanded_ns: 0,
            expert: None,
        })
    }

    fn unknown(&self, kind: &'static str, expected: Vec<&str>, found: &str) -> WorldError {
        WorldError::Unknown {
            world: NAME,
            kind,
            expected: format!("one of {}", expected.join(", ")),
            found: found.to_owned(),
        }
    }

    /// Takes what a camera sees, in memory that was used before if that was of this table.
    fn take(
        &mut self,
        camera: &str,
        size: [usize; 2],
        channels: Channels,
        shot: Option<Box<dyn Shot>>,
    ) -> Result<Box<dyn Shot>, WorldError> {
        let found = Camera::ALL.into_iter().find(|known| known.name() == camera);
        let names = || Camera::ALL.iter().map(|camera| camera.name()).collect();
        let camera = found.ok_or_else(|| self.unknown("camera", names(), camera))?;
        let table = self.table_mut();
        let mut shot = used::<TableShot>(shot)
            .filter(|shot| shot.is_of(table))
            .unwrap_or_else(|| Box::new(TableShot::of(table)));
        shot.take(table, camera, size, channels);
        Ok(shot)
    }

    fn table(&self) -> &PlayTable {
        self.present.map_or(&self.plain, |at| &self.hard[at].table)
    }

    fn table_mut(&mut self) -> &mut PlayTable {
        match self.present {
            Some(at) => &mut self.hard[at].table,
            None => &mut self.plain,
        }
    }

    /// The one hard task that is asked for, if it is one.
    fn hard_task(&self, ids: &[String]) -> Result<Option<(&'static dyn Suite, usize)>, WorldError> {
        let Some(found) = ids.iter().find_map(|id| hard::find(id)) else {
            return Ok(None);
        };
        match ids {
            [_] => Ok(Some(found)),
            _ => Err(WorldError::Unsupported {
                world: NAME,
                what: format!("chain with the hard task of {}", ids.join(", ")),
            }),
        }
    }

    /// Starts the episode of a hard task.
    fn reset_hard(
        &mut self,
        (suite, task): (&'static dyn Suite, usize),
        spec: &EpisodeSpec,
    ) -> Result<(), WorldError> {
        let strength = match &spec.variation {
            None => hard::STRENGTHS[0],
            Some(wanted) if wanted.axis == HARD && hard::STRENGTHS.contains(&wanted.strength) => {
                wanted.strength
            }
            Some(wanted) => {
                return Err(WorldError::Unsupported {
                    world: NAME,
                    what: format!("departure `{wanted}` of the task {}", spec.tasks.join(", ")),
                });
            }
        };
        let is_it =
            |table: &HardTable| table.suite.name() == suite.name() && table.strength == strength;
        let at = match self.hard.iter().position(is_it) {
            Some(at) => at,
            None => {
                let made = HardTable::new(suite, strength)
                    .map_err(WorldError::failed(NAME, "a hard scene does not load"))?;
                self.hard.push(made);
                self.hard.len() - 1
            }
        };
        self.hard[at].reset(task, spec.seed);
        self.present = Some(at);
        Ok(())
    }

    fn task(&self, id: &str) -> Result<Task, WorldError> {
        let names = || Task::ALL.iter().map(|task| task.name()).collect();
        Task::from_name(id).ok_or_else(|| self.unknown("task", names(), id))
    }

    fn variation(&self, wanted: &tiller_world::Variation) -> Result<Variation, WorldError> {
        let names = || Axis::ALL.iter().map(|axis| axis.name()).collect();
        let axis = Axis::from_name(&wanted.axis)
            .ok_or_else(|| self.unknown("axis", names(), &wanted.axis))?;
        Variation::new(axis, wanted.strength).ok_or_else(|| WorldError::Unsupported {
            world: NAME,
            what: format!("departure `{wanted}`: expected a strength from 1 to 3"),
        })
    }

    fn goals(&self, ids: &[String]) -> Result<Goals, WorldError> {
        Goals::from_ids(ids.iter().map(String::as_str)).map_err(|_| {
            let unknown = ids
                .iter()
                .find(|id| Goals::from_ids([id.as_str()]).is_err());
            let found = unknown.map_or("", String::as_str);
            self.unknown(
                "task",
                Task::ALL.iter().map(|task| task.name()).collect(),
                found,
            )
        })
    }

    /// Tells the episode what the oracle sees.
    fn judge(&mut self) {
        if let Some(at) = self.present {
            let table = &self.hard[at];
            let now_ns = table.table.time_ns();
            self.episode.observe(now_ns, table.holds());
            for (thing, what) in table.told() {
                self.episode.collateral(thing, what.to_owned());
            }
            if self.episode.verdict().achieved {
                let ids = self.episode.verdict().tasks.clone();
                self.episode.completed(ids.iter().map(String::as_str));
            }
            return;
        }
        let table = &self.plain;
        self.episode.observe(table.time_ns(), table.holds());
        let (collateral, revision) = table.collateral();
        if revision != self.collateral_told {
            self.collateral_told = revision;
            for entry in collateral {
                self.episode
                    .collateral(entry.thing.keypoint(), entry.what.clone());
            }
        }
        let completed = Task::ALL.iter().filter(|task| table.succeeded(**task));
        self.episode.completed(completed.map(|task| task.name()));
    }
}

impl World for TableWorld {
    fn kind(&self) -> &dyn WorldKind {
        &self.kind
    }

    fn reset(&mut self, spec: &EpisodeSpec) -> Result<(), WorldError> {
        if let Some(task) = self.hard_task(&spec.tasks)? {
            self.reset_hard(task, spec)?;
        } else {
            let goals = self.goals(&spec.tasks)?;
            let variation = spec.variation.as_ref().map(|wanted| self.variation(wanted));
            self.plain
                .reset_goals(spec.seed, &goals, variation.transpose()?);
            self.present = None;
        }
        self.collateral_told = 0;
        self.episode = Episode::new(spec.tasks.clone());
        self.setpoints.clear();
        self.expert = None;
        Ok(())
    }

    fn ask(&mut self, tasks: &[String]) -> Result<(), WorldError> {
        match (self.present, self.hard_task(tasks)?) {
            (None, None) => {
                let goals = self.goals(tasks)?;
                self.plain.ask(&goals);
            }
            (Some(at), Some((suite, task))) if suite.name() == self.hard[at].suite.name() => {
                self.hard[at].ask(task);
            }
            _ => {
                return Err(WorldError::Unsupported {
                    world: NAME,
                    what: format!("{} without a reset: the scene is another", tasks.join(", ")),
                });
            }
        }
        self.collateral_told = 0;
        self.episode = Episode::new(tasks.to_vec());
        Ok(())
    }

    fn time_ns(&self) -> u64 {
        self.table().time_ns()
    }

    fn arm(&self) -> ArmMeasurement {
        let table = self.table();
        ArmMeasurement {
            reading: table.reading(),
            base_from_tool: Pose {
                position_m: table.tcp_position_m(),
                quaternion_wxyz: table.tcp_quaternion_wxyz(),
            },
        }
    }

    fn look(
        &mut self,
        camera: &str,
        size: [usize; 2],
        channels: Channels,
        frame: &mut Frame,
    ) -> Result<(), WorldError> {
        let used = self.shot.take();
        let mut shot = self.take(camera, size, channels, used)?;
        let drawn = shot.draw(&mut self.studio, frame);
        self.shot = Some(shot);
        drawn
    }

    fn shoot(
        &mut self,
        camera: &str,
        size: [usize; 2],
        channels: Channels,
        used: Option<Box<dyn Shot>>,
    ) -> Option<Result<Box<dyn Shot>, WorldError>> {
        Some(self.take(camera, size, channels, used))
    }

    fn command(&mut self, command: &Command<'_>) -> Result<(), WorldError> {
        let Command::Joints(setpoints) = command else {
            return Err(WorldError::Unsupported {
                world: NAME,
                what: "controller for anything but joint set-points".to_owned(),
            });
        };
        self.setpoints.clear();
        self.setpoints.extend_from_slice(setpoints);
        self.commanded_ns = self.time_ns();
        Ok(())
    }

    fn step(&mut self) -> Result<(), WorldError> {
        // A physics step takes the newest set-point that is due when it begins.
        let due = (self.time_ns() - self.commanded_ns) / SETPOINT_NS;
        let last = self.setpoints.len().saturating_sub(1);
        if let Some(&setpoint) = self.setpoints.get((due as usize).min(last)) {
            self.table_mut().command(&setpoint);
        }
        match self.present {
            Some(at) => self.hard[at].step(),
            None => self.plain.step(),
        }
        self.judge();
        Ok(())
    }

    fn verdict(&self) -> &Verdict {
        self.episode.verdict()
    }

    fn renderer(&self) -> Option<&str> {
        self.studio.device()
    }

    fn call_expert(&mut self, task: &str, seed: u64) -> Result<(), WorldError> {
        match (self.present, hard::find(task)) {
            (Some(at), Some((suite, task))) if suite.name() == self.hard[at].suite.name() => {
                self.hard[at].call_script(task);
            }
            (_, Some(_)) => {
                return Err(WorldError::Unsupported {
                    world: NAME,
                    what: format!("expert for {task} in another scene"),
                });
            }
            _ => {
                let task = self.task(task)?;
                self.expert = Some(Expert::with_config(task, &self.plain, seed, manner(seed)));
            }
        }
        Ok(())
    }

    fn expert_step(&mut self, anchor: Pose) -> Option<ExpertStep> {
        if let Some(at) = self.present {
            let step = self.hard[at].script_step(anchor)?;
            return Some(ExpertStep {
                learned: step,
                executed: step,
            });
        }
        let expert = self.expert.as_mut()?;
        let step = expert.act(&self.plain, anchor.position_m)?;
        let learned = HandStep {
            delta_m: step.delta_position_m,
            rotation_rad: [0.0; 3],
            gripper: step.gripper,
        };
        let mut executed = learned;
        if expert.fumbles() {
            executed.gripper = -step.gripper;
        }
        Some(ExpertStep { learned, executed })
    }
}

/// How an expert varies its ways. Most wander first, so that the policy sees every task begin from
/// anywhere; most are pushed off their course by noise and correct it, so that it learns to recover.
fn manner(seed: u64) -> ExpertConfig {
    let hash = mix(seed);
    let noise_m = [0.0, 0.004, 0.006, 0.008][(hash >> 32) as usize % 4];
    ExpertConfig {
        wander: !hash.is_multiple_of(5),
        noise_m,
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): neighbouring seeds become unrelated.
fn mix(seed: u64) -> u64 {
    let mut hash = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::kind;
    use tiller_world::HOLD_NS;

    fn world() -> Box<dyn World> {
        kind().make().unwrap()
    }

    fn spec(task: &str, seed: u64) -> EpisodeSpec {
        EpisodeSpec {
            tasks: vec![task.to_owned()],
            seed,
            ..EpisodeSpec::default()
        }
    }

    #[test]
    fn experts_differ() {
        let manners: Vec<ExpertConfig> = (0..1000).map(manner).collect();
        let wandering = manners.iter().filter(|manner| manner.wander).count();
        let noisy = manners.iter().filter(|manner| manner.noise_m > 0.0).count();
        assert!((700..900).contains(&wandering), "{wandering}");
        assert!((650..850).contains(&noisy), "{noisy}");
    }

    #[test]
    fn what_it_does_not_have_is_refused_by_name() {
        let mut world = world();
        let error = world
            .reset(&spec("make_coffee", 0))
            .unwrap_err()
            .to_string();
        assert!(error.contains("found task `make_coffee`"), "{error}");
        assert!(error.contains("drawer_open, drawer_close"), "{error}");
        let mut frame = Frame::default();
        let error = world.look("ceiling", [32; 2], Channels::COLOUR, &mut frame);
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("one of static, wrist, found camera `ceiling`"),
            "{error}"
        );
        let odd = EpisodeSpec {
            variation: Some(tiller_world::Variation {
                axis: "scene".to_owned(),
                strength: 9,
            }),
            ..EpisodeSpec::default()
        };
        let error = world.reset(&odd).unwrap_err().to_string();
        assert!(error.contains("scene 9"), "{error}");
    }

    #[test]
    fn a_command_is_followed_millisecond_by_millisecond() {
        let (mut world, mut table) = (world(), PlayTable::new().unwrap());
        world.reset(&spec("button_press", 4)).unwrap();
        table.reset(4, Some(Task::ButtonPress));
        let start = world.arm().reading;
        let setpoints: Vec<Setpoint> = (0..20)
            .map(|index| {
                let mut q_rad = start.q_rad;
                q_rad[0] += 1e-4 * f64::from(index);
                Setpoint {
                    q_rad,
                    gripper_width_m: 0.08,
                }
            })
            .collect();
        world.run(&Command::Joints(&setpoints)).unwrap();
        for setpoint in setpoints.iter().step_by(2) {
            table.command(setpoint);
            table.step();
        }
        assert_eq!(world.time_ns(), 20_000_000);
        assert_eq!(world.arm().reading, table.reading());
        // Without another command the last set-point holds.
        world.step().unwrap();
        table.command(&setpoints[19]);
        table.step();
        assert_eq!(world.arm().reading, table.reading());
    }

    #[test]
    fn an_expert_s_success_has_to_hold() {
        let mut world = world();
        world.reset(&spec("drawer_open", 2)).unwrap();
        world.call_expert("drawer_open", 2).unwrap();
        let mut driver = tiller_motion::Actuator::new(
            tiller_motion::ActuatorConfig::default(),
            &world.arm().reading,
            0,
        )
        .unwrap();
        let (mut seq, mut achieved_ns) = (0, None);
        while !world.verdict().success && world.time_ns() < 40 * HOLD_NS {
            let anchor = driver.status().anchor;
            let step = world.expert_step(anchor);
            if world.time_ns().is_multiple_of(100_000_000)
                && let Some(step) = step
            {
                seq += 1;
                let step = tiller_motion::ActionStep {
                    delta_position_m: step.executed.delta_m,
                    gripper: step.executed.gripper,
                };
                let chunk = tiller_motion::Chunk {
                    seq,
                    stamp_ns: world.time_ns(),
                    ..tiller_motion::Chunk::of_displacements(anchor, 10.0, &[step])
                };
                driver.accept(&chunk, world.time_ns()).unwrap();
            }
            for _ in 0..50 {
                let (reading, now) = (world.arm().reading, world.time_ns());
                let setpoint = driver.tick(&reading, now + SETPOINT_NS);
                world
                    .command(&Command::Joints(&[setpoint]))
                    .and_then(|()| world.step())
                    .unwrap();
                if world.verdict().achieved {
                    achieved_ns.get_or_insert(world.time_ns());
                }
            }
        }
        let verdict = world.verdict();
        assert!(verdict.success);
        assert_eq!(verdict.completed, ["drawer_open"]);
        assert!(world.time_ns() >= achieved_ns.unwrap() + HOLD_NS);
    }
}
