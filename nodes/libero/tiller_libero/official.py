"""The official environment, and the protocol by which episodes begin in it.

An initial state holds positions and velocities alone; where the fixtures stand comes from the seed. So
an episode begins with seed, reset and then the initial state: a state that is set before the reset is
lost.
"""

import contextlib
import io
import logging
import os
import sys
from pathlib import Path

from tiller_bridge.settings import Refused

# Before anything loads MuJoCo or NumPy.
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The suites that Tiller measures: what is asked for or where things stand differs from the first one.
SUITES = (
    "libero_goal",
    "libero_goal_swap",
    "libero_goal_object",
    "libero_goal_lan",
    "libero_goal_task",
)
# An action: three of translation, three of rotation, the gripper (-1 opens, +1 closes).
ACTION_SIZE = 7
IDLE_ACTION = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0)
# Things fall some centimetres at first; the benchmark waits for that before a policy acts.
IDLE_STEPS = 10
MAX_STEPS = 300
STEP_S = 0.05
# Resets whose random placement finds no room, before it is given up.
PLACEMENT_TRIES = 100


def package():
    """The official package, without what it prints.

    Raises Refused where it is not installed.
    """
    logging.getLogger("robosuite_logs").setLevel(logging.ERROR)
    try:
        with quiet():
            import libero.libero as libero
            from libero.libero import benchmark, envs
    except ImportError as error:
        raise Refused(
            f"LIBERO-PRO is not installed in {sys.prefix} ({error}): run `tiller sim install libero`"
            " and use `.sim/libero/bin/python`"
        ) from error
    return libero, benchmark, envs


@contextlib.contextmanager
def quiet():
    """Keeps the package's notes off the standard output, which carries results only."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


class Suite:
    """A suite of the benchmark: its tasks' files and initial states."""

    def __init__(self, name: str):
        self.libero, benchmark, _ = package()
        self.name = name
        known = benchmark.get_benchmark_dict()
        if name not in known:
            raise Refused(f"suite: expected one of {', '.join(sorted(known))}, found `{name}`")
        with quiet():
            self.suite = known[name](task_order_index=0)
        if self.suite.n_tasks == 0 or not self._folder("bddl_files", 0).is_dir():
            raise Refused(f"suite `{name}` is empty: the benchmark was published without its files")

    @property
    def tasks(self) -> int:
        return self.suite.n_tasks

    def _folder(self, kind: str, task: int) -> Path:
        return Path(self.libero.get_libero_path(kind)) / self.suite.get_task(task).problem_folder

    def check(self, task: int) -> None:
        """Refuses a task that the suite does not have."""
        if not 0 <= task < self.tasks:
            raise Refused(f"task of {self.name}: expected 0 to {self.tasks - 1}, found {task}")

    def bddl_file(self, task: int) -> Path:
        """The task's description: things, where they may stand, the goal and the instruction."""
        self.check(task)
        path = self._folder("bddl_files", task) / self.suite.get_task(task).bddl_file
        if not path.is_file():
            raise Refused(f"task {task} of {self.name}: its description {path} is missing")
        return path

    def states_file(self, task: int) -> Path:
        """The file of a task's initial states."""
        self.check(task)
        folder = self._folder("init_states", task)
        return folder / f"{self.suite.get_task(task).init_states_file}.npz"

    def initial_states(self, task: int):
        """The fixed initial states [n, 1 + positions + velocities] of a task."""
        self.check(task)
        try:
            states = self.suite.get_task_init_states(task)
        except FileNotFoundError as error:
            raise Refused(f"task {task} of {self.name} has no initial states: {error}") from error
        if states.ndim != 2 or len(states) == 0:
            raise Refused(f"task {task} of {self.name} has no initial states")
        return states


def step_action(action) -> list[float]:
    """An action as the environment takes it.

    Raises Refused for another length or numbers that are not finite.
    """
    try:
        values = [float(value) for value in action]
    except (TypeError, ValueError) as error:
        raise Refused(f"action: expected {ACTION_SIZE} numbers, found {action!r}") from error
    if len(values) != ACTION_SIZE:
        raise Refused(f"action: expected {ACTION_SIZE} numbers, found {len(values)}")
    if not all(abs(value) < float("inf") for value in values):
        raise Refused(f"action: expected finite numbers, found {values}")
    return values


class Official:
    """The official environment of one task.

    `cameras` are drawn on demand, not in every step, which would cost ten times the physics.
    """

    def __init__(self, suite: str | Suite, task: int, cameras: bool = False):
        self.suite = suite if isinstance(suite, Suite) else Suite(suite)
        self.task = task
        self.bddl = self.suite.bddl_file(task)
        self.states = self.suite.initial_states(task)
        _, _, envs = package()
        from libero.libero.envs.env_wrapper import ControlEnv
        from robosuite.utils.errors import RandomizationError

        self.no_room = RandomizationError
        with quiet():
            self.wrapper = ControlEnv(
                bddl_file_name=str(self.bddl),
                has_offscreen_renderer=cameras,
                use_camera_obs=False,
                # Episodes end by our count of steps.
                ignore_done=True,
            )

    @property
    def env(self):
        """The robosuite environment under the wrapper."""
        return self.wrapper.env

    @property
    def sim(self):
        """The simulator; a reset replaces it."""
        return self.wrapper.env.sim

    @property
    def instruction(self) -> str:
        """What is said: from the description. The file's name says the base suite's words for all."""
        return str(self.wrapper.language_instruction)

    def begin(self, seed: int, initial_state: int | None, idle_steps: int = IDLE_STEPS) -> None:
        """Seed, reset, initial state, and the idle steps in which things come to rest.

        Without an initial state the things stay where the seed's reset put them.
        """
        if not 0 <= seed < 2**32:
            raise Refused(f"seed: expected 0 to {2**32 - 1}, found {seed}")
        if initial_state is not None and not 0 <= initial_state < len(self.states):
            raise Refused(
                f"initial state of task {self.task} of {self.suite.name}: expected 0 to"
                f" {len(self.states) - 1}, found {initial_state}"
            )
        with quiet():
            self.wrapper.seed(seed)
            self._reset()
            # A drawn state is set as well, so that both ways end in the same calls.
            drawn = self.wrapper.get_sim_state() if initial_state is None else None
            self.wrapper.set_init_state(self.states[initial_state] if drawn is None else drawn)
        for _ in range(idle_steps):
            self.step(IDLE_ACTION)

    def _reset(self) -> None:
        # The wrapper's own reset tries for ever, whatever fails.
        for _ in range(PLACEMENT_TRIES):
            try:
                self.wrapper.env.reset()
                return
            except self.no_room:
                continue
        raise Refused(
            f"task {self.task} of {self.suite.name}: {PLACEMENT_TRIES} random placements found no room"
        )

    def step(self, action) -> bool:
        """One step of 50 ms; whether the goal holds after it."""
        self.wrapper.step(step_action(action))
        return self.achieved()

    def achieved(self) -> bool:
        """Whether the goal holds now, as the benchmark judges."""
        return bool(self.wrapper.check_success())

    def close(self) -> None:
        """Frees the renderer; without it EGL complains at the program's end."""
        self.wrapper.close()

    def __enter__(self) -> "Official":
        return self

    def __exit__(self, *_) -> None:
        self.close()
