//! What stands fast on the table: pushed with closed fingers, as the experts do.

use tiller_reward::Access;
use tiller_vlm::recipe::{Hand, StageDraft};

use super::measures::{ALONG_BACK, Offset, plus, times};
use super::push::{Enough, Push};
use crate::scene::Point;
use crate::understand::Side;

/// From where the hand comes in to what is on the table's back: out of it.
const IN_FRONT: Offset = [0.0, -0.8, 0.6];
const UP: Offset = [0.0, 0.0, 1.0];
/// How far the fingertips are tilted forwards at the slide and at the switch, rad.
const SLIDE_TILT_RAD: f64 = 0.3;
const SWITCH_TILT_RAD: f64 = 0.95;

/// What is pushed, and what the stages are called.
#[derive(Debug, Clone)]
pub(super) struct Fixture<'p> {
    push: Push<'p>,
    words: [String; 3],
    /// It springs back: the hand leaves it by itself.
    springs: bool,
}

impl Fixture<'_> {
    /// The stages; what is to be done next has the hand leave.
    pub(super) fn stages(&self, goes_on: bool, hand: Hand) -> Vec<StageDraft> {
        let mut push = self.push;
        if hand.access.rotations == Access::Absent {
            // The hand points straight down.
            push.tilt_rad = 0.0;
        }
        let [before, inward, on] = &self.words;
        let mut stages = push.stages([before, inward, on], hand);
        if self.springs || goes_on {
            stages.push(push.leave("take the hand away", hand));
        }
        stages
    }
}

/// By its handle, from behind it or from the front.
pub(super) fn drawer(handle: &Point, open: bool) -> Fixture<'_> {
    let way = [0.0, if open { -1.0 } else { 1.0 }, 0.0];
    let (place, verb) = if open {
        ("behind", "pull")
    } else {
        ("in front of", "push")
    };
    Fixture {
        push: Push {
            thing: handle,
            beside_m: plus(times(-0.036, way), [0.0, 0.0, 0.008]),
            way,
            entry: UP,
            hover_m: 0.100,
            tilt_rad: 0.0,
            travel_m: 0.205,
            enough: Enough::Thing(0.130),
            tracked: true,
        },
        words: [
            format!("stop above the drawer handle, {place} it"),
            format!("go down {place} the handle"),
            format!("{verb} the drawer"),
        ],
        springs: false,
    }
}

/// By its handle, from the other side.
pub(super) fn slide(handle: &Point, side: Side) -> Fixture<'_> {
    let way = [side.sign(), 0.0, 0.0];
    Fixture {
        push: Push {
            thing: handle,
            beside_m: plus(times(-0.047, way), times(-0.02, ALONG_BACK)),
            way,
            entry: IN_FRONT,
            hover_m: 0.080,
            tilt_rad: SLIDE_TILT_RAD,
            travel_m: 0.240,
            enough: Enough::Thing(0.165),
            tracked: true,
        },
        words: [
            "stop in front of the slide, beside its handle".to_owned(),
            "go in beside the handle".to_owned(),
            format!("push the slide {}", side.word()),
        ],
        springs: false,
    }
}

/// Up or down, from below or from above.
pub(super) fn switch(switch: &Point, on: bool) -> Fixture<'_> {
    let way = times(if on { 1.0 } else { -1.0 }, ALONG_BACK);
    let (place, end) = if on {
        ("below", "up")
    } else {
        ("above", "down")
    };
    Fixture {
        push: Push {
            thing: switch,
            beside_m: times(-0.04, way),
            way,
            entry: IN_FRONT,
            hover_m: 0.080,
            tilt_rad: SWITCH_TILT_RAD,
            travel_m: 0.110,
            enough: Enough::Thing(0.040),
            tracked: false,
        },
        words: [
            format!("stop in front of the switch, {place} it"),
            format!("go in {place} the switch"),
            format!("push the switch {end}"),
        ],
        springs: false,
    }
}

/// Down.
pub(super) fn button(button: &Point) -> Fixture<'_> {
    Fixture {
        push: Push {
            thing: button,
            beside_m: times(0.030, UP),
            way: times(-1.0, UP),
            entry: UP,
            hover_m: 0.080,
            tilt_rad: 0.0,
            travel_m: 0.045,
            enough: Enough::Tips(0.030),
            tracked: false,
        },
        words: [
            "stop above the button".to_owned(),
            "go down to the button".to_owned(),
            "press the button".to_owned(),
        ],
        springs: true,
    }
}
