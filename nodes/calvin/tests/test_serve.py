"""The child process: its words, and, with a checkout, that they lead to the environment's own numbers."""

import io
import json
import subprocess
import sys
import unittest
from pathlib import Path

from .needs import needs, needs_checkout

try:
    import numpy as np
    from tiller_calvin.lockstep import Lockstep
    from tiller_calvin.official import Official, Refused
    from tiller_calvin.serve import Server, send
except ImportError:
    # The tests say so and are skipped.
    pass


class World:
    """An environment and its episode in one, as far as the server asks."""

    scene_name, task_names, labels = "D", ["open_drawer"], {1: "drawer"}
    time_ns, achieved, success, completed = 0, False, False, {}

    def look(self, camera, side, everything):
        if camera != "static":
            raise Refused(f"camera: found `{camera}`")
        raise ValueError("no light")

    def joints(self):
        return {"q_rad": [0.0] * 7, "dq_rad_s": [0.0] * 7, "gripper_width_m": 0.08}


def told(server, **command):
    answer, raw = server.answer(json.dumps(command).encode())
    return answer, raw


@needs("numpy")
class Words(unittest.TestCase):
    def setUp(self):
        self.server = Server(World())

    def test_mistakes_are_answered_and_end_nothing(self):
        server = self.server
        answer, _ = told(server, do="run", q_rad=[0.0] * 7, gripper_width_m=0, duration_ms=20)
        self.assertEqual(answer, {"refused": "run: no episode has begun"})
        server.lockstep = World()
        for command, key, word in (
            ({"do": "sing"}, "refused", "expected one of reset, run, look"),
            ({"do": "reset", "task": "fly", "seed": 0}, "refused", "open_drawer, found `fly`"),
            ({"do": "look", "camera": "side", "side": 9, "channels": ["rgb"]}, "refused", "`side`"),
            ({"do": "look", "camera": "static", "side": 9, "channels": []}, "failed", "no light"),
            ({"do": "run"}, "failed", "TypeError"),
            ({"run": 1}, "failed", "KeyError"),
        ):
            with self.subTest(command):
                # What went wrong inside is printed too.
                sys.stderr, kept = io.StringIO(), sys.stderr
                try:
                    answer, raw = told(server, **command)
                finally:
                    sys.stderr = kept
                self.assertEqual((list(answer), raw), ([key], ()))
                self.assertIn(word, answer[key])
        answer, _ = told(server, do="expert_step", anchor_position_m=[], anchor_quaternion_wxyz=[])
        self.assertEqual(answer, {"ok": {"step": None}})

    def test_a_line_and_then_the_bytes(self):
        answers = io.BytesIO()
        send(answers, {"ok": {"raw": [2, 1]}}, (b"ab", b"\n"))
        self.assertEqual(answers.getvalue(), b'{"ok":{"raw":[2,1]}}\nab\n')

    def test_it_ends_with_its_commands(self):
        answers = io.BytesIO()
        self.server.serve(io.BytesIO(b'{"do":"sing"}\n' * 2), answers)
        self.assertEqual(answers.getvalue().count(b"\n"), 2)


@needs_checkout
class Child(unittest.TestCase):
    def setUp(self):
        root = Path(__file__).resolve().parents[1]
        self.child = subprocess.Popen(
            [sys.executable, "-m", "tiller_calvin.serve"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.greeting = self.read()

    def tearDown(self):
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()

    def read(self):
        return json.loads(self.child.stdout.readline())["ok"]

    def say(self, **command):
        self.child.stdin.write(json.dumps(command).encode() + b"\n")
        self.child.stdin.flush()
        return self.read()

    def test_its_numbers_are_the_environments_to_the_bit(self):
        steps = [(0.004 * step, 0.08 if step < 20 else 0.0) for step in range(40)]
        state = self.say(do="reset", task="open_drawer", seed=3)
        start, theirs = state["q_rad"], [state]
        for by, width in steps:
            q_rad = [start[0] + by, *start[1:]]
            command = {"q_rad": q_rad, "gripper_width_m": width, "duration_ms": 20}
            theirs.append(self.say(do="run", **command))
        channels = ["rgb", "depth_mm", "segmentation"]
        seen = self.say(do="look", camera="gripper", side=84, channels=channels)
        self.assertEqual(seen["raw"], [84 * 84 * size for size in (3, 2, 1)])
        raw = self.child.stdout.read(sum(seen["raw"]))
        self.assertEqual(self.say(do="run", **command)["time_ns"], 41 * 20_000_000)

        with Official("D") as official:
            self.assertEqual(self.greeting["tasks"], official.task_names)
            labels = {int(number): name for number, name in self.greeting["labels"].items()}
            self.assertEqual(labels, official.labels)
            world = Lockstep(official, "open_drawer")
            world.begin(3)
            ours = [world.joints()]
            for by, width in steps:
                setpoint = [start[0] + by, *start[1:]]
                world.run(np.tile(setpoint, (20, 1)), width)
                ours.append(world.joints())
            for mine, other in zip(ours, theirs, strict=True):
                self.assertEqual(mine, {key: other[key] for key in mine})
            picture = world.look("gripper", 84, True)
            parts = (picture.rgb, picture.depth_mm, picture.segmentation)
            self.assertEqual(raw, b"".join(part.tobytes() for part in parts))
            self.assertEqual(seen["base_from_camera"], picture.base_from_camera)

    def test_a_free_run_names_what_comes_about(self):
        state = self.say(do="reset", task=None, seed=0)
        self.assertEqual((state["achieved"], state["success"], state["completed"]), (False, False, []))

    def test_it_ends_when_its_parent_does(self):
        self.child.stdin.close()
        self.assertEqual(self.child.wait(timeout=30), 0)
        self.assertEqual(self.child.stdout.read(), b"")


if __name__ == "__main__":
    unittest.main()
