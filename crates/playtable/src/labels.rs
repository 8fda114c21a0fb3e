//! Segmentation labels.

use std::sync::LazyLock;

use crate::hard;
use crate::objects::{Block, Thing};

pub(crate) const DRAWER_HANDLE: u8 = 1;
pub(crate) const DRAWER: u8 = 2;
pub(crate) const DOOR_HANDLE: u8 = 3;
pub(crate) const DOOR: u8 = 4;
pub(crate) const SWITCH: u8 = 5;
pub(crate) const BUTTON: u8 = 6;
pub(crate) const RED_BLOCK: u8 = 7;
pub(crate) const BLUE_BLOCK: u8 = 8;
pub(crate) const PINK_BLOCK: u8 = 9;
pub(crate) const TABLE: u8 = 10;
pub(crate) const ROBOT: u8 = 11;

/// Those of the thirteen tasks; what the hard suites add comes after them.
const TABLE_LABELS: [(u8, &str); 11] = [
    (DRAWER_HANDLE, "drawer handle"),
    (DRAWER, "drawer"),
    (DOOR_HANDLE, "door handle"),
    (DOOR, "door"),
    (SWITCH, "switch"),
    (BUTTON, "button"),
    (RED_BLOCK, "red block"),
    (BLUE_BLOCK, "blue block"),
    (PINK_BLOCK, "pink block"),
    (TABLE, "table"),
    (ROBOT, "robot"),
];

static LABELS: LazyLock<Vec<(u8, &str)>> = LazyLock::new(|| {
    let added = hard::labels().map(|(id, _, name)| (id, name));
    TABLE_LABELS.into_iter().chain(added).collect()
});

/// Objects of the plain table of which one point says too little.
const TABLE_COUNTS: [(&str, usize); 2] = [("drawer", 2), ("door", 2)];

/// Objects of which one point says too little: how many keypoints each needs.
pub fn keypoint_counts() -> Vec<(&'static str, usize)> {
    let added = hard::suites().flat_map(|suite| suite.keypoint_counts());
    TABLE_COUNTS.into_iter().chain(added.copied()).collect()
}

/// What needs no keypoints: nothing is ever done to it.
pub const WITHOUT_KEYPOINTS: [&str; 2] = ["table", "robot"];

/// Ids and names of what a segmentation image can hold. Id 0 is the background and has no name.
pub fn labels() -> &'static [(u8, &'static str)] {
    &LABELS
}

/// The thing that a label is a part of; `None` for table, robot and background.
pub(crate) fn thing_of(label: u8) -> Option<Thing> {
    Some(match label {
        DRAWER_HANDLE | DRAWER => Thing::Drawer,
        DOOR_HANDLE | DOOR => Thing::Door,
        SWITCH => Thing::Switch,
        BUTTON => Thing::Button,
        RED_BLOCK => Thing::Block(Block::Red),
        BLUE_BLOCK => Thing::Block(Block::Blue),
        PINK_BLOCK => Thing::Block(Block::Pink),
        _ => return None,
    })
}

/// Label of a geom by its name in the scene and its body's name; `None` for the background.
pub(crate) fn label_of(geom: &str, body: &str) -> Option<u8> {
    Some(match body {
        "drawer" if geom.starts_with("handle") => DRAWER_HANDLE,
        "drawer" => DRAWER,
        "door" if geom == "door_panel" => DOOR,
        "door" => DOOR_HANDLE,
        "switch" => SWITCH,
        "button" => BUTTON,
        "red" => RED_BLOCK,
        "blue" => BLUE_BLOCK,
        "pink" => PINK_BLOCK,
        "table" => TABLE,
        // Nobody asks a segmenter for what has no name.
        "world" | "distractors" => return None,
        _ => return Some(added_label(body).unwrap_or(ROBOT)),
    })
}

/// The label of what a hard suite adds.
fn added_label(body: &str) -> Option<u8> {
    let mut labels = hard::labels();
    labels
        .find(|(_, known, _)| *known == body)
        .map(|(id, ..)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_order() {
        for (index, (id, _)) in labels().iter().enumerate() {
            assert_eq!(usize::from(*id), index + 1);
        }
    }

    #[test]
    fn things_have_labels_of_their_names() {
        for (id, name) in labels() {
            match thing_of(*id) {
                Some(thing) => assert!(name.starts_with(thing.name()), "{name}"),
                None => assert!(*id >= TABLE, "{name}"),
            }
        }
    }

    #[test]
    fn parts_have_the_label_of_their_object() {
        assert_eq!(label_of("handle_post_left", "drawer"), Some(DRAWER_HANDLE));
        assert_eq!(label_of("drawer_front", "drawer"), Some(DRAWER));
        assert_eq!(label_of("door_knob", "door"), Some(DOOR_HANDLE));
        assert_eq!(label_of("lamp", "table"), Some(TABLE));
        assert_eq!(label_of("left_finger", "left_finger"), Some(ROBOT));
        assert_eq!(label_of("floor", "world"), None);
    }
}
