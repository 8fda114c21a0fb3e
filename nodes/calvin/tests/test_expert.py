"""The experts: what they hold right, and with a checkout of CALVIN that they solve their tasks. A minute."""

import unittest

from .needs import needs, needs_checkout

try:
    import numpy as np
    from tiller_calvin.expert import MAX_STEP_M, MAX_TURN_RAD, Expert
    from tiller_calvin.lockstep import Lockstep
    from tiller_calvin.official import CLOSED, FIRST_TRAINING_SEED, OPEN, Official, Refused, Start
    from tiller_calvin.skills import UP, Lift, Push, View, hand

    from .arm import Arm
except ImportError:
    # The tests say so and are skipped.
    pass

BEHAVIOURS = (
    "open_drawer",
    "close_drawer",
    "move_slider_left",
    "move_slider_right",
    "turn_on_led",
    "turn_off_led",
    "turn_on_lightbulb",
    "turn_off_lightbulb",
    "lift_red_block_table",
    "lift_blue_block_table",
    "lift_pink_block_table",
)


def view(tip_m, width_m, turned=None, yaw_rad=0.0):
    """Of a thing at (0.4, 0.36, 0.22), far from everything."""
    return View(
        np.array(tip_m),
        turned or hand(0.0),
        width_m,
        np.array([0.4, 0.36, 0.22]),
        yaw_rad,
        [],
        np.array([0.0, 0.6, 0.3]),
    )


@needs("numpy", "scipy")
class Right(unittest.TestCase):
    def test_a_block_is_taken_by_fingers_that_close_when_it_is_between_them(self):
        lift = Lift((0.04, 0.04))
        turned = lift.right(view([0.4, 0.36, 0.4], 0.08)).hand
        self.assertEqual(lift.right(view([0.4, 0.36, 0.222], 0.08, turned)).gripper, CLOSED)
        held = lift.right(view([0.4, 0.36, 0.222], 0.041, turned))
        self.assertEqual(held.gripper, CLOSED)
        self.assertGreater(held.tip_m[2], 0.26)
        # On nothing, and beside the block.
        self.assertEqual(lift.right(view([0.4, 0.36, 0.3], 0.0, turned)).gripper, OPEN)
        beside = lift.right(view([0.44, 0.36, 0.222], 0.08, turned))
        self.assertEqual(beside.gripper, OPEN)
        self.assertGreater(beside.tip_m[2], 0.26)

    def test_the_hand_turns_as_the_block_does_and_takes_a_long_one_across(self):
        for yaw in np.linspace(-3.0, 3.0, 13):
            for widths in ((0.04, 0.04), (0.08, 0.04)):
                wanted = Lift(widths).right(view([0.4, 0.36, 0.4], 0.08, yaw_rad=yaw)).hand
                across = wanted.as_matrix()[:, 1]
                self.assertAlmostEqual(across[2], 0.0)
                side = np.array([np.cos(yaw), np.sin(yaw), 0.0])
                along = abs(across @ side)
                self.assertLess(along if widths[0] > 0.04 else min(along, 1.0 - along), 1e-6)

    def test_a_fixture_is_pushed_with_closed_fingers_from_its_side(self):
        push = Push(np.array([0.05, 0.0, 0.0]), np.array([-1.0, 0.0, 0.0]), UP, hand(0.0))
        self.assertEqual(push.right(view([0.1, 0.36, 0.4], 0.08)).gripper, OPEN)
        ready = [0.45, 0.36, 0.222]
        pushed = push.right(view(ready, 0.0))
        self.assertEqual(pushed.gripper, CLOSED)
        self.assertLess(pushed.tip_m[0], 0.43)
        # Out first from the wrong side, and with open fingers it does not come in.
        self.assertGreater(push.right(view([0.35, 0.36, 0.222], 0.0)).tip_m[2], 0.25)
        above = push.right(view([0.45, 0.36, 0.3], 0.08))
        self.assertEqual(above.gripper, CLOSED)
        self.assertGreater(above.tip_m[2], 0.29)


