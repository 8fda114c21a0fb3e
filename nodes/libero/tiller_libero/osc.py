"""The official arm of a LIBERO task, robosuite's `OSC_POSE`, for Tiller's driver of arms whose own
controller takes steps of the tool.

    python -m tiller_libero.osc --suite libero_goal --task 0

The arm's actions are the benchmark's own: the tool's way and turn from where it is, and whether the fingers
open, close or stay.
"""

import argparse
import sys
from collections.abc import Sequence

import mujoco
import numpy as np

from tiller_bridge.osc import PORT, Fault, Malformed, State, serve
from tiller_bridge.settings import Refused

from .lockstep import STEP_NS, quaternion
from .official import STEP_S, SUITES, Official

# Of a turn, in actions: robosuite leads the hand on to where it was last to turn unless it is told to turn.
STILL = 1e-9
# An action of 1 opens or closes the fingers, 0 leaves them as they are led.
OPEN, CLOSE, STAY = -1.0, 1.0, 0.0
# This near to a width the fingers are led there, m: a step leads them by 1 cm.
WIDTH_M = 0.006


class OscPose:
    """The arm of a task in which an episode has begun. Time is simulated; a step takes a period of it."""

    rate_hz = 1.0 / STEP_S

    def __init__(self, official: Official):
        self.official = official
        self.controller = official.env.robots[0].controller
        self.most_m, self.most_rad = largest_step(self.controller)
        self.model, self.data = official.sim.model._model, official.sim.data._data
        self.joints = [self.model.joint(f"robot0_joint{n}") for n in range(1, 8)]
        self.fingers = [self.model.joint(f"gripper0_finger_joint{n}") for n in (1, 2)]
        (_, first_m), (second_m, _) = (finger.range for finger in self.fingers)
        self.gripper_m = (0.0, float(first_m - second_m))
        actuators = official.env.robots[0].gripper.actuators
        self.led_at = [self.model.actuator(name).id for name in actuators]
        self.site = self.model.site(self.controller.eef_name).id
        self.base = self.model.body("robot0_base").id
        # The step leaves positions of bodies and sites behind by 2 ms, so they are worked out apart.
        self.ghost = mujoco.MjData(self.model)
        self.steps = 0
        self.achieved = False

    def state(self) -> State:
        """What is measured: the point between the fingers that robosuite controls, seen from the base."""
        self.ghost.qpos[:] = self.data.qpos
        mujoco.mj_kinematics(self.model, self.ghost)
        base = self._world_from_base()
        way_m = self.ghost.site_xpos[self.site] - self.data.xpos[self.base]
        return State(
            clock_ns=self.steps * STEP_NS,
            q_rad=[self.data.qpos[joint.qposadr[0]] for joint in self.joints],
            dq_rad_s=[self.data.qvel[joint.dofadr[0]] for joint in self.joints],
            tool_position_m=base.T @ way_m,
            tool_quaternion_wxyz=quaternion(base.T @ self.ghost.site_xmat[self.site].reshape(3, 3)),
            gripper_width_m=self._width_m(),
            fault=Fault.NONE,
        )

    def step(
        self,
        translation_m: Sequence[float],
        rotation_rad: Sequence[float],
        gripper_width_m: float,
    ) -> None:
        """A step of the environment, 50 ms, with the step as its action."""
        base = self._world_from_base()
        move = base @ translation_m / self.most_m
        turn = base @ rotation_rad / self.most_rad
        self._act(move, turn, self._fingers(gripper_width_m))

    def stop(self) -> None:
        """A step of zeros; the fingers hold what they hold."""
        self._act(np.zeros(3), np.zeros(3), STAY)

    def _act(self, move: np.ndarray, turn: np.ndarray, gripper: float) -> None:
        turn = turn if turn.any() else np.full(3, STILL)
        achieved = self.official.step([*move, *turn, gripper])
        self.steps += 1
        if achieved != self.achieved:
            word = "is achieved" if achieved else "is not achieved any more"
            print(f"{self.steps * STEP_S:.2f} s: the task {word}", file=sys.stderr, flush=True)
        self.achieved = achieved

    def _fingers(self, width_m: float) -> float:
        """Towards a width; at its ends on for ever, so that what is between the fingers is held firmly."""
        least_m, largest_m = self.gripper_m
        if width_m <= least_m + WIDTH_M:
            return CLOSE
        if width_m >= largest_m - WIDTH_M:
            return OPEN
        # They lag behind where they are led.
        first, second = self.data.ctrl[self.led_at]
        wider_m = width_m - (first - second)
        if abs(wider_m) <= WIDTH_M:
            return STAY
        return OPEN if wider_m > 0.0 else CLOSE

    def _width_m(self) -> float:
        first, second = (self.data.qpos[finger.qposadr[0]] for finger in self.fingers)
        return float(first - second)

    def _world_from_base(self) -> np.ndarray:
        return self.data.xmat[self.base].reshape(3, 3)


def largest_step(controller) -> tuple[float, float]:
    """How far an action of 1 leads, m and rad.

    Raises Refused for a controller that is not `OSC_POSE` with steps alike in all directions.
    """
    most, least = controller.output_max, controller.output_min
    is_pose = controller.name == "OSC_POSE" and controller.use_delta
    is_alike = np.ptp(most[:3]) == 0.0 == np.ptp(most[3:]) and np.array_equal(most, -least)
    if not (is_pose and is_alike and controller.impedance_mode == "fixed"):
        raise Refused(
            f"controller: expected OSC_POSE that takes steps alike in all directions, found"
            f" {controller.name} from {least} to {most}"
        )
    return float(most[0]), float(most[3])


def parser() -> argparse.ArgumentParser:
    command = argparse.ArgumentParser(
        prog="python -m tiller_libero.osc",
        description="Serves the official arm of a LIBERO task to a driver of tool-space steps.",
    )
    add = command.add_argument
    add("--suite", default=SUITES[0], help="suite of the task (default: %(default)s)")
    add("--task", type=int, default=0, help="its number (default: 0)")
    add("--state", type=int, default=0, help="initial state (default: 0)")
    add("--seed", type=int, default=0, help="seed of the episode (default: 0)")
    add("--host", default="127.0.0.1", help="interface to listen on (default: %(default)s)")
    add("--port", type=int, default=PORT, help="port; 0 for any (default: %(default)s)")
    add(
        "--speed",
        choices=("realtime", "fast"),
        default="realtime",
        help="fast goes on as soon as a step has come (default: %(default)s)",
    )
    return command


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        with Official(options.suite, options.task) as official:
            official.begin(options.seed, options.state)
            print(f"{options.suite} {options.task}: {official.instruction}", file=sys.stderr)
            serve(OscPose(official), options.host, options.port, options.speed == "realtime")
    except (Refused, Malformed, OSError, OverflowError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
