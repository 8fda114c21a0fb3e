//! What stands fast on the table: pushed with closed fingers, as the experts do.

use tiller_reward::Access;
use tiller_vlm::recipe::{Hand, StageDraft};

use super::measures::{ALONG_BACK, Offset, middle_of, plus, times};
use super::push::Push;
use crate::scene::Point;
use crate::understand::Side;

/// From where the hand comes in to what is on the table's back: out of it.
const IN_FRONT: Offset = [0.0, -0.8, 0.6];
const UP: Offset = [0.0, 0.0, 1.0];
/// How far the fingertips are tilted forwards at the slide and at the switch, rad.
const SLIDE_TILT_RAD: f64 = 0.3;
const SWITCH_TILT_RAD: f64 = 0.8;

/// What is pushed, and what the stages are called.
#[derive(Debug, Clone)]
pub(super) struct Fixture {
    push: Push,
    words: [String; 3],
    /// It springs back: the hand leaves it by itself.
    springs: bool,
}

impl Fixture {
    /// The stages; what is to be done next has the hand leave.
    pub(super) fn stages(&self, goes_on: bool, hand: Hand) -> Vec<StageDraft> {
        let mut push = self.push;
        if hand.access.rotations == Access::Absent {
            // The hand points straight down.
            push.tilt_rad = 0.0;
        }
        let [before, into, on] = &self.words;
        let mut stages = push.stages([before, into, on], hand);
        if self.springs || goes_on {
            // From where the way ended.
            push.ready_m = plus(push.ready_m, times(push.enough_m, push.way));
            stages.push(push.leave("take the hand away", hand));
        }
        stages
    }
}

/// By its handle, from behind it or from the front.
pub(super) fn drawer(handle: &Point, open: bool) -> Fixture {
    let way = if open {
        [0.0, -1.0, 0.0]
    } else {
        [0.0, 1.0, 0.0]
    };
    let beside = plus(times(-0.036, way), [0.0, 0.0, 0.008]);
    let (place, verb) = if open {
        ("behind", "pull")
    } else {
        ("in front of", "push")
    };
    Fixture {
        push: Push {
            ready_m: plus(middle_of(handle), beside),
            way,
            entry: UP,
            hover_m: 0.100,
            tilt_rad: 0.0,
            travel_m: 0.205,
            enough_m: 0.155,
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
pub(super) fn slide(handle: &Point, side: Side) -> Fixture {
    let way = [side.sign(), 0.0, 0.0];
    let beside = plus(times(-0.047, way), times(-0.02, ALONG_BACK));
    Fixture {
        push: Push {
            ready_m: plus(middle_of(handle), beside),
            way,
            entry: IN_FRONT,
            hover_m: 0.080,
            tilt_rad: SLIDE_TILT_RAD,
            travel_m: 0.240,
            enough_m: 0.190,
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
pub(super) fn switch(switch: &Point, on: bool) -> Fixture {
    let sign = if on { 1.0 } else { -1.0 };
    let way = times(sign, ALONG_BACK);
    let (place, end) = if on {
        ("below", "up")
    } else {
        ("above", "down")
    };
    Fixture {
        push: Push {
            ready_m: plus(middle_of(switch), times(-0.04, way)),
            way,
            entry: IN_FRONT,
            hover_m: 0.080,
            tilt_rad: SWITCH_TILT_RAD,
            travel_m: 0.110,
            enough_m: 0.080,
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
pub(super) fn button(button: &Point) -> Fixture {
    Fixture {
        push: Push {
            ready_m: plus(middle_of(button), times(0.03, UP)),
            way: times(-1.0, UP),
            entry: UP,
            hover_m: 0.080,
            tilt_rad: 0.0,
            travel_m: 0.045,
            enough_m: 0.030,
        },
        words: [
            "stop above the button".to_owned(),
            "go down to the button".to_owned(),
            "press the button".to_owned(),
        ],
        springs: true,
    }
}
