//! The thirteen tasks and their instructions.

use crate::objects::{Block, Thing};

/// A task of the play table. "Left" is the robot's left (+y).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Task {
    /// Pull the drawer open, towards the robot.
    DrawerOpen,
    /// Push the drawer shut.
    DrawerClose,
    /// Slide the door to the robot's left (+y).
    DoorLeft,
    /// Slide the door to the robot's right (-y).
    DoorRight,
    /// Push the switch lever away from the robot (+x).
    SwitchOn,
    /// Pull the switch lever towards the robot (-x).
    SwitchOff,
    /// Press the button.
    ButtonPress,
    /// Push a block along the table.
    Push(Block),
    /// Grasp a block and lift it.
    Lift(Block),
}

impl Task {
    /// All thirteen tasks.
    pub const ALL: [Task; 13] = [
        Task::DrawerOpen,
        Task::DrawerClose,
        Task::DoorLeft,
        Task::DoorRight,
        Task::SwitchOn,
        Task::SwitchOff,
        Task::ButtonPress,
        Task::Push(Block::Red),
        Task::Push(Block::Blue),
        Task::Push(Block::Pink),
        Task::Lift(Block::Red),
        Task::Lift(Block::Blue),
        Task::Lift(Block::Pink),
    ];

    /// Position in [`Task::ALL`].
    pub fn index(self) -> usize {
        match self {
            Task::DrawerOpen => 0,
            Task::DrawerClose => 1,
            Task::DoorLeft => 2,
            Task::DoorRight => 3,
            Task::SwitchOn => 4,
            Task::SwitchOff => 5,
            Task::ButtonPress => 6,
            Task::Push(block) => 7 + block.index(),
            Task::Lift(block) => 10 + block.index(),
        }
    }

    /// Identifier, such as `drawer_open` or `push_red`.
    pub fn name(self) -> &'static str {
        match self {
            Task::DrawerOpen => "drawer_open",
            Task::DrawerClose => "drawer_close",
            Task::DoorLeft => "door_left",
            Task::DoorRight => "door_right",
            Task::SwitchOn => "switch_on",
            Task::SwitchOff => "switch_off",
            Task::ButtonPress => "button_press",
            Task::Push(Block::Red) => "push_red",
            Task::Push(Block::Blue) => "push_blue",
            Task::Push(Block::Pink) => "push_pink",
            Task::Lift(Block::Red) => "lift_red",
            Task::Lift(Block::Blue) => "lift_blue",
            Task::Lift(Block::Pink) => "lift_pink",
        }
    }

    /// What the task is about.
    pub fn thing(self) -> Thing {
        match self {
            Task::DrawerOpen | Task::DrawerClose => Thing::Drawer,
            Task::DoorLeft | Task::DoorRight => Thing::Door,
            Task::SwitchOn | Task::SwitchOff => Thing::Switch,
            Task::ButtonPress => Thing::Button,
            Task::Push(block) | Task::Lift(block) => Thing::Block(block),
        }
    }

    /// The task with that [`name`](Task::name).
    ///
    /// ```
    /// use tiller_playtable::Task;
    /// assert_eq!(Task::from_name("drawer_open"), Some(Task::DrawerOpen));
    /// assert_eq!(Task::from_name("make_coffee"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Task> {
        Task::ALL.into_iter().find(|task| task.name() == name)
    }

    /// The canonical instruction in English.
    pub fn instruction(self) -> &'static str {
        match self {
            Task::DrawerOpen => "open the drawer",
            Task::DrawerClose => "close the drawer",
            Task::DoorLeft => "slide the door to the left",
            Task::DoorRight => "slide the door to the right",
            Task::SwitchOn => "turn on the switch",
            Task::SwitchOff => "turn off the switch",
            Task::ButtonPress => "press the button",
            Task::Push(Block::Red) => "push the red block",
            Task::Push(Block::Blue) => "push the blue block",
            Task::Push(Block::Pink) => "push the pink block",
            Task::Lift(Block::Red) => "lift the red block",
            Task::Lift(Block::Blue) => "lift the blue block",
            Task::Lift(Block::Pink) => "lift the pink block",
        }
    }

    /// The task whose canonical instruction this is; case, surrounding space and a full stop aside.
    pub fn from_instruction(text: &str) -> Option<Task> {
        let words: Vec<String> = text
            .trim()
            .trim_end_matches(['.', '!'])
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let text = words.join(" ");
        Task::ALL
            .into_iter()
            .find(|task| task.instruction() == text)
    }
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_instructions_identify_tasks() {
        for (index, task) in Task::ALL.into_iter().enumerate() {
            assert_eq!(task.index(), index);
            assert_eq!(Task::from_name(task.name()), Some(task));
            assert_eq!(Task::from_instruction(task.instruction()), Some(task));
        }
        assert_eq!(
            Task::from_instruction(" Open the  drawer. "),
            Some(Task::DrawerOpen)
        );
        assert_eq!(Task::from_instruction("make coffee"), None);
    }
}
