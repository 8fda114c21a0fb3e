//! Settings.

use tiller_core::Problems;
use tiller_node_kit::Environment;
use tiller_playtable::Task;

use crate::task;

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// Of the scene.
    pub(crate) seed: u64,
    /// What the oracle watches for, first things first; none when the instruction is no task of the table.
    pub(crate) tasks: Vec<Task>,
    /// Longest episode, simulated ns.
    pub(crate) episode_ns: u64,
    /// Simulated seconds a second at most.
    pub(crate) speed: f64,
    /// Width and height of the images, pixels.
    pub(crate) image_side: usize,
}

impl Settings {
    /// Reads and checks everything.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let seed = env.number("SEED", 0, 0..=u64::MAX);
        let episode_s = env.number("EPISODE_S", 60.0, 1.0..=3600.0);
        let speed = env.number("SPEED", 1.0, 0.1..=100.0);
        let image_side = env.number("IMAGE_SIDE", 256, 32..=1024);
        let instruction = env.text("INSTRUCTION", "");
        let named = env.optional("TASK");
        let tasks = match named.as_deref().map(task::from_names) {
            None => task::from_instruction(&instruction),
            Some(Ok(tasks)) => tasks,
            Some(Err(_)) => {
                let known = Task::ALL.map(|task| format!("`{}`", task.name()));
                let expected = format!("one or more, with commas between, of {}", known.join(", "));
                env.refuse("TASK", &expected, named);
                Vec::new()
            }
        };
        let episode_ns = (episode_s * 1e9) as u64;
        env.finish(Self {
            seed,
            tasks,
            episode_ns,
            speed,
            image_side,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_reported() {
        let env = Environment::from_pairs([
            ("SEED", "many"),
            ("EPISODE_S", "-3"),
            ("SPEED", "0"),
            ("TASK", "make_coffee"),
        ]);
        let error = Settings::read(env).unwrap_err();
        assert_eq!(error.found.len(), 4, "{error}");
        assert!(error.to_string().contains("`drawer_open`"), "{error}");
    }

    #[test]
    fn the_task_comes_from_its_name_or_from_the_instruction() {
        let tasks = |pairs: &[(&str, &str)]| {
            Settings::read(Environment::from_pairs(pairs.iter().copied()))
                .unwrap()
                .tasks
        };
        assert_eq!(tasks(&[("TASK", "door_left")]), [Task::DoorLeft]);
        assert_eq!(
            tasks(&[("INSTRUCTION", "press the button")]),
            [Task::ButtonPress]
        );
        assert_eq!(tasks(&[("INSTRUCTION", "make coffee")]), []);
        let both = [("TASK", "door_left"), ("INSTRUCTION", "press the button")];
        assert_eq!(tasks(&both), [Task::DoorLeft]);
    }
}
