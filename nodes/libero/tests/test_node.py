"""The node's loop on a world that only pretends: what it sends, and when it ends."""

import time
import unittest
from types import SimpleNamespace

from .needs import needs

try:
    import numpy as np
    import pyarrow as pa

    from tiller_bridge.loop import Pacer
    from tiller_bridge.messages import SCHEMA_VERSION, Outbox, decode, encode, fields
    from tiller_libero.node import Node
    from tiller_libero.settings import Settings
except ImportError:
    # The tests say so and are skipped.
    pass

NEEDED = needs("mujoco", "numpy", "pyarrow", "yaml")


class World:
    """Its goal holds from a step on; 20 ms a command."""

    def __init__(self, achieved_from_ns=None):
        self.official = SimpleNamespace(
            task=8,
            suite=SimpleNamespace(name="libero_goal"),
        )
        self.instruction = "put the bowl\n on the plate"
        self.task_id, self.labels = "libero_goal_8", {1: "plate", 2: "robot"}
        self.achieved_from_ns, self.begun, self.actions = achieved_from_ns, [], []

    def begin(self, seed, state):
        self.begun.append((seed, state))
        self.time_ns = 0

    @property
    def achieved(self):
        return self.achieved_from_ns is not None and self.time_ns >= self.achieved_from_ns

    @property
    def success(self):
        return self.achieved and self.time_ns >= self.achieved_from_ns + 1_000_000_000

    def run(self, setpoints, width_m):
        assert setpoints.shape == (20, 7) and width_m == 0.08
        self.time_ns += 20_000_000

    def arm(self):
        return {
            "q_rad": [0.0] * 7,
            "dq_rad_s": [0.0] * 7,
            "tcp_position_m": [0.4, 0.0, 0.2],
            "tcp_quaternion_wxyz": [0.0, 1.0, 0.0, 0.0],
            "gripper_width_m": 0.08,
        }

    def look(self, camera, side, everything):
        def image(*shape, kind=np.uint8):
            return np.zeros((side, side, *shape), kind) if everything or shape else None

        return SimpleNamespace(
            rgb=image(3),
            depth_mm=image(kind=np.uint16),
            segmentation=image(),
            focal=[100.0, 100.0],
            principal_point=[side / 2] * 2,
            base_from_camera=[0.0] * 16,
        )


class Dora:
    """Answers every state as an actuator does, until it is told not to."""

    def __init__(self, answers=10_000, before=()):
        self.sent, self.queue, self.answers = [], list(before), answers
        self.asked = self.idle = 0

    def send_output(self, output, array, metadata):
        self.sent.append((output, array, metadata))
        if output == "sim_arm_state" and self.answers > 0:
            self.answers -= 1
            stamp_ns = decode("ArmState", array)["stamp_ns"]
            self.queue.append(command(stamp_ns))

    def next(self, timeout):
        self.asked += 1
        if self.asked > 20_000:
            raise AssertionError("the node does not end")
        if self.queue:
            return self.queue.pop(0)
        self.idle += 1
        time.sleep(min(timeout, 0.001))
        has_ended = self.answers == 0 and self.idle > 100
        return {"type": "STOP"} if has_ended else {"type": "ERROR", "error": "timed out"}

    def messages(self, output, kind):
        return [decode(kind, array) for name, array, _ in self.sent if name == output]


def event(name, message, **values):
    header = {"schema_version": SCHEMA_VERSION, "session": 1, "seq": 1}
    return {"type": "INPUT", "id": name, "value": encode(message, header | values)}


def command(stamp_ns, rows=20):
    return event(
        "arm_command",
        "ArmCommand",
        stamp_ns=stamp_ns,
        q_rad=[0.0] * 7 * rows,
        gripper_width_m=0.08,
    )


