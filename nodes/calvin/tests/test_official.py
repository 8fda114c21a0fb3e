"""With a checkout of CALVIN: scenes, actions, pictures, the oracle, the step in pieces. Ten seconds."""

import unittest

from .needs import needs_checkout

try:
    import numpy as np
    from tiller_calvin.lockstep import Lockstep
    from tiller_calvin.official import SCENES, Official, Refused, Start

    from .arm import forward
except ImportError:
    # The tests say so and are skipped.
    pass


def state(official):
    return np.concatenate([official.robot.get_observation()[0], official.env.scene.get_obs()])


def drawer_m(official):
    return next(d.get_state() for d in official.env.scene.doors if d.name == "base__drawer")


def pull(official, go):
    """Opens the drawer: beside its handle, down behind it, and back; `go(target, steps)`."""
    table = official.env.scene.fixed_objects[0]
    low, high = official.pybullet.getAABB(table.uid, table.info_dict["links"]["drawer_link"])
    x, y, z = (low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2
    go([x, y - 0.05, z + 0.12], 60)
    go([x, y + 0.02, z + 0.1], 60)
    go([x, y + 0.02, z - 0.005], 60)
    go([x, y - 0.2, z - 0.005], 120)


def towards(here, there):
    way = np.asarray(there) - here
    return here + way * min(1.0, 0.03 / max(float(np.linalg.norm(way)), 1e-9))


@needs_checkout
class Scene(unittest.TestCase):
    def setUp(self):
        self.official = Official("D")
        self.addCleanup(self.official.close)

    def test_a_seed_gives_the_same_episode_whatever_was_before(self):
        official, ends = self.official, []
        for seed in (5, 6, 5):
            official.begin(seed)
            for _ in range(60):
                official.step([0.5, 0, -1.0, 0, 0, 0, -1])
            ends.append(state(official))
        np.testing.assert_array_equal(ends[0], ends[2])
        self.assertGreater(np.abs(ends[0] - ends[1]).max(), 0.01)

    def test_a_relative_action_of_1_is_2_cm(self):
        official = self.official
        official.begin(0)
        before = official.robot.get_observation()[0][:3]
        for _ in range(5):
            official.step([0, 0, 1.0, 0, 0, 0, 1])
        for _ in range(15):
            official.step([0, 0, 0, 0, 0, 0, 1])
        way = official.robot.get_observation()[0][:3] - before
        np.testing.assert_allclose(way, [0, 0, 0.1], atol=0.005)
        for wrong in ([0.0] * 6, [0.0] * 6 + [float("nan")]):
            with self.subTest(wrong), self.assertRaises(Refused):
                official.step(wrong)

    def test_the_step_in_pieces_is_the_environments_own(self):
        official, ends = self.official, []
        for whole in (True, False):
            official.begin(2)
            q = np.array(official.robot.get_observation()[1]["arm_joint_states"])
            for step in range(40):
                target = q + 0.005 * step
                if whole:
                    official._step({"type": "joint_abs", "action": [*target, -1]})
                else:
                    done = [official.substep_joints(target, -1) for _ in range(8)]
                    self.assertEqual(done, [False] * 7 + [True])
            ends.append(state(official))
        np.testing.assert_array_equal(*ends)

    def test_pictures_are_the_environments_and_lead_back_to_the_things(self):
        official = self.official
        official.begin(3)
        for name, side in (("static", 200), ("gripper", 84)):
            rgb, depth = official.cameras[name].render()
            seen = official.look(name, side)
            np.testing.assert_array_equal(seen.rgb, rgb)
            # The environment computes it in single precision.
            np.testing.assert_allclose(seen.depth_m, depth, rtol=1e-4)
        seen = official.look("static", 400)
        numbers = {name: number for number, name in official.labels.items()}
        for name in ("drawer", "slide", "switch", "button", "table", "robot"):
            self.assertGreater((seen.segmentation == numbers[name]).sum(), 50, name)
        found = 0
        for block in official.env.scene.movable_objects:
            number = numbers[" ".join(reversed(block.name.split("_")))]
            rows, columns = np.nonzero(seen.segmentation == number)
            if len(rows) < 100:
                continue
            found += 1
            depth = seen.depth_m[rows, columns]
            at = [
                (columns + 0.5 - seen.principal_point[0]) / seen.focal[0] * depth,
                (rows + 0.5 - seen.principal_point[1]) / seen.focal[1] * depth,
                depth,
                np.ones_like(depth),
            ]
            points = (seen.world_from_camera @ np.stack(at))[:3]
            off = np.median(points, axis=1) - block.get_state()[:3]
            self.assertLess(np.linalg.norm(off), 0.045, block.name)
        self.assertGreater(found, 0)

    def test_every_start_holds_and_solves_nothing(self):
        official, begun = self.official, 0
        for task in official.task_names:
            try:
                start = Start.of(task)
            except Refused:
                continue
            begun += 1
            official.begin(4, start)
            for _ in range(15):
                official.step([0, 0, 0, 0, 0, 0, 1])
            self.assertEqual(official.achieved(), set(), task)
        self.assertEqual((len(official.task_names), begun), (34, 28))
        official.begin(4, Start.of("turn_off_lightbulb"))
        lights = official.start_info["scene_info"]["lights"]
        self.assertEqual([lights[n]["logical_state"] for n in ("lightbulb", "led")], [1, 0])

    def test_a_second_environment_is_refused(self):
        with self.assertRaisesRegex(Refused, "one at a time"):
            Official("A")
        with self.assertRaisesRegex(Refused, "expected one of A, B, C, D"):
            Official("E")


@needs_checkout
class Oracle(unittest.TestCase):
    def test_all_scenes_begin(self):
        for scene in SCENES:
            with self.subTest(scene), Official(scene) as official:
                official.begin(0, Start.of("lift_blue_block_table"))
                blue = next(b for b in official.env.scene.movable_objects if b.name == "block_blue")
                self.assertAlmostEqual(blue.get_state()[2], 0.46, delta=0.02)
                self.assertEqual(len(official.task_names), 34)

    def test_a_drawer_is_opened_in_a_and_d_by_places(self):
        for scene in ("A", "D"):
            with self.subTest(scene), Official(scene) as official:
                official.begin(3)
                turn = official.robot.get_observation()[0][3:6].copy()

                def go(target, steps, official=official, turn=turn):
                    for _ in range(steps):
                        here = official.robot.get_observation()[0][:3]
                        official.step_to(towards(here, target), turn, -1)

                pull(official, go)
                self.assertGreater(drawer_m(official), 0.12)
                self.assertEqual(official.achieved(), {"open_drawer"})

    def test_and_by_joints_as_the_actuator_commands_them(self):
        with Official("D") as official:
            world = Lockstep(official, "open_drawer")
            world.begin(3)
            turn = official.pybullet.getQuaternionFromEuler(
                official.robot.get_observation()[0][3:6]
            )

            def go(target, steps):
                for _ in range(steps * 5 // 3):
                    here = official.robot.get_observation()[0][:3]
                    q_rad = official.robot.mixed_ik.get_ik(towards(here, target), turn)
                    world.run(np.tile(np.array(q_rad)[:7], (20, 1)), 0.0)

            self.assertFalse(world.success)
            pull(official, go)
            self.assertTrue(world.success, drawer_m(official))
            self.assertEqual(official.substep, world.time_ns * 240 // 10**9)
            self.assertEqual(world.time_ns, 10_000_000_000)
            self.assertEqual(len(world.actions), 300)

            # What is recorded leads to the same end.
            end = state(official)
            official.begin(3)
            for *q_rad, gripper in world.actions:
                for _ in range(8):
                    official.substep_joints(q_rad, gripper)
            np.testing.assert_array_equal(state(official), end)
            self.assertIn("open_drawer", official.achieved())

    def test_the_arm_is_where_its_kinematics_say(self):
        with Official("D") as official:
            world = Lockstep(official, "turn_on_led", "press the button")
            self.assertEqual(world.instruction, "press the button")
            world.begin(0)
            arm = world.arm()
            tool_m, hand, _ = forward(arm["q_rad"])
            np.testing.assert_allclose(arm["tcp_position_m"], tool_m, atol=1e-3)
            self.assertAlmostEqual(np.linalg.norm(arm["tcp_quaternion_wxyz"]), 1.0)
            x, y, z, w = hand.as_quat()
            self.assertGreater(abs(np.dot([w, x, y, z], arm["tcp_quaternion_wxyz"])), 1.0 - 1e-6)
            self.assertAlmostEqual(arm["gripper_width_m"], 0.08, places=3)
            target = np.array(arm["q_rad"]) + 0.05
            for _ in range(50):
                world.run(np.tile(target, (20, 1)), 0.0)
            arm = world.arm()
            np.testing.assert_allclose(arm["q_rad"], target, atol=1e-3)
            self.assertLess(arm["gripper_width_m"], 0.01)


if __name__ == "__main__":
    unittest.main()
