//! The space that the robot itself takes up: capsules, spheres swept along a line, fixed to its links.
//!
//! Source: the coarse geometry "of real robot's internal self-collision" in Franka Robotics'
//! `franka_description` (the same for Panda and FR3). It is widened where the Panda's collision meshes
//! stick out of it: base, lower forearm, wrist, hand and fingers. Of those meshes, with the fingers
//! anywhere, nothing is further than 10.5 mm outside the capsules of a link and its neighbours; a test
//! of `tiller-playtable`, which has the meshes, measures it.

use nalgebra::Vector3;

use crate::kinematics::{Chain, HAND_TCP_M};

/// The hand, as a link; the base is link 0, and link 7 carries the flange.
pub const HAND: usize = 8;

/// A sphere swept along a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capsule {
    /// The link that it moves with.
    pub link: usize,
    /// Where the line begins in the link's frame, m.
    pub from_m: [f64; 3],
    /// Where it ends, m.
    pub to_m: [f64; 3],
    /// Of the sphere, m.
    pub radius_m: f64,
}

const fn capsule(link: usize, from_m: [f64; 3], to_m: [f64; 3], radius_m: f64) -> Capsule {
    Capsule {
        link,
        from_m,
        to_m,
        radius_m,
    }
}

/// All of them. The last one is the fingertips, wherever the fingers are.
pub const CAPSULES: [Capsule; 13] = [
    capsule(0, [-0.08, 0.0, 0.05], [0.0, 0.0, 0.05], 0.1),
    capsule(1, [0.0, 0.0, -0.333], [0.0, 0.0, -0.05], 0.06),
    capsule(2, [0.0, 0.0, -0.06], [0.0, 0.0, 0.06], 0.06),
    capsule(3, [0.0, 0.0, -0.22], [0.0, 0.0, -0.07], 0.06),
    capsule(4, [0.0, 0.0, -0.06], [0.0, 0.0, 0.06], 0.06),
    capsule(5, [0.0, 0.0, -0.31], [0.0, 0.0, -0.21], 0.06),
    capsule(5, [0.0, 0.07, -0.17], [0.0, 0.07, -0.03], 0.045),
    capsule(6, [0.0, 0.0, -0.07], [0.0, 0.0, 0.01], 0.055),
    capsule(7, [0.0, 0.0, -0.06], [0.0, 0.0, 0.08], 0.047),
    capsule(7, [0.0389, 0.0389, 0.082], [0.046, 0.046, 0.082], 0.03),
    capsule(HAND, [0.0, -0.055, 0.02], [0.0, 0.055, 0.02], 0.052),
    capsule(HAND, [0.0, -0.045, 0.085], [0.0, 0.045, 0.085], 0.02),
    capsule(HAND, [0.0, -0.055, 0.1018], [0.0, 0.055, 0.1018], 0.0105),
];

/// The fingertips among [`CAPSULES`].
pub(crate) const FINGERTIPS: usize = CAPSULES.len() - 1;

/// The first of [`CAPSULES`] of the hand.
const FIRST_OF_HAND: usize = FINGERTIPS - 2;

/// Whether two links could touch: the others are neighbours, or the joints' limits keep them apart.
#[must_use]
pub const fn can_touch(link: usize, other: usize) -> bool {
    let (low, high) = if link < other {
        (link, other)
    } else {
        (other, link)
    };
    (low <= 2 && high >= 5) || (high == HAND && (low == 3 || low == 5))
}

/// Pairs of [`CAPSULES`] of links that could touch.
pub(crate) const PAIRS: [(usize, usize); PAIR_COUNT] = pairs();
const PAIR_COUNT: usize = 33;

const fn pairs() -> [(usize, usize); PAIR_COUNT] {
    let mut pairs = [(0, 0); PAIR_COUNT];
    let (mut count, mut a) = (0, 0);
    while a < CAPSULES.len() {
        let mut b = a + 1;
        while b < CAPSULES.len() {
            if can_touch(CAPSULES[a].link, CAPSULES[b].link) {
                pairs[count] = (a, b);
                count += 1;
            }
            b += 1;
        }
        a += 1;
    }
    assert!(count == PAIR_COUNT, "every pair has its place");
    pairs
}

/// Furthest that any point of [`CAPSULES`] is from the axis of each joint, m: a radian a second of the
/// joint moves nothing faster than this in m/s. Sums of the lengths between joints, and of the way
/// from the last one to the fingertips.
pub(crate) const REACH_M: [f64; 7] = [0.98, 0.98, 0.75, 0.66, 0.27, 0.27, 0.13];

/// The body at one joint vector: the lines of [`CAPSULES`] in the base frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body {
    lines: [[Vector3<f64>; 2]; CAPSULES.len()],
}

impl Body {
    pub(crate) fn new(chain: &Chain) -> Self {
        let hand = chain.position - chain.rotation.column(2) * HAND_TCP_M;
        let placed = |capsule: &Capsule, point: &[f64; 3]| {
            let point = Vector3::from(*point);
            match capsule.link {
                0 => point,
                HAND => hand + chain.rotation * point,
                link => chain.origins[link - 1] + chain.rotations[link - 1] * point,
            }
        };
        Self {
            lines: std::array::from_fn(|index| {
                let capsule = &CAPSULES[index];
                [
                    placed(capsule, &capsule.from_m),
                    placed(capsule, &capsule.to_m),
                ]
            }),
        }
    }