def execution(mode):
    """What the actuator says it is doing; all else is nothing."""
    declared = {
        column.name: [] if pa.types.is_large_list(column.type) else 0
        for column in fields("ExecutionState")
    }
    del declared["schema_version"], declared["session"], declared["seq"]
    return event("execution_state", "ExecutionState", **declared | {"mode": mode})


class Pausing(Dora):
    """Its arm is paused between two times, s."""

    def __init__(self, begin_s, end_s):
        super().__init__()
        self.pause = [begin_s, end_s]

    def send_output(self, output, array, metadata):
        if output == "sim_arm_state":
            now_s = decode("ArmState", array)["stamp_ns"] * 1e-9
            mode = "paused" if self.pause[0] <= now_s < self.pause[1] else "holding"
            self.queue.append(execution(mode))
        super().send_output(output, array, metadata)


class Reading(Dora):
    """The first program of episode 8 waits for an operator's word until a time, s."""

    def __init__(self, end_s):
        super().__init__()
        self.end_s = end_s

    def send_output(self, output, array, metadata):
        if output == "sim_arm_state":
            now_s = decode("ArmState", array)["stamp_ns"] * 1e-9
            proposal = {
                "id": 1,
                "episode": 8,
                "generation": 1,
                "instruction": "",
                "text": "",
                "source": "",
                "state": "proposed" if now_s < self.end_s else "approved",
                "descriptions": [],
                "diagnostics": [],
                "answers": 0,
            }
            self.queue.append(event("proposal", "Proposal", **proposal))
        super().send_output(output, array, metadata)


def run(world, dora, **variables):
    settings = Settings.read({"TASK": "8", "SPEED": "100", "IMAGE_SIDE": "32"} | variables)
    node = Node(settings, world, Outbox(dora, "simulator", session=7))
    node.run(dora)
    return node


