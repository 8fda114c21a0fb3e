//! Which tasks belong together.

use clap::ValueEnum;
use tiller_playtable::{Axis, Task};

/// A group of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Drawer, door, switch and button.
    Articulated,
    /// Pushing and lifting blocks.
    Movable,
    /// Both.
    All,
    /// All tasks; furniture and blocks stand where they never stood.
    OodPosition,
    /// All tasks; sizes, colours and patterns never seen.
    OodObject,
    /// All tasks in other words, with negations, and chained.
    OodInstruction,
    /// All tasks; distractors, another table height, light and camera pose.
    OodScene,
    /// All tasks; slippery heavy blocks, stiff furniture, late commands.
    OodDynamics,
}

impl Suite {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Articulated => "articulated",
            Self::Movable => "movable",
            Self::All => "all",
            Self::OodPosition => "ood-position",
            Self::OodObject => "ood-object",
            Self::OodInstruction => "ood-instruction",
            Self::OodScene => "ood-scene",
            Self::OodDynamics => "ood-dynamics",
        }
    }

    /// What its scenes or instructions depart in; `None` for the plain suites.
    #[must_use]
    pub fn axis(self) -> Option<Axis> {
        match self {
            Self::Articulated | Self::Movable | Self::All => None,
            Self::OodPosition => Some(Axis::Position),
            Self::OodObject => Some(Axis::Object),
            Self::OodInstruction => Some(Axis::Instruction),
            Self::OodScene => Some(Axis::Scene),
            Self::OodDynamics => Some(Axis::Dynamics),
        }
    }

    /// The one that departs in that axis.
    #[must_use]
    pub fn along(axis: Axis) -> Self {
        match axis {
            Axis::Position => Self::OodPosition,
            Axis::Object => Self::OodObject,
            Axis::Instruction => Self::OodInstruction,
            Axis::Scene => Self::OodScene,
            Axis::Dynamics => Self::OodDynamics,
        }
    }

    /// Its tasks.
    #[must_use]
    pub fn tasks(self) -> Vec<Task> {
        let is_part = matches!(self, Self::Articulated | Self::Movable);
        let within = |task: &Task| !is_part || suite_of(*task) == self;
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
        for suite in Suite::value_variants() {
            let axis = suite.axis().map(|axis| format!("ood-{}", axis.name()));
            assert_eq!(
                suite.name().starts_with("ood"),
                axis.as_deref() == Some(suite.name())
            );
            assert!(suite.axis().is_none_or(|axis| Suite::along(axis) == *suite));
        }
    }
}
