//! CALVIN's tasks that a reset can begin, and its things.

/// Group of the benchmark's doors, drawers, switches and buttons.
pub(crate) const ARTICULATED: &str = "articulated";
/// Group of the benchmark's blocks.
pub(crate) const MOVABLE: &str = "movable";
/// Group of the oracle's other tasks.
pub(crate) const OTHER: &str = "other";

/// The oracle's name, what is said, group.
pub(crate) const TASKS: [(&str, &str, &str); 28] = [
    ("open_drawer", "open the drawer", ARTICULATED),
    ("close_drawer", "close the drawer", ARTICULATED),
    ("move_slider_left", "move the slider left", ARTICULATED),
    ("move_slider_right", "move the slider right", ARTICULATED),
    ("turn_on_led", "turn on the led", ARTICULATED),
    ("turn_off_led", "turn off the led", ARTICULATED),
    ("turn_on_lightbulb", "turn on the light bulb", ARTICULATED),
    ("turn_off_lightbulb", "turn off the light bulb", ARTICULATED),
    ("lift_red_block_table", "lift the red block", MOVABLE),
    ("lift_blue_block_table", "lift the blue block", MOVABLE),
    ("lift_pink_block_table", "lift the pink block", MOVABLE),
    (
        "lift_red_block_slider",
        "lift the red block from the shelf",
        OTHER,
    ),
    (
        "lift_blue_block_slider",
        "lift the blue block from the shelf",
        OTHER,
    ),
    (
        "lift_pink_block_slider",
        "lift the pink block from the shelf",
        OTHER,
    ),
    (
        "rotate_red_block_right",
        "rotate the red block right",
        OTHER,
    ),
    ("rotate_red_block_left", "rotate the red block left", OTHER),
    (
        "rotate_blue_block_right",
        "rotate the blue block right",
        OTHER,
    ),
    (
        "rotate_blue_block_left",
        "rotate the blue block left",
        OTHER,
    ),
    (
        "rotate_pink_block_right",
        "rotate the pink block right",
        OTHER,
    ),
    (
        "rotate_pink_block_left",
        "rotate the pink block left",
        OTHER,
    ),
    ("push_red_block_right", "push the red block right", OTHER),
    ("push_red_block_left", "push the red block left", OTHER),
    ("push_blue_block_right", "push the blue block right", OTHER),
    ("push_blue_block_left", "push the blue block left", OTHER),
    ("push_pink_block_right", "push the pink block right", OTHER),
    ("push_pink_block_left", "push the pink block left", OTHER),
    (
        "push_into_drawer",
        "push the red block into the drawer",
        OTHER,
    ),
    ("stack_block", "stack the blocks", OTHER),
];

/// What a segmentation image can hold, by the names that the environment's side gives; ids count from 1.
pub(crate) const LABELS: [&str; 14] = [
    "red block",
    "blue block",
    "pink block",
    "drawer",
    "drawer handle",
    "slide",
    "slide handle",
    "switch",
    "button",
    "led",
    "light",
    "plank",
    "table",
    "robot",
];
/// Those of things to which nothing is ever done.
pub(crate) const WITHOUT_KEYPOINTS: [&str; 3] = ["plank", "table", "robot"];