@NEEDED
class TheLoop(unittest.TestCase):
    def test_episodes_follow_one_another_with_states_seeds_and_rising_stamps(self):
        world, dora = World(), Dora()
        run(world, dora, EPISODES="3", EPISODE_S="1", SEED="5", FIRST_STATE="2")
        self.assertEqual(world.begun, [(5, 2), (6, 3), (7, 4)])
        told = {m["id"]: m for m in dora.messages("episode", "Episode")}
        self.assertEqual(list(told), [8, 9, 10])
        self.assertEqual([m["stamp_ns"] for m in told.values()], [0, 10**9, 2 * 10**9])
        self.assertEqual([m["last"] for m in told.values()], [False, False, True])
        self.assertEqual(told[8]["instruction"], "put the bowl on the plate")
        over = [m for m in dora.messages("task_status", "TaskStatus") if m["episode_over"]]
        self.assertEqual([m["reason"] for m in over], ["the time is up"] * 3)
        stamps = [m["stamp_ns"] for m in dora.messages("sim_arm_state", "ArmState")]
        self.assertEqual(stamps, sorted(stamps))

    def test_images_come_ten_times_a_second_with_what_they_mean(self):
        dora = Dora()
        run(World(), dora, EPISODE_S="1")
        images = {name: (a, m) for name, a, m in dora.sent if m}
        self.assertEqual(set(images), {"image", "depth", "segmentation", "wrist_image"})
        self.assertEqual(sum(name == "image" for name, _, _ in dora.sent), 10)
        kinds = {name: (str(a.type), len(a), m["encoding"]) for name, (a, m) in images.items()}
        self.assertEqual(kinds["image"], ("uint8", 32 * 32 * 3, "rgb8"))
        self.assertEqual(kinds["depth"], ("uint16", 32 * 32, "mono16"))
        self.assertEqual(kinds["segmentation"], ("uint8", 32 * 32, "mono8"))
        self.assertEqual(images["segmentation"][1]["labels"], ["1=plate", "2=robot"])
        self.assertEqual(images["wrist_image"][1]["frame_id"], "wrist")

    def test_success_must_hold_even_beyond_the_limit(self):
        dora = Dora()
        run(World(achieved_from_ns=900_000_000), dora, EPISODE_S="1")
        last = dora.messages("task_status", "TaskStatus")[-1]
        self.assertTrue(last["success"] and last["episode_over"])
        self.assertEqual((last["stamp_ns"], last["completed"]), (1_900_000_000, ["libero_goal_8"]))

    def test_the_end_of_the_program_ends_it_after_a_while(self):
        stage = {
            "stamp_ns": 0,
            "program": 1,
            "stage": 1,
            "visit": 1,
            "guidance": True,
            "finished": True,
            "gave_up": False,
            "kind": "finished",
            "reason": "",
        }
        other = event("stage", "StageCommand", episode=3, **stage)
        ours = event("stage", "StageCommand", episode=8, **stage)
        dora = Dora(before=[other, ours])
        run(World(), dora, EPISODE_S="9")
        last = dora.messages("task_status", "TaskStatus")[-1]
        self.assertIn("program has ended", last["reason"])
        self.assertEqual(last["stamp_ns"], 2_000_000_000)

    def test_a_pause_is_no_time_of_the_episode(self):
        dora = Pausing(0.5, 3.5)
        run(World(), dora, EPISODE_S="1")
        last = dora.messages("task_status", "TaskStatus")[-1]
        self.assertEqual((last["reason"], last["stamp_ns"]), ("the time is up", 4 * 10**9))

    def test_reading_a_program_takes_no_time_of_the_episode(self):
        dora = Reading(3.0)
        run(World(), dora, EPISODE_S="1")
        last = dora.messages("task_status", "TaskStatus")[-1]
        self.assertEqual((last["reason"], last["stamp_ns"]), ("the time is up", 4 * 10**9))

    def test_what_does_not_fit_is_refused_and_loses_nothing(self):
        wrong = [
            command(9 * 10**9),
            command(0, rows=3),
            event("episode", "Status", node="", level="info", code="", text=""),
        ]
        dora = Dora(before=wrong)
        run(World(), dora, EPISODE_S="1")
        told = [m["text"] for m in dora.messages("status", "Status")]
        self.assertEqual(len(told), 3, told)
        self.assertIn("expected the state's, 0 ns, found 9000000000 ns", told[0])
        self.assertIn("expected 140 numbers, found 21", told[1])
        self.assertTrue(dora.messages("task_status", "TaskStatus")[-1]["episode_over"])

    def test_without_an_actuator_it_can_be_stopped(self):
        dora = Dora(answers=5)
        node = run(World(), dora, EPISODES="0")
        self.assertEqual(node.world.time_ns, 100_000_000)
        closed = Dora(before=[{"type": "INPUT_CLOSED", "id": "arm_command"}])
        run(World(), closed)
        self.assertEqual(closed.messages("task_status", "TaskStatus"), [])


@NEEDED
class Messages(unittest.TestCase):
    def test_another_version_is_refused(self):
        array = encode(
            "Status",
            dict.fromkeys(("node", "code", "text"), "")
            | {
                "schema_version": 1,
                "session": 1,
                "seq": 1,
                "level": "info",
            },
        )
        with self.assertRaisesRegex(ValueError, f"expected {SCHEMA_VERSION}, found 1"):
            decode("Status", array)
        with self.assertRaisesRegex(ValueError, "expected stamp_ns"):
            decode("ArmState", array)
        with self.assertRaises(KeyError):
            encode("Status", {"node": "x"})

    def test_the_pacer_gives_up_what_it_cannot_catch_up(self):
        pacer = Pacer(2.0)
        self.assertEqual(pacer.time_left_s(0, 10.0), 0.0)
        self.assertAlmostEqual(pacer.time_left_s(10**9, 10.0), 0.5)
        self.assertEqual(pacer.time_left_s(10**9, 20.0), 0.0)
        self.assertAlmostEqual(pacer.time_left_s(2 * 10**9, 20.0), 0.3)


if __name__ == "__main__":
    unittest.main()
