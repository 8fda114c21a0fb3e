//! Tasks that are measured together.

use crate::episode::Variation;
use crate::info::{TaskInfo, WorldInfo};

/// Name of the suite of all tasks.
pub const ALL_TASKS: &str = "all";

/// A group of tasks, in plain scenes or along one axis of departure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// Its name: that of a group, `all`, or `ood-` and an axis.
    pub name: String,
    /// What it is, in a few words.
    pub about: String,
    /// Ids of its tasks.
    pub tasks: Vec<String>,
    /// What its scenes or instructions depart in, and how far they can; none in plain scenes.
    pub variations: Vec<Variation>,
}

impl Suite {
    /// Whether its scenes are plain.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.variations.is_empty()
    }
}

impl WorldInfo {
    /// Its suites: one a group, all tasks, and all tasks along each axis.
    #[must_use]
    pub fn suites(&self) -> Vec<Suite> {
        let ids = |wanted: &dyn Fn(&str) -> bool| {
            let tasks = self.tasks.iter().filter(|task| wanted(task.group));
            tasks.map(|task| task.id.clone()).collect()
        };
        let groups = self.groups.iter().map(|group| Suite {
            name: group.name.to_owned(),
            about: group.about.to_owned(),
            tasks: ids(&|name| name == group.name),
            variations: Vec::new(),
        });
        let all = Suite {
            name: ALL_TASKS.to_owned(),
            about: "all tasks".to_owned(),
            tasks: ids(&|_| true),
            variations: Vec::new(),
        };
        let axes = self.axes.iter().map(|axis| Suite {
            name: axis_suite(axis.name),
            about: format!("all tasks; {}", axis.about),
            tasks: ids(&|_| true),
            variations: axis
                .strengths
                .iter()
                .map(|strength| Variation {
                    axis: axis.name.to_owned(),
                    strength: *strength,
                })
                .collect(),
        });
        groups.chain([all]).chain(axes).collect()
    }

    /// Name of the suite that an episode belongs to: the task's group, or the departure's suite.
    #[must_use]
    pub fn suite_of(&self, task: &TaskInfo, variation: Option<&Variation>) -> String {
        variation.map_or_else(
            || task.group.to_owned(),
            |variation| axis_suite(&variation.axis),
        )
    }
}

fn axis_suite(axis: &str) -> String {
    format!("ood-{axis}")
}
