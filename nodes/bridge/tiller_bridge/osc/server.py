"""The controller's side of the connection: one driver at a time, in the controller's own time."""

import collections
import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from .lines import Gone, Lines
from .wire import Fault, Hello, Malformed, State, Step, check_version, refusal

# Where the controller is found unless something else is said.
PORT = 4650
# How long a driver may take to say who it is.
GREETING_S = 2.0
# How long a step is waited for once one has come, or a period where that is longer: below every
# driver's patience.
WAIT_S = 0.1
# The shortest wait for a step, and between two looks at a clock that stands still.
LOOK_S = 0.002
# Between two looks at whether it is over while nobody drives.
IDLE_S = 0.05
# States of which it is known when they were said; more than fit into the wait at 1000 Hz.
REMEMBERED = 256


class Controller(Protocol):
    """An arm with a controller that takes steps of the tool.

    Either `step` or `stop` is called once a period, always from the same thread: an arm that keeps time by
    itself returns at once, a simulated one goes on by a period. A step is a goal from where the tool is now,
    in the arm's base frame. What any of them raises ends the service, with the arm stopped.
    """

    # How often it takes a step, Hz: 2 to 1000.
    rate_hz: float
    # Its largest step, m (to 0.5), and its largest turn, rad (to 3).
    most_m: float
    most_rad: float
    # The least and the largest opening between its fingers, m.
    gripper_m: Sequence[float]

    def state(self) -> State:
        """What is measured now."""

    def step(
        self,
        translation_m: tuple[float, ...],
        rotation_rad: tuple[float, ...],
        gripper_width_m: float,
    ) -> None:
        """Moves the tool by [3] m and turns it by [3] rad (axis times angle), and the fingers to a width."""

    def stop(self) -> None:
        """Stays where it is: a step of zeros. It is the word of every period without a step, and the last one
        when a driver goes; until the next one comes nothing is called."""


def say(text: str) -> None:
    print(f"osc: {text}", file=sys.stderr, flush=True)


