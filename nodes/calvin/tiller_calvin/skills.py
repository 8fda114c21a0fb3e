"""What is right in a state of the scene: a hand that pushes, and one that lifts a block.

Both follow from what stands where at the moment, so that a hand that erred is led back by itself. Fixtures
are pushed with closed fingers, which close beside them; blocks are taken with fingers that stay open
until they have the block between them. All positions are in the frame of the robot's base.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from .official import CLOSED, OPEN

# From the tool point to the middle of the pads at the fingertips, along the hand.
TOOL_TO_TIP_M = 0.0366
# Between the fingers of a hand that is open, and of one that is closed.
OPEN_WIDTH_M, CLOSED_WIDTH_M = 0.06, 0.01
# Longest step in free space, and in the last part of a way.
SPEED_M, LAST_SPEED_M = 0.025, 0.018
UP = np.array([0.0, 0.0, 1.0])
# Up along the table's back, on which the switch moves.
ALONG_BACK = np.array([0.0, 0.5, np.sqrt(0.75)])
# The hand points straight down, fingers apart along the base's x, as at home.
DOWN = Rotation.from_matrix([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])


def hand(tilt_rad: float, turn_rad: float = 0.0) -> Rotation:
    """A hand whose fingertips are tilted forwards from straight down, then turned about the vertical.

    It tilts about the line from finger to finger, which stays level: forwards is the base's y unturned.
    """
    return Rotation.from_rotvec(turn_rad * UP) * Rotation.from_rotvec([tilt_rad, 0.0, 0.0]) * DOWN


@dataclass
class Want:
    """Where the fingertips are to be, and how they get there."""

    tip_m: np.ndarray
    hand: Rotation
    gripper: int
    speed_m: float = SPEED_M
    # Scale of the noise that this part of the way bears.
    noise: float = 1.0


@dataclass
class View:
    """The true state of what a skill needs."""

    # Of the fingertips, and the hand's orientation, measured.
    tip_m: np.ndarray
    hand: Rotation
    width_m: float
    # Of the handle or block, and of the other blocks.
    thing_m: np.ndarray
    # Rotation of the block about the vertical.
    yaw_rad: float
    others_m: list[np.ndarray]
    # The lower end of the slide's handle, under which fingers do not fit.
    handle_end_m: np.ndarray


@dataclass
class Push:
    """Beside the thing with closed fingers, then on against it."""

    # Where the fingertips stand ready, from the thing's middle.
    beside_m: np.ndarray
    # Unit vectors: the way of the thing, and that from which the hand comes in.
    way: np.ndarray
    entry: np.ndarray
    hand: Rotation
    # How far along `entry` the hand waits before it comes in.
    hover_m: float = 0.08
    # How far off its line a hand may push, m.
    straight_m: float = 0.02

    # As near as that it is in.
    IN_M = 0.02
    # Fingers are closed so near to the way in.
    CLOSE_WITHIN_M = 0.08
    # As far along the way it is past the thing's near side.
    PAST_M = 0.035

    def right(self, view: View) -> Want:
        """What is right now."""
        ready = view.thing_m + self.beside_m
        off = view.tip_m - ready
        height = float(off @ self.entry)
        aside = off - height * self.entry
        across = aside - (aside @ self.way) * self.way
        along = float(off @ self.way) if abs(self.way @ self.entry) < 0.9 else 0.0
        is_in, is_closed = height < self.IN_M, view.width_m < CLOSED_WIDTH_M
        from_way = off - np.clip(height, 0.0, self.hover_m) * self.entry
        gripper = CLOSED if np.linalg.norm(from_way) < self.CLOSE_WITHIN_M else OPEN
        want = Want(ready, self.hand, gripper)
        is_before = -self.PAST_M < along < self.PAST_M
        if is_in and is_closed and is_before and np.linalg.norm(across) < self.straight_m:
            want.tip_m = ready + self.way * (float(off @ self.way) + 0.04)
            want.speed_m, want.noise = LAST_SPEED_M, 0.2
        elif np.linalg.norm(aside) < self.straight_m and is_closed and self._is_turned(view):
            want.tip_m, want.speed_m, want.noise = ready, LAST_SPEED_M, 0.3
        elif height < self.hover_m - 0.03 and np.linalg.norm(aside) < 0.12:
            # Out first, for the thing is in the way.
            want.tip_m = view.tip_m + self.entry * (self.hover_m - height)
            want.noise = 0.3
        else:
            want.tip_m = ready + self.entry * self.hover_m
            want.noise = 1.0 if np.linalg.norm(aside) > 0.05 else 0.5
        return want

    def _is_turned(self, view: View) -> bool:
        return (self.hand * view.hand.inv()).magnitude() < 0.25


@dataclass
class Lift:
    """Over the block with open fingers, down, closed, up."""

    # Between the sides that the fingers may take: across the block's x, and across its y.
    widths_m: tuple[float, float]
    # Of the place that is taken, along the block's x, from its middle.
    along_m: float = 0.0
    hover_m: float = 0.075

    # The block's middle lies so near to the fingertips when they have it.
    HELD_WITHIN_M = 0.03
    NEAR_M = 0.012
    # Aside by less than this the hand may come in.
    STRAIGHT_M = 0.012
    # Wider than this the hand cannot open.
    WIDEST_M = 0.065
    # Far enough that far blocks are within reach, and that the hand fits before the slide's handle.
    TILT_RAD = 0.5

    def right(self, view: View) -> Want:
        """What is right now."""
        turn, width = self._turn(view)
        along = np.array([np.cos(view.yaw_rad), np.sin(view.yaw_rad), 0.0]) * self.along_m
        spot = view.thing_m + along
        wanted = hand(self.TILT_RAD * np.cos(turn - usual_turn(view.thing_m)), turn)
        # It comes in as it points.
        entry = -wanted.apply(UP)
        off = view.tip_m - spot
        height = float(off @ entry)
        aside = float(np.linalg.norm(off - height * entry))
        want = Want(spot + entry * self.hover_m, wanted, OPEN)
        is_near = aside < self.NEAR_M and abs(height) < self.NEAR_M
        is_between = np.linalg.norm(off) < self.HELD_WITHIN_M
        is_turned = (wanted * view.hand.inv()).magnitude() < 0.15
        if is_between and view.width_m < width + 0.006:
            # Held: out with it as it is.
            want = Want(view.tip_m + entry * 0.06, view.hand, CLOSED, LAST_SPEED_M, 0.1)
        elif is_near and is_turned or is_between and view.width_m < OPEN_WIDTH_M + 0.01:
            want = Want(view.tip_m, view.hand, CLOSED, LAST_SPEED_M, 0.0)
        elif view.width_m < OPEN_WIDTH_M:
            # Closed fingers come down on nothing.
            if height < self.hover_m - 0.03:
                want.tip_m = view.tip_m + entry * (self.hover_m - height)
            want.noise = 0.3
        elif aside < self.STRAIGHT_M and is_turned:
            want.tip_m = spot
            want.speed_m, want.noise = (LAST_SPEED_M, 0.15) if height < 0.04 else (SPEED_M, 0.4)
        elif aside < 0.06 and height < self.hover_m - 0.03:
            # Low and beside it: out again before it comes over.
            want.tip_m = view.tip_m + entry * (self.hover_m - height)
            want.noise = 0.3
        else:
            want.noise = 1.0 if aside > 0.04 else 0.5
        return want

    def _turn(self, view: View) -> tuple[float, float]:
        """How the hand turns to take the block, the least turn that is free, and what lies between."""
        usual = usual_turn(view.thing_m)
        now = turn_of(view.hand)
        best = None
        for quarter, width in enumerate(self.widths_m):
            if width > self.WIDEST_M:
                continue
            turn = view.yaw_rad + quarter * np.pi / 2
            turn = usual + (turn - usual + np.pi / 2) % np.pi - np.pi / 2
            axis = np.array([np.cos(turn), np.sin(turn), 0.0])
            fingers = [view.thing_m + side * (width / 2 + 0.02) * axis for side in (-1, 1)]
            blocked = sum(np.linalg.norm(f - o) < 0.045 for f in fingers for o in view.others_m)
            thick = -0.045 * hand(self.TILT_RAD, turn).apply(UP)
            blocked += sum(np.linalg.norm(f + thick - view.handle_end_m) < 0.05 for f in fingers)
            cost = abs(turn - usual) + 0.3 * abs(turn - now) + 1.5 * blocked
            if best is None or cost < best[0]:
                best = (cost, turn, width)
        return best[1], best[2]


def usual_turn(place_m: np.ndarray) -> float:
    """The turn in whose middle a hand at a place is free to turn: clockwise far from the base."""
    return float(np.clip(-1.8 * (place_m[0] - 0.38), -0.6, 0.2))


def turn_of(hand_now: Rotation) -> float:
    """The turn about the vertical of a hand that is tilted little."""
    across = hand_now.as_matrix()[:, 1]
    return float(np.arctan2(across[1], across[0]))