@needs_checkout
class Solves(unittest.TestCase):
    def setUp(self):
        self.official = Official("D")
        self.addCleanup(self.official.close)

    def episode(self, task, seed):
        """The steps until the end, and whether it succeeded."""
        world = Lockstep(self.official, task)
        world.begin(seed)
        expert, arm, steps = Expert(world, task, seed), Arm(world), []
        while (step := expert.step(*arm.anchor)) is not None:
            steps.append(step)
            arm.step(step["executed"])
        return steps, world.success

    def test_every_behaviour_with_errors_on_purpose(self):
        for task in BEHAVIOURS:
            for seed in (FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + 1):
                with self.subTest(task, seed=seed):
                    steps, success = self.episode(task, seed)
                    self.assertTrue(success)
                    self.assertLess(len(steps), 80)
                    for step in steps:
                        for kind in step.values():
                            self.assertLess(np.linalg.norm(kind["delta_m"]), MAX_STEP_M + 1e-9)
                            self.assertLess(
                                np.linalg.norm(kind["rotation_rad"]), MAX_TURN_RAD + 1e-9
                            )
                            self.assertIn(kind["gripper"], (-1.0, 1.0))
                    self.assertNotEqual(
                        [step["learned"] for step in steps], [step["executed"] for step in steps]
                    )

    def test_a_seed_gives_the_same_steps(self):
        task, seed = "lift_red_block_table", FIRST_TRAINING_SEED + 3
        first, _ = self.episode(task, seed)
        self.episode("open_drawer", seed)
        again, _ = self.episode(task, seed)
        self.assertEqual(first, again)
        other, _ = self.episode(task, seed + 1)
        self.assertNotEqual(first[: len(other)], other[: len(first)])

    def test_other_tasks_are_refused(self):
        world = Lockstep(self.official, "stack_block")
        world.begin(0)
        with self.assertRaisesRegex(Refused, "there is no expert"):
            Expert(world, "stack_block", 0)

    def test_handles_have_labels_of_their_own(self):
        official = self.official
        numbers = {name: number for number, name in official.labels.items()}
        world = Lockstep(official, "close_drawer")
        world.begin(20)
        seen = official.look("static", 200)
        # Bars whose middle the experts know; half their size and what the camera sees of them.
        for handle, link, middle in (
            ("drawer handle", "drawer_link", (0.0, 0.04, 0.25)),
            ("slide handle", "slide_link", (0.14, 0.0, 0.068)),
        ):
            rows, columns = np.nonzero(seen.segmentation == numbers[handle])
            self.assertGreater(len(rows), 300, handle)
            pose = world.fixture_pose(link)
            off = seen.points_m(rows, columns).mean(0) - pose[:3, :3] @ middle - pose[:3, 3]
            self.assertLess(np.linalg.norm(off), 0.035, handle)
            self.assertGreater((seen.segmentation == numbers[handle.split()[0]]).sum(), 500)


@needs_checkout
class Scenes(unittest.TestCase):
    def test_in_half_of_the_training_scenes_the_rest_stands_anywhere(self):
        start = Start.of("open_drawer")
        drawn = [start.among_anything(FIRST_TRAINING_SEED + seed) for seed in range(200)]
        moved = [dict(one.joints_m) for one in drawn if one != start]
        self.assertTrue(70 < len(moved) < 130, len(moved))
        self.assertEqual({one["base__drawer"] for one in moved}, {0.0})
        self.assertGreater(len({one["base__slide"] for one in moved}), 60)
        with Official("D") as official:
            lit = [dict(one.lights).get("led") for one in drawn]
            seed = FIRST_TRAINING_SEED + lit.index(True)
            official.begin(seed, start)
            lights = official.start_info["scene_info"]["lights"]
            self.assertEqual(lights["led"]["logical_state"], 1)
            is_up = dict(start.among_anything(seed).joints_m)["base__switch"] > 0.0
            self.assertEqual(lights["lightbulb"]["logical_state"], int(is_up))
            official.begin(5, start)
            doors = official.start_info["scene_info"]["doors"]
            self.assertLess(abs(doors["base__slide"]["current_state"]), 1e-3)


if __name__ == "__main__":
    unittest.main()
