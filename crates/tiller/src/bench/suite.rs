//! Which tasks belong together.

use clap::ValueEnum;
use tiller_playtable::Task;

/// A group of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Drawer, door, switch and button.
    Articulated,
    /// Pushing and lifting blocks.
    Movable,
    /// Both.
    All,
}

impl Suite {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Articulated => "articulated",
            Self::Movable => "movable",
            Self::All => "all",
        }
    }

    /// Its tasks.
    #[must_use]
    pub fn tasks(self) -> Vec<Task> {
        let within = |task: &Task| self == Self::All || suite_of(*task) == self;
        Task::ALL.into_iter().filter(within).collect()
    }
}

/// The suite that a task belongs to.
#[must_use]
pub fn suite_of(task: Task) -> Suite {
    match task {
        Task::Push(_) | Task::Lift(_) => Suite::Movable,
        _ => Suite::Articulated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_hold_every_task_once() {
        let names = |suite: Suite| {
            suite
                .tasks()
                .iter()
                .map(|task| task.name())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(Suite::Articulated).join(" "),
            "drawer_open drawer_close door_left door_right switch_on switch_off button_press"
        );
        assert_eq!(
            names(Suite::Movable).join(" "),
            "push_red push_blue push_pink lift_red lift_blue lift_pink"
        );
        assert_eq!(Suite::All.tasks().len(), 13);
    }
}
