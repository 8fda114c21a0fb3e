//! Tasks that are measured together.

use crate::episode::Variation;
use crate::info::{GroupInfo, TaskInfo, WorldInfo};

/// Name of the suite of all tasks.
pub const ALL_TASKS: &str = "all";

/// Name of the suite of all groups whose scenes come at strengths, and of what their scenes depart in.
pub const HARD: &str = "hard";

/// A group of tasks, in plain scenes or along one axis of departure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// Its name: that of a group, `all`, [`HARD`], or `ood-` and an axis.
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
    /// Its suites: one a plain group, all their tasks, the same along each axis, then one a group whose scenes come
    /// at strengths, and all of these.
    #[must_use]
    pub fn suites(&self) -> Vec<Suite> {
        let (hard, plain): (Vec<&GroupInfo>, Vec<&GroupInfo>) = self
            .groups
            .iter()
            .partition(|group| !group.strengths.is_empty());
        let is_hard = |name: &str| hard.iter().any(|group| group.name == name);
        let ids = |wanted: &dyn Fn(&str) -> bool| {
            let tasks = self.tasks.iter().filter(|task| wanted(task.group));
            tasks.map(|task| task.id.clone()).collect()
        };
        let of_group = |group: &&GroupInfo| Suite {
            name: group.name.to_owned(),
            about: group.about.to_owned(),
            tasks: ids(&|name| name == group.name),
            variations: variations(HARD, &group.strengths),
        };
        let all = Suite {
            name: ALL_TASKS.to_owned(),
            about: "all tasks".to_owned(),
            tasks: ids(&|name| !is_hard(name)),
            variations: Vec::new(),
        };
        let all_hard = hard.first().map(|first| Suite {
            name: HARD.to_owned(),
            about: "all suites at strengths".to_owned(),
            tasks: ids(&is_hard),
            variations: variations(HARD, &first.strengths),
        });
        let axes = self.axes.iter().map(|axis| Suite {
            name: axis_suite(axis.name),
            about: format!("all tasks; {}", axis.about),
            tasks: ids(&|name| !is_hard(name)),
            variations: variations(axis.name, &axis.strengths),
        });
        let groups = plain.iter().map(of_group).chain([all]);
        groups
            .chain(axes)
            .chain(hard.iter().map(of_group))
            .chain(all_hard)
            .collect()
    }

    /// Name of the suite that an episode belongs to: the task's group, or the departure's suite.
    #[must_use]
    pub fn suite_of(&self, task: &TaskInfo, variation: Option<&Variation>) -> String {
        match variation {
            Some(variation) if variation.axis != HARD => axis_suite(&variation.axis),
            _ => task.group.to_owned(),
        }
    }
}

fn variations(axis: &str, strengths: &[u8]) -> Vec<Variation> {
    let strengths = strengths.iter();
    strengths
        .map(|strength| Variation {
            axis: axis.to_owned(),
            strength: *strength,
        })
        .collect()
}

fn axis_suite(axis: &str) -> String {
    format!("ood-{axis}")
}