    /// Distance between the surfaces of two capsules, m; negative where they overlap.
    pub(crate) fn distance_m(&self, (a, b): (usize, usize)) -> f64 {
        let between = between_lines(&self.lines[a], &self.lines[b]);
        between - CAPSULES[a].radius_m - CAPSULES[b].radius_m
    }

    /// The lowest point of a capsule, m: one of its ends.
    pub(crate) fn lowest_m(&self, index: usize) -> f64 {
        let [from, to] = &self.lines[index];
        from.z.min(to.z) - CAPSULES[index].radius_m
    }
}

/// The lowest points, m, of what of the hand is not the fingertips, and of the fingertips, below the
/// TCP of a hand whose axes have these z components in the base frame.
pub(crate) fn hand_below_tcp_m(z_of_axes: &Vector3<f64>) -> (f64, f64) {
    let lowest = |capsule: &Capsule| {
        let height =
            |point: &[f64; 3]| z_of_axes.dot(&(Vector3::from(*point) - Vector3::z() * HAND_TCP_M));
        height(&capsule.from_m).min(height(&capsule.to_m)) - capsule.radius_m
    };
    let hand = CAPSULES[FIRST_OF_HAND..FINGERTIPS].iter().map(lowest);
    (
        hand.fold(f64::INFINITY, f64::min),
        lowest(&CAPSULES[FINGERTIPS]),
    )
}

/// Least distance between two lines of finite length. Each of them must have one.
fn between_lines([a, a_end]: &[Vector3<f64>; 2], [b, b_end]: &[Vector3<f64>; 2]) -> f64 {
    let (along_a, along_b, apart) = (a_end - a, b_end - b, a - b);
    let (aa, bb, ab) = (
        along_a.norm_squared(),
        along_b.norm_squared(),
        along_a.dot(&along_b),
    );
    let (to_a, to_b) = (along_a.dot(&apart), along_b.dot(&apart));
    // Parallel lines are as near at their beginning as anywhere, before the ends are looked at.
    let independence = aa * bb - ab * ab;
    let mut s = if independence > 1e-12 {
        ((ab * to_b - to_a * bb) / independence).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let mut t = (ab * s + to_b) / bb;
    if !(0.0..=1.0).contains(&t) {
        t = t.clamp(0.0, 1.0);
        s = ((ab * t - to_a) / aa).clamp(0.0, 1.0);
    }
    (apart + along_a * s - along_b * t).norm()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinematics::HOME_Q;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_are_as_far_apart_as_their_nearest_points(
            ends in prop::array::uniform12(-1.0..1.0f64), parallel in any::<bool>(),
        ) {
            let point = |at: usize| Vector3::new(ends[at], ends[at + 1], ends[at + 2]);
            let a = [point(0), point(3)];
            let b_end = if parallel { point(6) + (a[1] - a[0]) * 0.7 } else { point(9) };
            let b = [point(6), b_end];
            let found = between_lines(&a, &b);
            let at = |line: &[Vector3<f64>; 2], part: i32| line[0] + (line[1] - line[0]) * (f64::from(part) / 100.0);
            let mut least = f64::INFINITY;
            for i in 0..=100 {
                for j in 0..=100 {
                    least = least.min((at(&a, i) - at(&b, j)).norm());
                }
            }
            prop_assert!(found <= least + 1e-12 && found > least - 0.04, "{found} {least}");
        }

        #[test]
        fn nothing_moves_faster_than_its_reach_says(q in prop::array::uniform7(-2.9..2.9f64), joint in 0usize..7) {
            const H: f64 = 1e-6;
            let mut turned = q;
            turned[joint] += H;
            let (before, after) = (Body::new(&Chain::new(&q)), Body::new(&Chain::new(&turned)));
            for (index, (from, to)) in before.lines.iter().zip(&after.lines).enumerate() {
                for end in 0..2 {
                    let speed = (to[end] - from[end]).norm() / H;
                    prop_assert!(speed < REACH_M[joint], "{index}: {speed}");
                }
            }
        }

        #[test]
        fn the_hand_hangs_below_its_tcp_as_the_body_has_it(q in prop::array::uniform7(-2.9..2.9f64)) {
            let chain = Chain::new(&q);
            let body = Body::new(&chain);
            let (hand, tips) = hand_below_tcp_m(&chain.rotation.row(2).transpose());
            let lowest = body.lowest_m(FIRST_OF_HAND).min(body.lowest_m(FIRST_OF_HAND + 1));
            prop_assert!((chain.position.z + hand - lowest).abs() < 1e-12);
            prop_assert!((chain.position.z + tips - body.lowest_m(FINGERTIPS)).abs() < 1e-12);
        }
    }

    #[test]
    fn at_home_nothing_is_near() {
        let body = Body::new(&Chain::new(&HOME_Q));
        let least = PAIRS
            .iter()
            .map(|pair| body.distance_m(*pair))
            .fold(f64::INFINITY, f64::min);
        assert!((0.08..0.09).contains(&least), "{least}");
    }
}
