//! The distribution of scenes: what a seed decides.

use crate::objects::Block;
use crate::task::Task;
use tiller_world::Random;

/// Where the blocks may lie: x and y ranges of their centres, metres. Clear of all furniture and of the
/// paths of drawer, door handle, switch and button.
const BLOCK_X_M: [f64; 2] = [0.39, 0.52];
const BLOCK_Y_M: [f64; 2] = [-0.02, 0.265];
/// Least distance between the centres of two blocks, metres: room for a finger between them.
const BLOCK_GAP_M: f64 = 0.09;
/// Largest rotation of a block about z, radians.
const BLOCK_YAW_RAD: f64 = 0.3;
/// TCP at reset: neutral position and largest offset from it along each axis, metres.
const NEUTRAL_TCP_M: [f64; 3] = [0.45, 0.0, 0.20];
const NEUTRAL_SPREAD_M: f64 = 0.03;

/// A start state of the world.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub(crate) drawer_m: f64,
    pub(crate) door_m: f64,
    pub(crate) switch_rad: f64,
    /// x, y, yaw of each block.
    pub(crate) blocks: [[f64; 3]; 3],
    pub(crate) tcp_m: [f64; 3],
}

impl Layout {
    /// Draws the scene of a seed; each task forces only the state of the one fixture that it needs. Of several
    /// tasks on one fixture the first decides.
    pub(crate) fn sample(seed: u64, tasks: &[Task]) -> Self {
        let mut random = Random::new(seed, 0);
        // Always the same draws in the same order, so that a task changes nothing else.
        let mut opened = random.coin();
        let mut left = random.coin();
        let mut on = random.coin();
        for task in tasks.iter().rev() {
            match task {
                Task::DrawerOpen => opened = false,
                Task::DrawerClose => opened = true,
                Task::DoorLeft => left = false,
                Task::DoorRight => left = true,
                Task::SwitchOn => on = false,
                Task::SwitchOff => on = true,
                Task::ButtonPress | Task::Push(_) | Task::Lift(_) => {}
            }
        }
        let slack = [0; 3].map(|_| random.uniform(0.0, 1.0));
        let tcp_m = NEUTRAL_TCP_M.map(|centre| centre + random.within(NEUTRAL_SPREAD_M));
        Self {
            drawer_m: if opened {
                0.145 + 0.015 * slack[0]
            } else {
                0.01 * slack[0]
            },
            door_m: if left {
                0.165 + 0.015 * slack[1]
            } else {
                0.015 * slack[1]
            },
            switch_rad: if on {
                0.5 + 0.1 * slack[2]
            } else {
                -0.5 - 0.1 * slack[2]
            },
            blocks: place_blocks(&mut random),
            tcp_m,
        }
    }

    /// Lays all blocks into the margin around the region that [`sample`](Self::sample) draws from. Towards
    /// the button and the switch the margin is narrower: there the hand would not fit.
    pub(crate) fn displace_blocks(&mut self, margin_m: f64, random: &mut Random) {
        let x_m = [BLOCK_X_M[0] - margin_m, BLOCK_X_M[1] + margin_m];
        let y_m = [
            BLOCK_Y_M[0] - 0.25 * margin_m,
            BLOCK_Y_M[1] + 0.4 * margin_m,
        ];
        self.blocks = place(random, x_m, y_m, |x, y| {
            !(within(BLOCK_X_M, x) && within(BLOCK_Y_M, y))
        });
    }
}

fn place_blocks(random: &mut Random) -> [[f64; 3]; 3] {
    place(random, BLOCK_X_M, BLOCK_Y_M, |_, _| true)
}

/// Blocks apart from each other, at places in the rectangle that pass the filter.
fn place(
    random: &mut Random,
    x_m: [f64; 2],
    y_m: [f64; 2],
    accepts: impl Fn(f64, f64) -> bool,
) -> [[f64; 3]; 3] {
    loop {
        let blocks = Block::ALL.map(|_| {
            [
                random.uniform(x_m[0], x_m[1]),
                random.uniform(y_m[0], y_m[1]),
                random.within(BLOCK_YAW_RAD),
            ]
        });
        let apart = |a: usize, b: usize| {
            (blocks[a][0] - blocks[b][0]).hypot(blocks[a][1] - blocks[b][1]) > BLOCK_GAP_M
        };
        let is_apart = apart(0, 1) && apart(0, 2) && apart(1, 2);
        if is_apart && blocks.iter().all(|[x, y, _]| accepts(*x, *y)) {
            return blocks;
        }
    }
}

fn within([low, high]: [f64; 2], value: f64) -> bool {
    (low..high).contains(&value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_lie_apart_in_their_region(seed: u64) {
            let layout = Layout::sample(seed, &[]);
            for (i, a) in layout.blocks.iter().enumerate() {
                prop_assert!((BLOCK_X_M[0]..BLOCK_X_M[1]).contains(&a[0]));
                prop_assert!((BLOCK_Y_M[0]..BLOCK_Y_M[1]).contains(&a[1]));
                prop_assert!(a[2].abs() <= BLOCK_YAW_RAD);
                for b in &layout.blocks[i + 1..] {
                    prop_assert!((a[0] - b[0]).hypot(a[1] - b[1]) > BLOCK_GAP_M);
                }
            }
        }

        #[test]
        fn displaced_blocks_lie_apart_where_they_never_lay(seed: u64) {
            let mut layout = Layout::sample(seed, &[]);
            layout.displace_blocks(0.04, &mut Random::new(seed, 9));
            for (i, [x, y, _]) in layout.blocks.iter().enumerate() {
                prop_assert!(!(within(BLOCK_X_M, *x) && within(BLOCK_Y_M, *y)));
                for b in &layout.blocks[i + 1..] {
                    prop_assert!((x - b[0]).hypot(y - b[1]) > BLOCK_GAP_M);
                }
            }
        }

        #[test]
        fn a_task_changes_only_its_fixture(seed: u64) {
            let free = Layout::sample(seed, &[]);
            let forced = Layout::sample(seed, &[Task::DrawerOpen]);
            prop_assert!(forced.drawer_m <= 0.01);
            prop_assert_eq!(Layout { drawer_m: free.drawer_m, ..forced }, free);
        }
    }

    #[test]
    fn of_opposites_the_first_decides() {
        let opened = |tasks: &[Task]| Layout::sample(3, tasks).drawer_m > 0.1;
        assert!(!opened(&[Task::DrawerOpen, Task::DrawerClose]));
        assert!(opened(&[Task::DrawerClose, Task::DrawerOpen]));
    }

    #[test]
    fn seeds_differ_and_cover_both_states() {
        let layouts: Vec<_> = (0..64).map(|seed| Layout::sample(seed, &[])).collect();
        assert!(layouts.windows(2).all(|pair| pair[0] != pair[1]));
        let opened = layouts.iter().filter(|l| l.drawer_m > 0.1).count();
        let left = layouts.iter().filter(|l| l.door_m > 0.1).count();
        let on = layouts.iter().filter(|l| l.switch_rad > 0.0).count();
        for count in [opened, left, on] {
            assert!((16..=48).contains(&count), "{count} of 64");
        }
    }
}
