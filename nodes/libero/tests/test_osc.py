"""The official arm behind the protocol of tool-space steps. Half a minute."""

import json
import os
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

from .needs import needs

SUITE, TASK = "libero_goal", 8
# Longer than anything takes that works.
PATIENCE_S = 120.0


@needs("libero", "mujoco")
class TheArm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        from tiller_libero.official import Official

        cls.official = Official(SUITE, TASK)
        cls.addClassCleanup(cls.official.close)

    def setUp(self):
        from tiller_libero.osc import OscPose

        self.official.begin(0, 0)
        self.arm = OscPose(self.official)

    def turned_rad(self, before, after) -> list[float]:
        """Axis times angle between two states, in the base frame."""
        import mujoco
        import numpy as np

        back, turn, vector = np.zeros(4), np.zeros(4), np.zeros(3)
        mujoco.mju_negQuat(back, np.array(before.tool_quaternion_wxyz))
        mujoco.mju_mulQuat(turn, np.array(after.tool_quaternion_wxyz), back)
        mujoco.mju_quat2Vel(vector, turn, 1.0)
        return vector

    def test_its_state_is_what_its_controller_sees_from_the_base(self):
        import numpy as np

        self.assertEqual((self.arm.rate_hz, self.arm.most_m, self.arm.most_rad), (20.0, 0.05, 0.5))
        np.testing.assert_allclose(self.arm.gripper_m, (0.0, 0.08))
        self.arm.step((0.05, 0.0, 0.0), (0.0, 0.0, 0.5), 0.08)
        state = self.arm.state()
        self.arm.controller.update(force=True)
        base = self.official.sim.data.get_body_xpos("robot0_base")
        np.testing.assert_allclose(state.tool_position_m, self.arm.controller.ee_pos - base)
        np.testing.assert_allclose(base, (-0.66, 0.0, 0.912), atol=1e-9)
        self.assertEqual(state.clock_ns, 50_000_000)

    def test_steps_are_in_the_base_frame(self):
        import numpy as np

        for axis in np.eye(3):
            self.setUp()
            before = self.arm.state()
            # From rest it comes an eighth of the way in a period, for it is critically damped at 12 rad/s.
            self.arm.step(0.025 * axis, (0.0, 0.0, 0.0), 0.08)
            first = self.arm.state()
            way_m = np.subtract(first.tool_position_m, before.tool_position_m)
            self.assertGreater(way_m @ axis, 0.002)
            self.assertLess(np.linalg.norm(way_m - (way_m @ axis) * axis), 0.001)
            self.assertLess(np.linalg.norm(self.turned_rad(before, first)), 0.01)
            self.setUp()
            self.arm.step((0.0, 0.0, 0.0), 0.25 * axis, 0.08)
            turn_rad = self.turned_rad(before, self.arm.state())
            self.assertGreater(turn_rad @ axis, 0.015)
            self.assertLess(np.linalg.norm(turn_rad - (turn_rad @ axis) * axis), 0.01)

    def test_a_stop_ends_a_turn(self):
        import numpy as np

        before = self.arm.state()
        self.arm.step((0.0, 0.0, 0.0), (0.0, 0.0, 0.5), 0.08)
        for _ in range(20):
            self.arm.stop()
        after = self.arm.state()
        # Left to itself, robosuite's controller would go on to 0.5 rad.
        self.assertLess(self.turned_rad(before, after)[2], 0.35)
        self.assertLess(np.abs(after.dq_rad_s).max(), 0.01)

    def test_fingers_come_to_a_width_and_stay(self):
        def after(width_m: float, steps: int) -> float:
            for _ in range(steps):
                self.arm.step((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), width_m)
            return self.arm.state().gripper_width_m

        self.assertAlmostEqual(after(0.08, 5), 0.08, delta=0.002)
        self.assertAlmostEqual(after(0.0, 20), 0.0, delta=0.002)
        self.assertAlmostEqual(after(0.04, 20), 0.04, delta=0.007)
        width_m = self.arm.state().gripper_width_m
        for _ in range(10):
            self.arm.stop()
        self.assertAlmostEqual(self.arm.state().gripper_width_m, width_m, delta=0.002)
        self.assertAlmostEqual(after(0.08, 20), 0.08, delta=0.002)

    def test_another_controller_is_refused(self):
        import numpy as np

        from tiller_libero.official import Refused
        from tiller_libero.osc import largest_step

        class Other:
            name, use_delta, impedance_mode = "OSC_POSE", True, "fixed"
            output_max = np.array([0.05, 0.05, 0.05, 0.5, 0.5, 0.5])
            output_min = -output_max

        self.assertEqual(largest_step(Other), (0.05, 0.5))
        for name, value in (
            ("name", "JOINT_POSITION"),
            ("use_delta", False),
            ("output_max", np.array([0.05, 0.05, 0.1, 0.5, 0.5, 0.5])),
        ):
            before = getattr(Other, name)
            setattr(Other, name, value)
            with self.assertRaises(Refused):
                largest_step(Other)
            setattr(Other, name, before)


@needs("libero", "mujoco")
class TheProgram(unittest.TestCase):
    def start(self, *arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "tiller_libero.osc", *arguments],
            cwd=Path(__file__).parents[1],
            env=os.environ | {"MUJOCO_GL": "egl"},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_it_serves_until_it_is_ended(self):
        process = self.start("--port", "0", "--speed", "fast", "--task", str(TASK))
        self.assertIn("put the bowl on the plate", process.stderr.readline())
        host, port = process.stderr.readline().split()[-1].split(":")
        with socket.create_connection((host, int(port)), PATIENCE_S) as driver:
            file = driver.makefile("rb")
            self.assertEqual(json.loads(file.readline())["hello"]["rate_hz"], 20.0)
            driver.sendall(b'{"hello":{"version":1}}\n')
            first = state = json.loads(file.readline())["state"]
            while state["tool_position_m"][2] < first["tool_position_m"][2] + 0.05:
                step = {
                    "seq": state["seq"],
                    "translation_m": [0.0, 0.0, 0.05],
                    "rotation_rad": [0.0, 0.0, 0.0],
                    "gripper_width_m": 0.08,
                }
                driver.sendall(json.dumps({"step": step}).encode() + b"\n")
                state = json.loads(file.readline())["state"]
            file.close()
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        self.assertEqual(process.wait(PATIENCE_S), 128 + 15)

    def test_what_does_not_exist_is_said_in_a_line(self):
        process = self.start("--task", "10")
        self.assertIn("expected 0 to 9, found 10", process.stderr.read())
        self.assertEqual(process.wait(PATIENCE_S), 2)


if __name__ == "__main__":
    unittest.main()
