//! Settings.

use std::sync::Arc;
use std::time::Duration;

use tiller_core::Problems;
use tiller_node_kit::Environment;
use tiller_world::{Registry, WorldKind};

use crate::robot::Robot;

/// Settings of the node.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The world to show.
    pub(crate) kind: Arc<dyn WorldKind>,
    /// Of the scene.
    pub(crate) seed: u64,
    /// What was said.
    pub(crate) instruction: String,
    /// Ids of the tasks that the world watches for, first things first; none when the instruction is no
    /// task of it.
    pub(crate) tasks: Vec<String>,
    /// Longest episode, simulated ns.
    pub(crate) episode_ns: u64,
    /// Episodes before the node ends; none waits for further instructions after the first.
    pub(crate) episodes: Option<u64>,
    /// Longest run in wall time; none sets no limit.
    pub(crate) wall_limit: Option<Duration>,
    /// Simulated seconds a second at most.
    pub(crate) speed: f64,
    /// Width and height of the images, pixels; none for those of the world's cameras.
    pub(crate) image_side: Option<usize>,
    /// Who moves the arm.
    pub(crate) robot: Robot,
}

impl Settings {
    /// Reads and checks everything. The first of `worlds` is the default.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn read(mut env: Environment, worlds: &Registry) -> Result<Self, Problems> {
        let seed = env.number("SEED", 0, 0..=u64::MAX);
        let episode_s = env.number("EPISODE_S", 60.0, 1.0..=3600.0);
        let speed = env.number("SPEED", 1.0, 0.1..=100.0);
        let image_side = env.optional("IMAGE_SIDE");
        let image_side = image_side.map(|_| env.number("IMAGE_SIDE", 256, 32..=1024));
        let robot = Robot::read(&mut env, seed);
        let instruction = env.text("INSTRUCTION", "");
        let task = env.optional("TASK");
        let names = worlds.names();
        let choices: Vec<_> = names
            .iter()
            .copied()
            .zip(worlds.kinds().iter().cloned())
            .collect();
        let Some(default) = names.first() else {
            env.refuse("WORLD", "a world that this program registers", None);
            return Err(env.finish(()).err().unwrap_or_default());
        };
        let named = env.optional("WORLD");
        let absent = worlds
            .absent()
            .iter()
            .find(|it| Some(it.name) == named.as_deref());
        if let Some(absent) = absent {
            env.refuse("WORLD", &absent.reason, named);
            return Err(env.finish(()).err().unwrap_or_default());
        }
        let kind = env.choice("WORLD", default, &choices);
        let tasks = match task {
            None => kind.interpret(&instruction).unwrap_or_default(),
            Some(task) => ids(kind.as_ref(), &task).unwrap_or_else(|expected| {
                env.refuse("TASK", &expected, Some(task));
                Vec::new()
            }),
        };
        let episode_ns = (episode_s * 1e9) as u64;
        // 0 goes on for ever.
        let episodes = Some(env.number("EPISODES", 1_u64, 0..=1_000_000)).filter(|n| *n > 0);
        robot.check(&mut env, speed, episodes);
        let wall_limit_s = env.number("WALL_LIMIT_S", 0.0, 0.0..=1e6);
        let wall_limit = (wall_limit_s > 0.0).then(|| Duration::from_secs_f64(wall_limit_s));
        env.finish(Self {
            kind,
            seed,
            instruction,
            tasks,
            episode_ns,
            episodes,
            wall_limit,
            speed,
            image_side,
            robot,
        })
    }
}

/// The ids in a list such as `open, push`; the error says what is expected.
fn ids(kind: &dyn WorldKind, list: &str) -> Result<Vec<String>, String> {
    let id = |id: &str| kind.task(id).map(|task| task.id);
    let found: Option<Vec<String>> = list.split(',').map(str::trim).map(id).collect();
    found.ok_or_else(|| {
        let known: Vec<String> = kind
            .info()
            .tasks
            .iter()
            .map(|task| format!("`{}`", task.id))
            .collect();
        format!("one or more, with commas between, of {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Problems> {
        let worlds = Registry::new().with(tiller_playtable::kind());
        Settings::read(Environment::from_pairs(pairs.iter().copied()), &worlds)
    }

    #[test]
    fn every_problem_is_reported() {
        let error = read(&[
            ("SEED", "many"),
            ("EPISODE_S", "-3"),
            ("SPEED", "0"),
            ("TASK", "make_coffee"),
            ("WORLD", "kitchen"),
        ])
        .unwrap_err();
        assert_eq!(error.found.len(), 5, "{error}");
        assert!(error.to_string().contains("`drawer_open`"), "{error}");
        assert!(
            error.to_string().contains("WORLD: expected `playtable`"),
            "{error}"
        );
        let none = Settings::read(Environment::from_pairs([]), &Registry::new());
        assert!(none.unwrap_err().to_string().contains("WORLD"));
    }

    #[test]
    fn a_robot_behind_its_interface_is_checked_as_a_whole() {
        let error = read(&[
            ("ROBOT", "fci"),
            ("FCI_PORT", "100000"),
            ("FCI_ROBOT", "ur5"),
            ("FCI_CLOCK", "sundial"),
            ("FCI_FAULTS", "loss=0.05, earthquake@3000"),
            ("SPEED", "2"),
            ("EPISODES", "3"),
        ])
        .unwrap_err();
        assert_eq!(error.found.len(), 6, "{error}");
        assert!(
            error.to_string().contains("found `earthquake@3000`"),
            "{error}"
        );
        let slow = [
            ("ROBOT", "fci"),
            ("FCI_CLOCK", "real-time"),
            ("SPEED", "0.5"),
        ];
        assert!(read(&slow).is_err());
        let settings = read(&[("ROBOT", "fci"), ("FCI_FAULTS", "drop@9"), ("SEED", "4")]).unwrap();
        let Robot::Fci(fci) = settings.robot else {
            panic!("{:?}", settings.robot);
        };
        assert_eq!((fci.config.robot_port, fci.config.seed), (1337, 4));
        assert_eq!(fci.faults.len(), 1);
        assert_eq!(read(&[("SPEED", "2")]).unwrap().robot, Robot::Lockstep);
    }

    #[test]
    fn a_world_that_is_not_there_says_what_it_needs() {
        let absent = tiller_world::Absent {
            name: "kitchen",
            about: "a kitchen",
            reason: "there are no plates".to_owned(),
        };
        let worlds = Registry::new()
            .with(tiller_playtable::kind())
            .without(absent);
        let env = Environment::from_pairs([("WORLD", "kitchen")]);
        let error = Settings::read(env, &worlds).unwrap_err();
        assert!(error.to_string().contains("there are no plates"), "{error}");
    }

    #[test]
    fn the_task_comes_from_its_name_or_from_the_instruction() {
        let tasks = |pairs: &[(&str, &str)]| read(pairs).unwrap().tasks;
        assert_eq!(tasks(&[("TASK", "door_left")]), ["door_left"]);
        assert_eq!(
            tasks(&[("TASK", "drawer_open, push_red")]),
            ["drawer_open", "push_red"]
        );
        assert_eq!(
            tasks(&[("INSTRUCTION", "press the button")]),
            ["button_press"]
        );
        assert!(tasks(&[("INSTRUCTION", "make coffee")]).is_empty());
        let both = [("TASK", "door_left"), ("INSTRUCTION", "press the button")];
        assert_eq!(tasks(&both), ["door_left"]);
        assert!(read(&[("TASK", "drawer_open,")]).is_err());
    }
}
