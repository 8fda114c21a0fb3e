"""The loop of a bridge: another's environment as a node with the ports of the node `simulator`.

It ends after the last episode, when its time on the wall clock is up, when `arm_command` ends, and when
the dataflow is stopped.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
import pyarrow as pa

from .messages import Outbox, decode
from .robot import Picture
from .settings import Refused
from .system import drop_keys, open_to_append

PERIOD_NS = 100_000_000
COMMAND_NS = 20_000_000
# How long the world goes on after the reward program has ended.
GRACE_NS = 2_000_000_000
# A state without an answer is sent again after the one, and the actuator named after the other, seconds.
ANSWER_LIMIT_S, ACTUATOR_LIMIT_S = 0.5, 0.9
# What the simulation may catch up after a delay, seconds.
MAX_CREDIT_S = 0.2
# A command this near to the state is merely late.
LATE_NS = 2 * PERIOD_NS


class World(Protocol):
    """One task's environment and its place in time."""

    task_id: str
    # What people would say.
    instruction: str
    # Names of the things by their number in segmentations.
    labels: dict[int, str]
    # Whether the goal holds now, and whether it has for long enough.
    achieved: bool
    success: bool
    # Simulated time in this episode.
    time_ns: int

    def run(self, setpoints: np.ndarray, gripper_width_m: float) -> None:
        """Follows set-points [n, 7], one a millisecond."""

    def arm(self) -> dict:
        """What the arm's sensors say, as `ArmState` has it."""

    def look(self, camera: str, side: int, everything: bool) -> Picture:
        """Looks through a camera; depth and labels where `everything` is wanted."""


class Pacer:
    """Keeps simulated time from running ahead of the wall clock."""

    def __init__(self, speed: float):
        self.speed, self.origin = speed, None

    def time_left_s(self, now_ns: int, now_s: float) -> float:
        """How long to wait before simulated time may go on; the clock starts with the first call."""
        if self.origin is None:
            self.origin = (now_s, now_ns)
        start_s, start_ns = self.origin
        due_s = start_s + (now_ns - start_ns) * 1e-9 / self.speed
        if now_s > due_s + MAX_CREDIT_S:
            self.origin = (now_s - MAX_CREDIT_S, now_ns)
        return max(0.0, due_s - now_s)


