"""Scripted experts of the benchmark's behaviours, closed loop at 10 Hz.

They see the true state of the scene and serve to make demonstrations; policies never see what they see.
They err on purpose: they wander first, are pushed about by noise, go aside, fumble with the fingers, grasp
beside the block. What is learned is the right step all the while.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from .lockstep import Lockstep
from .official import CLOSED, OPEN, Refused
from .skills import ALONG_BACK, TOOL_TO_TIP_M, UP, Lift, Push, View, Want, hand

# Longest step, and largest turn of one.
MAX_STEP_M, MAX_TURN_RAD = 0.025, 0.18
# Share of the way to a place that a step takes at most.
APPROACH = 0.7
# Steps after which it gives up, and how many it goes on after its success.
MOST_STEPS, STEPS_AFTER = 90, 5
# Noise of executed steps: what is left of it from step to step, and its size.
NOISE_KEPT, NOISE_M, NOISE_RAD = 0.65, 0.006, 0.015

# Middles of what is pushed, in the frame of its link.
MIDDLES_M = {
    "drawer_link": (0.0, 0.04, 0.25),
    "slide_link": (0.14, 0.0, 0.068),
    "switch_link": (0.0, 0.053, -0.008),
    "button_link": (0.0, 0.024, 0.0),
}
HANDLE_END_M = (0.14, -0.08, 0.07)
WIDTHS_M = {"red": (0.056, 0.04), "blue": (0.04, 0.04), "pink": (0.08, 0.04)}
X, Y = np.eye(3)[:2]
LEVER_TILT_RAD, SLIDE_TILT_RAD = 0.95, 0.3


def pushes(task: str, random: np.random.Generator) -> tuple[str, Push]:
    """The link that a task moves, and how."""
    aside = random.uniform(-1.0, 1.0)
    in_front = np.array([0.0, -0.8, 0.6])
    if task in ("open_drawer", "close_drawer"):
        way = -Y if task == "open_drawer" else Y
        beside = -way * 0.036 + UP * 0.008 + X * 0.04 * aside
        return "drawer_link", Push(beside, way, UP, hand(0.0), hover_m=0.1)
    if task in ("move_slider_left", "move_slider_right"):
        way = -X if task == "move_slider_left" else X
        beside = -way * 0.047 + ALONG_BACK * (0.02 * aside - 0.02)
        return "slide_link", Push(beside, way, in_front, hand(SLIDE_TILT_RAD))
    if task in ("turn_on_lightbulb", "turn_off_lightbulb"):
        way = ALONG_BACK if task == "turn_on_lightbulb" else -ALONG_BACK
        beside = -way * 0.04 + X * 0.02 * aside
        return "switch_link", Push(beside, way, in_front, hand(LEVER_TILT_RAD))
    if task in ("turn_on_led", "turn_off_led"):
        return "button_link", Push(UP * 0.03 + X * 0.01 * aside, -UP, UP, hand(0.0))
    raise Refused(f"task {task}: there is no expert for it")


class Aside:
    """Goes to a place beside the right one for some steps, there perhaps with the fingers wrong."""

    def __init__(self, by_m: np.ndarray, steps: int, gripping: int = 0):
        self.by_m, self.steps, self.gripping = by_m, steps, gripping
        self.place_m = None

    def step(self, view: View, want: Want) -> Want | None:
        """What is done instead; none when it is over."""
        if self.place_m is None:
            self.place_m = view.thing_m + self.by_m
        if self.steps > 0 and np.linalg.norm(self.place_m - view.tip_m) > 0.015:
            self.steps -= 1
            return Want(self.place_m, want.hand, want.gripper)
        self.steps = 0
        if self.gripping == 0:
            return None
        self.gripping -= 1
        return Want(view.tip_m, want.hand, CLOSED)


class Expert:
    """Solves the lockstep's episode; the seed draws its ways and errors."""

    def __init__(self, lockstep: Lockstep, task: str, seed: int):
        self.lockstep = lockstep
        self.random = random = np.random.default_rng(seed)
        words = task.split("_")
        self.block = words[1] if words[0] == "lift" and words[-1] == "table" else None
        if self.block:
            widths = WIDTHS_M[self.block]
            self.skill = Lift(widths, (max(widths) - 0.036) * random.uniform(-0.4, 0.4))
        else:
            self.link, self.skill = pushes(task, random)
        self.steps, self.after = 0, STEPS_AFTER
        self.shift_m, self.turn_rad = np.zeros(3), np.zeros(3)
        # To a place near by, for so many steps.
        self.wandering = int(random.integers(2, 8)) if random.random() < 0.5 else 0
        self.wander_m = random.uniform([-0.09, -0.09, -0.06], [0.09, 0.09, 0.05])
        # Steps during which the fingers do the opposite.
        self.fumbling = int(random.integers(2, 8)) if random.random() < 0.3 else 0
        self.errors = self._errors()

    def _errors(self) -> list[Aside]:
        """Ways that are gone instead, once the hand is near the right place."""
        random, errors = self.random, []
        if random.random() < 0.35:
            if self.block:
                by = random.uniform([-0.04, -0.04, 0.06], [0.04, 0.04, 0.1])
            else:
                out = self.skill.entry * random.uniform(0.05, 0.09)
                by = self.skill.beside_m + out + random.uniform(-0.03, 0.03, 3)
            errors.append(Aside(by, 8))
        if self.block and random.random() < 0.25:
            by = random.uniform(0.02, 0.04, 2) * random.choice([-1, 1], 2)
            errors.append(Aside(np.array([*by, random.uniform(0.035, 0.05)]), 10, gripping=3))
        return errors

    def view(self) -> View:
        """The scene as it is."""
        arm, official = self.lockstep.arm(), self.lockstep.official
        w, x, y, z = arm["tcp_quaternion_wxyz"]
        turned = Rotation.from_quat([x, y, z, w])
        tip = np.array(arm["tcp_position_m"]) + turned.apply(UP) * TOOL_TO_TIP_M
        blocks = {block.name: block for block in official.env.scene.movable_objects}
        mine = blocks.pop(f"block_{self.block}", None)
        base = self.lockstep.base_from_world
        others = [base[:3, :3] @ other.get_state()[:3] + base[:3, 3] for other in blocks.values()]
        yaw = 0.0
        if mine is None:
            thing = self._on_fixture(self.link, MIDDLES_M[self.link])
        else:
            state = mine.get_state()
            thing, yaw = base[:3, :3] @ state[:3] + base[:3, 3], float(state[5])
        end = self._on_fixture("slide_link", HANDLE_END_M)
        return View(tip, turned, arm["gripper_width_m"], thing, yaw, others, end)

    def _on_fixture(self, link: str, place_m) -> np.ndarray:
        """A place in a link's frame, in the base's."""
        pose = self.lockstep.base_from_world @ self.lockstep.fixture_pose(link)
        return pose[:3, :3] @ place_m + pose[:3, 3]

    def step(self, anchor_position_m, anchor_quaternion_wxyz) -> dict | None:
        """The next step of 100 ms from the commanded pose; none when it is finished or gives up."""
        self.steps += 1
        if self.lockstep.success:
            self.after -= 1
        if self.after < 0 or self.steps > MOST_STEPS:
            return None
        w, x, y, z = anchor_quaternion_wxyz
        turned = Rotation.from_quat([x, y, z, w])
        anchor_m = np.array(anchor_position_m) + turned.apply(UP) * TOOL_TO_TIP_M
        view = self.view()
        want = self._right(view)
        done = self._done(view, want)
        learned = towards(want, anchor_m, turned)
        executed = self._push(towards(done, anchor_m, turned), want.noise)
        return {"learned": learned, "executed": executed}

    def _right(self, view: View) -> Want:
        want = self.skill.right(view)
        if self.lockstep.success and isinstance(self.skill, Push) and self.link == "button_link":
            # It is lit: off the button.
            want.tip_m = view.tip_m + UP * 0.05
        return want

    def _done(self, view: View, want: Want) -> Want:
        """What is done: what is right, or an error."""
        if self.wandering > 0:
            if self.steps == 1:
                self.wander_m = view.tip_m + self.wander_m
            self.wandering -= 1
            return Want(self.wander_m, want.hand, want.gripper)
        near = np.linalg.norm(want.tip_m - view.tip_m) < 0.03 and want.noise >= 0.3
        if self.errors and (near or self.errors[-1].place_m is not None):
            error = self.errors[-1].step(view, want)
            if error is not None:
                return error
            self.errors.pop()
        if self.fumbling > 0 and want.noise >= 0.3:
            self.fumbling -= 1
            return Want(want.tip_m, want.hand, OPEN if want.gripper == CLOSED else CLOSED)
        return want

    def _push(self, step: dict, scale: float) -> dict:
        """The step pushed off its course; the noise wanders on."""
        self.shift_m = self.shift_m * NOISE_KEPT + NOISE_M * self.random.normal(size=3)
        self.turn_rad = self.turn_rad * NOISE_KEPT + NOISE_RAD * self.random.normal(size=3)
        delta = np.array(step["delta_m"]) + self.shift_m * scale
        turn = np.array(step["rotation_rad"]) + self.turn_rad * scale
        return as_step(delta, turn, step["gripper"])


def towards(want: Want, anchor_tip_m: np.ndarray, anchor: Rotation) -> dict:
    """The step of the tool that leads the fingertips from the anchor towards what is wanted."""
    way = clipped((want.tip_m - anchor_tip_m) * APPROACH, want.speed_m)
    turn = clipped((want.hand * anchor.inv()).as_rotvec() * APPROACH, MAX_TURN_RAD)
    # The fingertips go straight while the hand turns about them.
    before = anchor.apply(UP) * TOOL_TO_TIP_M
    return as_step(way + before - Rotation.from_rotvec(turn).apply(before), turn, want.gripper)


def as_step(delta_m: np.ndarray, turn_rad: np.ndarray, gripper: float) -> dict:
    """A step within the limits."""
    return {
        "delta_m": clipped(delta_m, MAX_STEP_M).tolist(),
        "rotation_rad": clipped(turn_rad, MAX_TURN_RAD).tolist(),
        "gripper": float(gripper),
    }


def clipped(vector: np.ndarray, most: float) -> np.ndarray:
    """No longer than that."""
    return vector * (most / max(float(np.linalg.norm(vector)), most))
