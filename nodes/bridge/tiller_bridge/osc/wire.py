"""What driver and controller say to each other: a line of JSON each, version 1 of the protocol."""

import json
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

VERSION = 1
# The longest line, bytes, with its end.
MAX_LINE = 4096
JOINTS = 7
MOST_U64 = 2**64 - 1
# How far from 1 the length of an orientation may be.
UNIT = 1e-3
# What a last bit may add to a step that was shortened to the largest one.
ROUNDING = 1e-9
# How much of what means nothing is shown, characters.
SHOWN = 120


class Malformed(ValueError):
    """Something that was said means nothing in this protocol; the text says what was expected and found."""

    def __init__(self, expected: str, found: object):
        shown = found if isinstance(found, str) else repr(found)
        # Of what others said nothing reaches a terminal but plain characters.
        shown = ascii(shown)[1:-1]
        shown = shown if len(shown) <= SHOWN else shown[:SHOWN] + ".."
        super().__init__(f"expected {expected}, found {shown}")


class Fault(StrEnum):
    """Why an arm would not move."""

    NONE = "none"
    # It has stopped by itself.
    REFLEX = "reflex"
    # Somebody pressed its stop.
    USER_STOP = "user_stop"
    NOT_READY = "not_ready"


def number(name: str, value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number within bounds.

    Raises Malformed.
    """
    try:
        # `float` would read text and truth values too.
        if isinstance(value, str | bytes | bool):
            raise TypeError
        found = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Malformed(f"a number as {name}", value) from error
    if not math.isfinite(found):
        raise Malformed(f"a finite number as {name}", value)
    if not low <= found <= high:
        raise Malformed(f"{low} to {high} as {name}", value)
    return found


def numbers(name: str, values: object, count: int) -> tuple[float, ...]:
    """So many finite numbers; an array of NumPy is a sequence too.

    Raises Malformed.
    """
    try:
        if isinstance(values, str | bytes | dict):
            raise TypeError
        found = list(values)
    except TypeError as error:
        raise Malformed(f"{count} numbers as {name}", values) from error
    if len(found) != count:
        raise Malformed(f"{count} numbers as {name}", f"{len(found)}")
    return tuple(number(f"{name}[{index}]", value) for index, value in enumerate(found))


def whole(name: str, value: object) -> int:
    """A whole number of 64 bits without a sign.

    Raises Malformed.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        found = operator.index(value)
    except TypeError as error:
        raise Malformed(f"a whole number as {name}", value) from error
    if not 0 <= found <= MOST_U64:
        raise Malformed(f"0 to {MOST_U64} as {name}", value)
    return found


@dataclass(frozen=True)
class Hello:
    """Who the controller is. Raises Malformed where it is none that can be led."""

    # How often it takes a step, and says its state, Hz.
    rate_hz: float
    # Its largest step, m and rad.
    most_m: float
    most_rad: float
    # The least and the largest opening between its fingers, m.
    gripper_m: Sequence[float]

    def __post_init__(self):
        keep = object.__setattr__
        keep(self, "rate_hz", number("rate_hz", self.rate_hz, 2.0, 1000.0))
        keep(self, "most_m", number("most_m", self.most_m, 1e-4, 0.5))
        keep(self, "most_rad", number("most_rad", self.most_rad, 1e-3, 3.0))
        least_m, largest_m = numbers("gripper_m", self.gripper_m, 2)
        number("gripper_m[0]", least_m, 0.0, 0.5)
        number("gripper_m[1]", largest_m, least_m, 0.5)
        keep(self, "gripper_m", (least_m, largest_m))

    def line(self) -> bytes:
        """The line that says it. Only an arm with seven measured joints is served."""
        return encode(
            "hello",
            {
                "version": VERSION,
                "rate_hz": self.rate_hz,
                "most_m": self.most_m,
                "most_rad": self.most_rad,
                "joints": True,
                "gripper_m": self.gripper_m,
            },
        )


@dataclass(frozen=True)
class State:
    """What the controller measures. Raises Malformed for numbers that are none.

    The tool is the point that is controlled, in the arm's base frame; it need not be Tiller's.
    """

    # When it was measured, by the robot's clock, ns: rising.
    clock_ns: int
    # [7] each.
    q_rad: Sequence[float]
    dq_rad_s: Sequence[float]
    # [3]
    tool_position_m: Sequence[float]
    # [4], of unit length.
    tool_quaternion_wxyz: Sequence[float]
    # Opening between the fingers.
    gripper_width_m: float
    fault: Fault = Fault.NONE

    def __post_init__(self):
        keep = object.__setattr__
        keep(self, "clock_ns", whole("clock_ns", self.clock_ns))
        for name, count in (
            ("q_rad", JOINTS),
            ("dq_rad_s", JOINTS),
            ("tool_position_m", 3),
            ("tool_quaternion_wxyz", 4),
        ):
            keep(self, name, numbers(name, getattr(self, name), count))
        length = math.hypot(*self.tool_quaternion_wxyz)
        if abs(length - 1.0) > UNIT:
            raise Malformed("a tool_quaternion_wxyz of unit length", f"one of {length}")
        keep(self, "gripper_width_m", number("gripper_width_m", self.gripper_width_m))
        try:
            keep(self, "fault", Fault(self.fault))
        except ValueError as error:
            raise Malformed(f"one of {', '.join(Fault)} as fault", self.fault) from error

    def line(self, seq: int) -> bytes:
        """The line that says it, under this number."""
        said = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return encode("state", {"seq": seq} | said)


@dataclass(frozen=True)
class Step:
    """A step of the tool from where it is, in the base frame."""

    # Number of the state that it answers.
    seq: int
    # [3]
    translation_m: tuple[float, ...]
    # [3], axis times angle.
    rotation_rad: tuple[float, ...]
    # Opening between the fingers to move to.
    gripper_width_m: float

    @staticmethod
    def read(line: bytes, hello: Hello) -> "Step":
        """The step that a driver says to this controller.

        Raises Malformed for all else, and for one that is longer than the controller's largest.
        """
        said = decode(line, "step")
        wanted = ("seq", "translation_m", "rotation_rad", "gripper_width_m")
        missing = [name for name in wanted if name not in said]
        if missing:
            raise Malformed(f"{', '.join(missing)} in a step", "nothing")
        step = Step(
            whole("seq", said["seq"]),
            numbers("translation_m", said["translation_m"], 3),
            numbers("rotation_rad", said["rotation_rad"], 3),
            number("gripper_width_m", said["gripper_width_m"]),
        )
        for name, way, most in (
            ("translation_m", step.translation_m, hello.most_m),
            ("rotation_rad", step.rotation_rad, hello.most_rad),
        ):
            length = math.hypot(*way)
            if length > most * (1.0 + ROUNDING):
                raise Malformed(f"a {name} no longer than {most}", f"{length}")
        least_m, largest_m = hello.gripper_m
        number("gripper_width_m", step.gripper_width_m, least_m - ROUNDING, largest_m + ROUNDING)
        return step


def check_version(line: bytes) -> None:
    """Raises Malformed where a driver's first line is no hello of this version."""
    version = decode(line, "hello").get("version")
    if isinstance(version, bool) or version != VERSION:
        raise Malformed(f"a driver that speaks version {VERSION}", f"version {version!r}")


def refusal(why: str) -> bytes:
    """The last line of a connection that is ended for what the driver said."""
    return encode("refused", why)


def encode(kind: str, said: object) -> bytes:
    """A line with its end."""
    return json.dumps({kind: said}, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes, kind: str) -> dict:
    """The fields of a line of this kind.

    Raises Malformed.
    """
    expected = f"a {kind}"
    text = line.decode("utf-8", "backslashreplace")
    try:
        # Python's reader knows numbers that JSON does not, and gives up on what is nested too deep.
        said = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Malformed(expected, text) from error
    if not isinstance(said, dict) or list(said) != [kind] or not isinstance(said[kind], dict):
        raise Malformed(expected, text)
    return said[kind]


def _refuse(constant: str) -> float:
    raise ValueError(constant)
