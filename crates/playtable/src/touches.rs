//! Touches of a forbidden thing, as a person would count them, and what is said of a thing beside the task.

use crate::world::STEP_NS;

/// Contacts come and go between two steps while a link rubs along a thing: so long apart, and it is another touch, ns.
const APART_NS: u64 = 100_000_000;

/// Touches of one thing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Touches {
    count: u32,
    /// Until when a contact belongs to the last touch, ns from now.
    left_ns: u64,
}

impl Touches {
    /// Takes in whether the thing is touched after a physics step; true where a touch begins.
    pub(crate) fn observe(&mut self, is_touched: bool) -> bool {
        self.left_ns = self.left_ns.saturating_sub(STEP_NS);
        if !is_touched {
            return false;
        }
        let begins = self.left_ns == 0;
        self.left_ns = APART_NS;
        self.count += u32::from(begins);
        begins
    }
}

/// What happened to a thing, in words: `moved 0.05 m, touched 2 times though forbidden`.
pub(crate) fn words(farthest_m: f64, touches: Touches) -> String {
    let mut words = Vec::new();
    if farthest_m > 0.0 {
        words.push(format!("moved {farthest_m:.2} m"));
    }
    match touches.count {
        0 => {}
        1 => words.push("touched though forbidden".to_owned()),
        times => words.push(format!("touched {times} times though forbidden")),
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_that_come_and_go_are_one_touch() {
        let mut touches = Touches::default();
        // Half a second in which every other step has a contact, a second without, and one more.
        let rubbing = (0..250).map(|step| step % 2 == 0);
        let course = rubbing.chain([false; 500]).chain([true]);
        let begun = course.filter(|is_touched| touches.observe(*is_touched));
        assert_eq!(begun.count(), 2);
        assert_eq!(
            words(0.05, touches),
            "moved 0.05 m, touched 2 times though forbidden"
        );
    }

    #[test]
    fn what_was_apart_for_a_moment_only_is_still_touched() {
        let steps = APART_NS / STEP_NS;
        let count = |apart: u64| {
            let mut touches = Touches::default();
            touches.observe(true);
            (0..apart).for_each(|_| {
                touches.observe(false);
            });
            touches.observe(true);
            touches.count
        };
        assert_eq!((count(0), count(steps - 2), count(steps)), (1, 1, 2));
    }
}