class Loop:
    """Publishes a state, waits for the command that answers it, runs it.

    `settings` has seed, episodes, episode_ns, wall_limit_s, speed and record; what differs from world to
    world is in the methods that raise NotImplementedError.
    """

    # The names of the first camera and of the wrist's.
    cameras: tuple[str, str]
    # Why an episode of another instruction cannot be had.
    refusal: str

    def __init__(self, settings, world: World, outbox: Outbox):
        self.settings, self.world, self.outbox = settings, world, outbox
        self.pacer = Pacer(settings.speed)
        self.started_s = time.monotonic()
        # Ids rise from start to start, as sessions do.
        self.last_id = outbox.session
        self.begun = 0
        self.origin_ns = self.time_end_ns = 0
        self.pictures = 0
        self.refused = 0
        self.is_paused = False

    @property
    def time_ns(self) -> int:
        """Simulated time over all episodes."""
        return self.origin_ns + self.world.time_ns

    @property
    def is_last(self) -> bool:
        return self.settings.episodes is not None and self.begun >= self.settings.episodes

    @property
    def image_sides(self) -> tuple[int, int]:
        """Width and height of each camera's pictures, pixels."""
        raise NotImplementedError

    def begin_world(self) -> None:
        """Begins episode `begun` (from 0) in the world, with `seed`."""
        raise NotImplementedError

    def entry(self) -> dict:
        """What is recorded of the episode besides its id, seed and success."""
        raise NotImplementedError

    def begin(self) -> None:
        """The next episode, with the next seed."""
        # Images are due at multiples of their period in both clocks.
        self.origin_ns = -(-self.time_end_ns // PERIOD_NS) * PERIOD_NS
        self.seed = self.settings.seed + self.begun
        self.begin_world()
        self.last_id += 1
        self.begun += 1
        self.answer = self.program_ended_ns = self.told = None
        self.is_over = self.waiting_told = False
        self.is_awaited = self.has_program = False
        self.paused_ns = 0
        self.waiting_since_s = time.monotonic()
        self.outbox.send(
            "episode",
            "Episode",
            latch=True,
            id=self.last_id,
            stamp_ns=self.time_ns,
            instruction=" ".join(self.world.instruction.split()),
            seed=self.seed,
            tasks=[self.world.task_id],
            last=self.is_last,
        )
        self.publish()

    def publish(self) -> None:
        """The arm's state, and the images when they are due."""
        self.send_state()
        if self.time_ns % PERIOD_NS == 0:
            self.send_images()
            # Meanwhile nobody listened for the answer.
            self.asked_s = self.waiting_since_s = time.monotonic()

    def send_state(self) -> None:
        self.asked_s = time.monotonic()
        self.outbox.send(
            "sim_arm_state",
            "ArmState",
            stamp_ns=self.time_ns,
            episode=self.last_id,
            **self.world.arm(),
        )

    def send_images(self) -> None:
        self.pictures += 1
        (first, second), (first_side, second_side) = self.cameras, self.image_sides
        seen = self.world.look(first, first_side, everything=True)
        self.send_image("image", "rgb8", first, seen, seen.rgb)
        self.send_image("depth", "mono16", first, seen, seen.depth_mm)
        labels = [f"{number}={name}" for number, name in self.world.labels.items()]
        self.send_image("segmentation", "mono8", first, seen, seen.segmentation, labels=labels)
        seen = self.world.look(second, second_side, everything=False)
        self.send_image("wrist_image", "rgb8", "wrist", seen, seen.rgb)

    def send_image(
        self, output: str, encoding: str, camera: str, seen: Picture, pixels: np.ndarray, **more
    ) -> None:
        height, width = pixels.shape[:2]
        header = {
            "seq": self.pictures,
            "stamp_ns": self.time_ns,
            "frame_id": camera,
            "width": width,
            "height": height,
            "encoding": encoding,
            "focal": seen.focal,
            "resolution": seen.principal_point,
            "world_from_camera": seen.base_from_camera,
        }
        self.outbox.node.send_output(output, pa.array(pixels.ravel()), header | more)

    def take(self, event: dict) -> None:
        """Takes an input; ticks only wake the loop."""
        name = event["id"]
        try:
            if name == "arm_command":
                self.take_command(decode("ArmCommand", event["value"]))
            elif name == "stage":
                stage = decode("StageCommand", event["value"])
                if stage["episode"] == self.last_id:
                    self.has_program = True
                    over = stage["finished"] or stage["gave_up"]
                    since = self.time_ns if self.program_ended_ns is None else self.program_ended_ns
                    self.program_ended_ns = since if over else None
            elif name == "execution_state":
                self.is_paused = decode("ExecutionState", event["value"])["mode"] == "paused"
            elif name == "proposal":
                proposal = decode("Proposal", event["value"])
                if proposal["episode"] == self.last_id:
                    self.is_awaited = proposal["state"] == "proposed"
            elif name == "episode":
                said = decode("Episode", event["value"])["instruction"]
                self.outbox.tell(
                    "warning",
                    "episode_refused",
                    f"`{said}` is not taken: {self.refusal}",
                )
        except ValueError as error:
            self.refused += 1
            self.outbox.tell(
                "warning", "message_refused", f"{name}: {error} ({self.refused} refused so far)"
            )

    def take_command(self, command: dict) -> None:
        stamp_ns = command["stamp_ns"]
        if stamp_ns != self.time_ns:
            if abs(stamp_ns - self.time_ns) <= LATE_NS:
                return
            raise ValueError(
                f"ArmCommand.stamp_ns: expected the state's, {self.time_ns} ns, found {stamp_ns} ns"
            )
        rows = np.array(command["q_rad"], float)
        expected = COMMAND_NS // 1_000_000 * 7
        if rows.size != expected or not np.isfinite(rows).all():
            raise ValueError(f"ArmCommand.q_rad: expected {expected} numbers, found {rows.size}")
        if not np.isfinite(command["gripper_width_m"]):
            raise ValueError("ArmCommand.gripper_width_m: expected a number")
        self.answer = (rows.reshape(-1, 7), command["gripper_width_m"])

    def go_on(self) -> str | None:
        """Runs the pending command if its time has come; why the episode is over, if it is."""
        now_s = time.monotonic()
        if self.answer is None:
            self.ask_again(now_s)
            return None
        if self.pacer.time_left_s(self.time_ns, now_s) > 0.0:
            return None
        self.waiting_since_s = now_s
        if self.waiting_told:
            self.waiting_told = False
            self.outbox.tell("info", "waiting_over", "arm_command: it goes on")
        (setpoints, width_m), self.answer = self.answer, None
        self.world.run(setpoints, width_m)
        if self.is_paused or (self.is_awaited and not self.has_program):
            # An operator has the arm rest, or is still to approve what it is to do first: that is no time of the episode.
            self.paused_ns += COMMAND_NS
        over = None if self.is_over else self.over()
        self.report(over)
        if over is None:
            self.publish()
        return over

    def ask_again(self, now_s: float) -> None:
        if now_s - self.waiting_since_s >= ACTUATOR_LIMIT_S and not self.waiting_told:
            self.waiting_told = True
            text = "waiting for arm_command: the actuator does not answer"
            self.outbox.tell("warning", "waiting", text)
        if now_s - self.asked_s < ANSWER_LIMIT_S:
            return
        # Nobody may have seen the first images either: the others start with the actuator.
        if self.world.time_ns == 0:
            self.publish()
        else:
            self.send_state()

    def over(self) -> str | None:
        """Why the episode is over now, for people; None while it goes on."""
        if self.world.success:
            return "the task is achieved"
        if self.world.achieved:
            # It may still have to hold for a while.
            return None
        ended_ns = self.program_ended_ns
        if ended_ns is not None and self.time_ns >= ended_ns + GRACE_NS:
            return "the reward program has ended, but the task is not achieved"
        if self.world.time_ns - self.paused_ns >= self.settings.episode_ns:
            return "the time is up"
        return None

    def report(self, over: str | None) -> None:
        """The verdict, when it changes and when the episode ends."""
        success = self.world.success
        if over is None and self.told == success:
            return
        self.told = success
        tasks = [self.world.task_id]
        self.outbox.send(
            "task_status",
            "TaskStatus",
            stamp_ns=self.time_ns,
            episode=self.last_id,
            tasks=tasks,
            success=success,
            completed=tasks if success else [],
            collateral=[],
            episode_over=over is not None,
            reason=over or "",
        )

    def finish(self, over: str) -> None:
        """What remains of an episode: a line in the log and, if wanted, its actions."""
        self.time_end_ns = self.time_ns
        print(f"{self.world.task_id} seed {self.seed}: {over}", flush=True)
        if self.settings.record is None:
            return
        entry = {
            "id": str(self.last_id),
            "seed": self.seed,
            "success": self.world.success,
        }
        entry |= self.entry()
        with open_to_append(self.settings.record) as file:
            file.write(json.dumps(entry) + "\n")

    def is_out_of_time(self) -> bool:
        limit_s = self.settings.wall_limit_s
        return limit_s is not None and time.monotonic() - self.started_s >= limit_s

    def run(self, events) -> None:
        """Runs episodes until the last is over; `events` is dora's node, or something like it."""
        self.begin()
        while True:
            event = events.next(timeout=self.patience_s())
            kind = "END" if event is None else event["type"]
            if kind == "INPUT":
                self.take(event)
            elif kind == "INPUT_CLOSED" and event["id"] == "arm_command":
                print("arm_command has ended", flush=True)
                return
            elif kind in ("STOP", "ALL_INPUTS_CLOSED", "END"):
                return
            if self.is_out_of_time():
                self.report("the wall clock's limit is reached")
                self.finish("the wall clock's limit is reached")
                return
            over = self.go_on()
            if over is not None:
                self.finish(over)
                if self.is_last:
                    return
                if self.settings.episodes is None:
                    self.is_over = True
                    self.outbox.tell("info", "ready", "the episode is over; the scene stays")
                    self.publish()
                else:
                    self.begin()
            self.outbox.repeat_latched()

    def patience_s(self) -> float:
        """How long nothing but an input can happen."""
        now_s = time.monotonic()
        if self.answer is not None:
            return max(0.001, self.pacer.time_left_s(self.time_ns, now_s))
        return max(0.001, self.asked_s + ANSWER_LIMIT_S - now_s)


def serve(kind: type[Loop], settings: type, open_world: Callable[..., World]) -> int:
    """Runs a bridge as a node of the dataflow: `settings` are read, the world that they choose is opened, and
    `kind` is its loop. Gives the exit code."""
    drop_keys()
    try:
        chosen = settings.read()
        # Before dora waits for it: it takes seconds.
        world = open_world(chosen)
    except Refused as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 2
    import dora

    node = dora.Node()
    try:
        kind(chosen, world, Outbox(node, "world")).run(node)
    finally:
        world.close()
    return 0
