"""The node on a world that only pretends: what it sends. The loop itself is tested with LIBERO's bridge."""

import json
import tempfile
import time
import unittest
from pathlib import Path
from types import SimpleNamespace

from .needs import needs

try:
    import numpy as np
    from tiller_bridge.messages import SCHEMA_VERSION, Outbox, decode, encode
    from tiller_calvin.node import Node
    from tiller_calvin.settings import Settings
except ImportError:
    # The tests say so and are skipped.
    pass


class World:
    """Its task is achieved from a time on; 20 ms a command."""

    instruction, task_id, labels = "open drawer", "open_drawer", {1: "drawer", 2: "robot"}

    def __init__(self, achieved_from_ns):
        self.achieved_from_ns, self.begun, self.actions = achieved_from_ns, [], [[0.0] * 8]

    def begin(self, seed):
        self.begun.append(seed)
        self.time_ns = 0

    @property
    def success(self):
        return self.time_ns >= self.achieved_from_ns

    achieved = success

    def run(self, setpoints, width_m):
        self.time_ns += len(setpoints) * 1_000_000

    def arm(self):
        return {
            "q_rad": [0.0] * 7,
            "dq_rad_s": [0.0] * 7,
            "tcp_position_m": [0.4, 0.0, 0.2],
            "tcp_quaternion_wxyz": [0.0, 1.0, 0.0, 0.0],
            "gripper_width_m": 0.08,
        }

    def look(self, camera, side, everything):
        return SimpleNamespace(
            rgb=np.zeros((side, side, 3), np.uint8),
            depth_mm=np.zeros((side, side), np.uint16) if everything else None,
            segmentation=np.zeros((side, side), np.uint8) if everything else None,
            focal=[100.0, 100.0],
            principal_point=[side / 2] * 2,
            base_from_camera=[0.0] * 16,
        )


class Dora:
    """Answers every state as an actuator does."""

    def __init__(self):
        self.sent, self.queue, self.asked = [], [], 0

    def send_output(self, output, array, metadata):
        self.sent.append((output, array, metadata))
        if output == "sim_arm_state":
            header = {"schema_version": SCHEMA_VERSION, "session": 1, "seq": 1}
            answer = header | {
                "stamp_ns": decode("ArmState", array)["stamp_ns"],
                "q_rad": [0.0] * 140,
                "gripper_width_m": 0.08,
            }
            value = encode("ArmCommand", answer)
            self.queue.append({"type": "INPUT", "id": "arm_command", "value": value})

    def next(self, timeout):
        self.asked += 1
        if self.asked > 20_000:
            raise AssertionError("the node does not end")
        if self.queue:
            return self.queue.pop(0)
        time.sleep(min(timeout, 0.001))
        return {"type": "ERROR", "error": "timed out"}

    def messages(self, output, kind):
        return [decode(kind, array) for name, array, _ in self.sent if name == output]


@needs("numpy", "pyarrow", "yaml")
class TheNode(unittest.TestCase):
    def test_an_episode_ends_with_the_oracles_word_and_the_next_takes_the_next_seed(self):
        world, dora = World(achieved_from_ns=500_000_000), Dora()
        with tempfile.TemporaryDirectory() as folder:
            record = Path(folder) / "episodes.jsonl"
            settings = Settings.read(
                {"EPISODES": "2", "SEED": "5", "SPEED": "100", "RECORD": str(record)}
            )
            Node(settings, world, Outbox(dora, "simulator", session=7)).run(dora)
            entries = [json.loads(line) for line in record.read_text().splitlines()]
        self.assertEqual(world.begun, [5, 6])
        self.assertEqual([entry["seed"] for entry in entries], [5, 6])
        self.assertEqual((entries[0]["scene"], entries[0]["task"]), ("D", "open_drawer"))
        told = dora.messages("episode", "Episode")
        self.assertEqual(
            (told[0]["instruction"], told[0]["tasks"]), ("open drawer", ["open_drawer"])
        )
        over = [m for m in dora.messages("task_status", "TaskStatus") if m["episode_over"]]
        self.assertEqual([m["completed"] for m in over], [["open_drawer"]] * 2)
        self.assertEqual(over[0]["stamp_ns"], 500_000_000)

    def test_pictures_have_the_cameras_sizes(self):
        dora = Dora()
        settings = Settings.read({"SPEED": "100", "EPISODE_S": "1"})
        Node(settings, World(10**12), Outbox(dora, "simulator", session=7)).run(dora)
        images = {name: (array, meta) for name, array, meta in dora.sent if meta}
        self.assertEqual(set(images), {"image", "depth", "segmentation", "wrist_image"})
        self.assertEqual(len(images["image"][0]), 200 * 200 * 3)
        self.assertEqual(len(images["wrist_image"][0]), 84 * 84 * 3)
        self.assertEqual(images["segmentation"][1]["labels"], ["1=drawer", "2=robot"])
        self.assertEqual(images["image"][1]["frame_id"], "static")


if __name__ == "__main__":
    unittest.main()