class Server:
    """Serves a controller to one driver after the other; the next one waits until this one has gone.

    `is_paced` keeps real time; else the controller goes on as soon as a step has come, which suits a
    simulation in a hurry. Raises Malformed for a controller that cannot be led, and OSError where the port
    cannot be had.
    """

    def __init__(
        self,
        controller: Controller,
        host: str = "127.0.0.1",
        port: int = PORT,
        is_paced: bool = True,
        tell: Callable[[str], None] = say,
    ):
        self.controller, self.is_paced, self.tell = controller, is_paced, tell
        self.hello = Hello(
            controller.rate_hz, controller.most_m, controller.most_rad, controller.gripper_m
        )
        self.period_s = 1.0 / self.hello.rate_hz
        self.patience_s = max(WAIT_S, self.period_s)
        self.ending = threading.Event()
        self.listener = socket.create_server((host, port), backlog=1)

    @property
    def address(self) -> str:
        """What a driver connects to."""
        host, port = self.listener.getsockname()[:2]
        return f"{host}:{port}"

    def end(self) -> None:
        """Ends `run`, from any thread; the arm is stopped."""
        self.ending.set()

    def run(self) -> None:
        """Serves until `end`, or until the controller raises something."""
        with self.listener:
            self.listener.settimeout(IDLE_S)
            while not self.ending.is_set():
                try:
                    connection, peer = self.listener.accept()
                except (TimeoutError, ConnectionAbortedError):
                    continue
                with connection:
                    self.tell(f"a driver has come from {peer[0]}")
                    self.tell(f"the arm is stopped: {self._serve(connection)}")

    def _serve(self, connection: socket.socket) -> str:
        """A driver from its first word to its last; why it was the last."""
        lines, refused = None, False
        try:
            lines = Lines(connection)
            self._greet(lines)
            self._lead(lines)
            why = "the service ends"
        except Malformed as error:
            why, refused = str(error), True
        except Gone as error:
            why = str(error)
        finally:
            self.controller.stop()
        if refused:
            lines.refuse(refusal(why))
        return why

    def _greet(self, lines: Lines) -> None:
        lines.say(self.hello.line())
        line = lines.hear(time.monotonic() + GREETING_S)
        if line is None:
            raise Gone("the driver does not say who it is")
        check_version(line)

    def _lead(self, lines: Lines) -> None:
        """States and steps, a period each."""
        answers = Answers(self.patience_s)
        due_s, clock_ns, is_led = time.monotonic(), -1, False
        while not self.ending.is_set():
            state = self._measured(lines, clock_ns)
            clock_ns = state.clock_ns
            lines.say(state.line(answers.said()))
            now_s = time.monotonic()
            due_s = max(due_s + self.period_s, now_s)
            can_move = state.fault is Fault.NONE
            if is_led and can_move:
                until_s = now_s + self.patience_s
            else:
                until_s = max(due_s if self.is_paced else now_s, now_s + LOOK_S)
            step = self._heard(lines, answers, until_s)
            if is_led and can_move and step is None:
                self.tell("the arm is stopped: steps do not come")
            is_led = can_move and step is not None
            if is_led:
                self.controller.step(step.translation_m, step.rotation_rad, step.gripper_width_m)
            else:
                self.controller.stop()
            if self.is_paced:
                lines.rest(due_s)

    def _measured(self, lines: Lines, after_ns: int) -> State:
        """A state that is newer than the last one."""
        until_s = time.monotonic() + self.patience_s
        while True:
            try:
                state = self.controller.state()
            except Malformed as error:
                # Not the driver's mistake.
                raise RuntimeError(f"the controller's state: {error}") from error
            if state.clock_ns > after_ns:
                return state
            now_s = time.monotonic()
            if now_s >= until_s:
                raise Gone(f"the controller's clock stands still at {state.clock_ns} ns")
            lines.rest(now_s + LOOK_S)

    def _heard(self, lines: Lines, answers: "Answers", until_s: float) -> Step | None:
        """The newest step of those that have come, waiting for one until then."""
        newest = None
        while newest is None or lines.has_line:
            line = lines.hear(until_s)
            if line is None:
                break
            step = Step.read(line, self.hello)
            newest = step if answers.is_answer(step.seq) else newest
        return newest


class Answers:
    """Which states were said when: each is answered once, and not long after it was said."""

    def __init__(self, patience_s: float):
        self.patience_s = patience_s
        self.newest = self.answered = 0
        # When the newest of them were said, the last one last.
        self.said_s: collections.deque[float] = collections.deque(maxlen=REMEMBERED)

    def said(self) -> int:
        """A state is said now: its number."""
        self.newest += 1
        self.said_s.append(time.monotonic())
        return self.newest

    def is_answer(self, seq: int) -> bool:
        """Whether a step to this state may be taken.

        Raises Malformed for a state that there has not been.
        """
        if not 1 <= seq <= self.newest:
            raise Malformed(f"a step with a seq from 1 to {self.newest}", f"{seq}")
        back = self.newest - seq
        if seq <= self.answered or back >= len(self.said_s):
            return False
        self.answered = seq
        # A controller that is slower than it says has long said the next one.
        return back <= 1 or time.monotonic() - self.said_s[-1 - back] <= self.patience_s


def serve(
    controller: Controller, host: str = "127.0.0.1", port: int = PORT, is_paced: bool = True
) -> None:
    """Serves a controller until the program is interrupted or ended; see `Server`."""
    with _ended_by_exception():
        server = Server(controller, host, port, is_paced)
        say(f"a controller of {server.hello.rate_hz:g} Hz is served at {server.address}")
        server.run()


@contextlib.contextmanager
def _ended_by_exception() -> Iterator[None]:
    """A request to end the process unwinds it, so that the arm is stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
