"""The controller's side of the protocol of `crates/osc`, on a real loopback socket, against rude drivers
and, where it is built, the Rust one."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from tiller_bridge.osc import Fault, Malformed, Server, State

from .arm import HOME_RAD, FirstOrder, chain

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
SWING = TARGET / "release/examples/swing"
# Longer than anything takes that works.
PATIENCE_S = 20.0
HELLO = {"hello": {"version": 1}}
# Serves the arm of these tests until it is ended, and says when it was stopped.
PROGRAM = """
from tiller_bridge.osc import serve
from tests.arm import FirstOrder
class Arm(FirstOrder):
    def stop(self):
        super().stop()
        print("stopped", flush=True)
serve(Arm(), port=0)
"""


class Driver:
    """A connection that says whatever it is told to."""

    def __init__(self, address: str):
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)), PATIENCE_S)
        self.file = self.socket.makefile("rb")

    def say(self, what) -> None:
        line = what if isinstance(what, bytes) else json.dumps(what).encode() + b"\n"
        with contextlib.suppress(OSError):
            self.socket.sendall(line)

    def hear(self, kind: str):
        """The next line, which must be of this kind; None at the end."""
        with contextlib.suppress(ConnectionResetError):
            if line := self.file.readline():
                said = json.loads(line)
                if list(said) != [kind]:
                    raise AssertionError(f"expected {kind}, found {line!r}")
                return said[kind]
        return None

    def begin(self) -> dict:
        """Greets, and hears the first state."""
        self.hear("hello")
        self.say(HELLO)
        return self.hear("state")

    def why(self) -> str:
        """What the last line says, after states."""
        with contextlib.suppress(ConnectionResetError):
            for line in self.file:
                said = json.loads(line)
                if "refused" in said:
                    return said["refused"]
        return ""

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def step(seq: int, **other) -> dict:
    return {
        "step": {
            "seq": seq,
            "translation_m": [0.01, 0, 0],
            "rotation_rad": [0, 0, 0],
            "gripper_width_m": 0.08,
        }
        | other
    }


class Served(unittest.TestCase):
    def serve(self, arm=None, is_paced: bool = False, patience_s: float | None = None) -> str:
        """Serves an arm until the test is over, and waits for its steps as long as usual or so long: the
        address."""
        self.arm = arm or FirstOrder()
        self.told: list[str] = []
        self.raised: list[Exception] = []
        self.server = Server(self.arm, port=0, is_paced=is_paced, tell=self.told.append)
        if patience_s is not None:
            self.server.patience_s = patience_s

        def run():
            try:
                self.server.run()
            except Exception as error:
                self.raised.append(error)

        self.thread = threading.Thread(target=run)
        self.thread.start()
        self.addCleanup(self.thread.join)
        self.addCleanup(self.server.end)
        return self.server.address

    def driver(self, address: str) -> Driver:
        driver = Driver(address)
        self.addCleanup(driver.close)
        return driver

    def wait_for(self, what) -> None:
        """Waits until something holds that will."""
        until_s = time.monotonic() + PATIENCE_S
        while not what():
            self.assertLess(time.monotonic(), until_s, self.told)
            time.sleep(0.001)

    def lead(self, driver: Driver, steps: int) -> int:
        """Has the arm take so many steps: the number of the last state."""
        seq = driver.begin()["seq"]
        done = len(self.arm.steps)
        while len(self.arm.steps) < done + steps:
            driver.say(step(seq))
            seq = driver.hear("state")["seq"]
        return seq


class Drivers(Served):
    def test_hello_and_states_before_anybody_leads(self):
        driver = self.driver(self.serve())
        hello = driver.hear("hello")
        expected = {"version": 1, "rate_hz": 20.0, "most_m": 0.05, "most_rad": 0.5}
        self.assertEqual(hello, expected | {"joints": True, "gripper_m": [0.0, 0.08]})
        driver.say(HELLO)
        first, second = driver.hear("state"), driver.hear("state")
        self.assertEqual(second["seq"], first["seq"] + 1)
        self.assertEqual(second["clock_ns"], first["clock_ns"] + 50_000_000)
        self.assertEqual(first["q_rad"], list(HOME_RAD))
        self.assertEqual((first["gripper_width_m"], first["fault"]), (0.08, "none"))
        self.assertEqual(self.arm.steps, [])

    def test_a_step_moves_the_tool_in_the_base_frame(self):
        driver = self.driver(self.serve(patience_s=PATIENCE_S))
        before = chain(self.arm.q_rad)
        seq = driver.begin()["seq"]
        driver.say(step(seq, rotation_rad=[0, 0, 0.03], gripper_width_m=0.05))
        self.wait_for(lambda: self.arm.steps)
        self.assertEqual(self.arm.steps[0], ((0.01, 0.0, 0.0), (0.0, 0.0, 0.03), 0.05))
        after = chain(self.arm.q_rad)
        moved = [x - y for x, y in zip(after[1], before[1], strict=True)]
        for found, expected in zip(moved, (0.01 / 3, 0.0, 0.0), strict=True):
            self.assertAlmostEqual(found, expected, 6)
        # A hundredth of a radian about the base's z axis turns the tool's x axis by as much.
        self.assertAlmostEqual(after[2][1][0] - before[2][1][0], 0.01, 5)

    def test_what_is_no_hello_is_refused(self):
        for line, words in (
            ({"hello": {"version": 2}}, "speaks version 1, found version 2"),
            ({"hello": {"version": True}}, "found version True"),
            ({"hello": {}}, "found version None"),
            (step(1), "expected a hello, found {"),
            (b"GET / HTTP/1.1\n", "expected a hello, found GET / HTTP/1.1"),
            (b"\xff\x1b[31m\n", "expected a hello, found"),
        ):
            driver = self.driver(self.serve())
            driver.hear("hello")
            driver.say(line)
            why = driver.why()
            self.assertIn(words, why)
            self.assertTrue(why.isascii() and why.isprintable(), why)
            self.wait_for(lambda why=why: self.told[-1].endswith(why))
            self.assertEqual(self.arm.steps, [])
            self.assertEqual(self.arm.stops, 1)

    def test_what_is_no_step_is_refused_and_stops_the_arm(self):
        number = b'{"step":{"seq":1,"translation_m":[%s,0,0],"rotation_rad":[0,0,0],"gripper_width_m":0}}\n'
        for line, words in (
            (b"\n", "expected a step"),
            (b"[" * 4000 + b"\n", "expected a step, found ["),
            (number % b"NaN", "expected a step"),
            (number % b"-Infinity", "expected a step"),
            (number % b"1e999", "a finite number as translation_m[0]"),
            (number % (b"9" * 400), "a number as translation_m[0]"),
            (number % b"null", "a number as translation_m[0], found None"),
            (number % b'"0.01"', "a number as translation_m[0], found 0.01"),
            (HELLO, "expected a step, found {"),
            ({"step": {}}, "seq, translation_m, rotation_rad, gripper_width_m in a step"),
            ({"step": [1]}, "expected a step"),
            (step(1) | HELLO, "expected a step"),
            (step(1, translation_m=[0, 0]), "3 numbers as translation_m, found 2"),
            (step(1, rotation_rad="abc"), "3 numbers as rotation_rad"),
            (step(1, rotation_rad=[True, 0, 0]), "a number as rotation_rad[0], found True"),
            (step(1, translation_m=[0.04, 0.04, 0]), "a translation_m no longer than 0.05"),
            (step(1, rotation_rad=[0, 0, -0.51]), "a rotation_rad no longer than 0.5"),
            (step(1, gripper_width_m=0.081), "as gripper_width_m, found 0.081"),
            (step(1.5), "a whole number as seq, found 1.5"),
            (step(-1), "as seq, found -1"),
            (step(10**6), "a step with a seq from 1 to"),
            (b"x" * 4096 + b"\n", "lines below 4096 bytes"),
            (b"y" * 20_000, "lines below 4096 bytes"),
        ):
            driver = self.driver(self.serve())
            driver.begin()
            driver.say(line)
            self.assertIn(words, driver.why())
            self.assertIsNone(driver.hear("state"))
            self.assertEqual(self.arm.steps, [])
            self.assertGreater(self.arm.stops, 0)

    def test_the_longest_line_is_read(self):
        driver = self.driver(self.serve(patience_s=PATIENCE_S))
        line = json.dumps(step(driver.begin()["seq"])).encode()
        driver.say(line.ljust(4095) + b"\n")
        self.wait_for(lambda: self.arm.steps)

    def test_a_driver_that_goes_stops_the_arm_and_the_next_may_come(self):
        address = self.serve()
        for _ in range(2):
            driver = self.driver(address)
            self.lead(driver, 3)
            driver.close()
            self.wait_for(lambda: self.told[-1] == "the arm is stopped: the driver has gone")
            self.assertGreater(self.arm.stops, 0)
            self.told.append("")
        self.assertGreaterEqual(len(self.arm.steps), 6)

    def test_a_second_driver_waits(self):
        address = self.serve()
        first = self.driver(address)
        self.lead(first, 3)
        second = self.driver(address)
        second.socket.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            second.socket.recv(1, socket.MSG_PEEK)
        second.socket.settimeout(PATIENCE_S)
        first.close()
        self.lead(second, 3)

    def test_steps_that_stop_coming_stop_the_arm_until_they_come_again(self):
        driver = self.driver(self.serve())
        seq = self.lead(driver, 3)
        self.wait_for(lambda: self.told[-1] == "the arm is stopped: steps do not come")
        # The clock goes on, and late answers to states of long ago are none.
        done = len(self.arm.steps)
        time.sleep(0.3)
        driver.say(step(seq))
        later = [driver.hear("state")["seq"] for _ in range(20)]
        self.assertEqual(later[-1], seq + 20)
        self.assertEqual(len(self.arm.steps), done)
        while len(self.arm.steps) < done + 3:
            driver.say(step(driver.hear("state")["seq"]))

    def test_a_state_is_answered_once(self):
        driver = self.driver(self.serve(patience_s=PATIENCE_S))
        seq = self.lead(driver, 1)
        done = len(self.arm.steps)
        for _ in range(3):
            driver.say(step(seq))
        self.assertEqual(driver.hear("state")["seq"], seq + 1)
        driver.say(step(seq + 1))
        self.assertEqual(driver.hear("state")["seq"], seq + 2)
        self.assertEqual((len(self.arm.steps), self.arm.stops), (done + 2, 0))

    def test_an_arm_with_a_fault_is_not_led(self):
        driver = self.driver(self.serve())
        seq = self.lead(driver, 3)
        self.arm.fault = Fault.REFLEX
        driver.say(step(seq))
        state = driver.hear("state")
        while state["fault"] == "none":
            driver.say(step(state["seq"]))
            state = driver.hear("state")
        self.assertEqual(state["fault"], "reflex")
        done = len(self.arm.steps)
        for _ in range(5):
            driver.say(step(state["seq"]))
            state = driver.hear("state")
        self.assertEqual(len(self.arm.steps), done)
        self.arm.fault = Fault.NONE
        while len(self.arm.steps) < done + 3:
            driver.say(step(driver.hear("state")["seq"]))

    def test_real_time_is_kept(self):
        begun_s = time.monotonic()
        driver = self.driver(self.serve(is_paced=True))
        self.lead(driver, 10)
        # No sooner; how much later is the machine's affair.
        self.assertGreaterEqual(time.monotonic() - begun_s, 9 * 0.05)


class Controllers(Served):
    def test_one_that_cannot_be_led_is_refused_at_once(self):
        for name, value, words in (
            ("rate_hz", 1.0, "2.0 to 1000.0 as rate_hz"),
            ("most_m", 0.6, "as most_m"),
            ("most_rad", float("nan"), "a finite number as most_rad"),
            ("gripper_m", (0.08, 0.0), "as gripper_m[1]"),
            ("gripper_m", (0.08,), "2 numbers as gripper_m"),
        ):
            arm = FirstOrder()
            setattr(arm, name, value)
            with self.assertRaisesRegex(Malformed, re.escape(words)):
                Server(arm, port=0)

    def test_states_are_validated(self):
        def state(**other):
            said = {
                "clock_ns": 5,
                "q_rad": [0.0] * 7,
                "dq_rad_s": [0.0] * 7,
                "tool_position_m": [0.5, 0, 0],
                "tool_quaternion_wxyz": [0, 1, 0, 0],
                "gripper_width_m": 0.08,
            }
            return State(**(said | other))

        self.assertEqual(json.loads(state().line(3))["state"]["fault"], "none")
        self.assertIs(state(fault="user_stop").fault, Fault.USER_STOP)
        for other, words in (
            ({"clock_ns": 5.0}, "a whole number as clock_ns"),
            ({"q_rad": [0.0] * 6}, "7 numbers as q_rad, found 6"),
            ({"q_rad": 0.0}, "7 numbers as q_rad"),
            ({"dq_rad_s": [float("inf")] * 7}, "a finite number as dq_rad_s[0]"),
            ({"tool_quaternion_wxyz": [0, 2, 0, 0]}, "unit length, found one of 2.0"),
            ({"gripper_width_m": None}, "a number as gripper_width_m"),
            ({"fault": "tired"}, "one of none, reflex, user_stop, not_ready as fault"),
        ):
            with self.assertRaisesRegex(Malformed, re.escape(words)):
                state(**other)

    def test_one_that_raises_ends_the_service_with_the_arm_stopped(self):
        class Broken(FirstOrder):
            def step(self, *_):
                raise ConnectionResetError("the robot is gone")

        class Wrong(FirstOrder):
            def state(self):
                return State(0, [0.0], [], [], [], 0.0)

        for arm, words in ((Broken(), "the robot is gone"), (Wrong(), "the controller's state: ")):
            driver = self.driver(self.serve(arm))
            state = driver.begin()
            while state is not None:
                driver.say(step(state["seq"]))
                state = driver.hear("state")
            self.thread.join()
            self.assertIn(words, str(self.raised[0]))
            self.assertGreater(arm.stops, 0)

    def test_one_whose_clock_stands_still_loses_its_driver(self):
        class Still(FirstOrder):
            def _go_on(self):
                pass

        driver = self.driver(self.serve(Still()))
        driver.begin()
        self.assertIsNone(driver.hear("state"))
        self.wait_for(lambda: "clock stands still at 0 ns" in self.told[-1])
        self.assertGreater(self.arm.stops, 0)

    def test_a_process_that_is_ended_stops_its_arm(self):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.kill)
        told = process.stderr.readline()
        self.assertIn("a controller of 20 Hz is served at 127.0.0.1:", told)
        driver = self.driver(told.split()[-1])
        state = driver.begin()
        driver.say(step(state["seq"]))
        driver.hear("state")
        process.terminate()
        out, _ = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 128 + 15)
        self.assertTrue(out.endswith("stopped\n"))


class TheRustDriver(Served):
    @unittest.skipUnless(
        SWING.is_file(), "not built: cargo build --release -p tiller-osc --example swing"
    )
    def test_its_swing_is_followed_to_millimetres(self):
        address = self.serve()
        ran = subprocess.run(
            [SWING, address], capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        self.assertEqual(ran.returncode, 0, ran.stderr)
        pattern = r"largest ([\d.]+) mm and ([\d.]+) rad, rms ([\d.]+) mm, at rest ([\d.]+) mm"
        found = re.search(pattern, ran.stdout)
        self.assertIsNotNone(found, ran.stdout)
        largest_mm, _, _, left_mm = map(float, found.groups())
        self.assertLess(largest_mm, 4.0, ran.stdout)
        self.assertLess(left_mm, 0.01, ran.stdout)
        self.assertIn(" 0 of them shortened", ran.stdout)
        self.assertGreaterEqual(len(self.arm.steps), 75)
        self.wait_for(lambda: self.told[-1] == "the arm is stopped: the driver has gone")


if __name__ == "__main__":
    unittest.main()
