"""Settings of the node, from variables; every mistake is reported together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tiller_bridge.settings import Reader

from .official import MAX_STEPS, STEP_S, SUITES


@dataclass(frozen=True)
class Settings:
    suite: str
    task: int
    # The first episode's initial state; each further one takes the next.
    first_state: int
    # Of the first episode; each further one takes the next.
    seed: int
    # None waits for the dataflow to be stopped after the first.
    episodes: int | None
    episode_ns: int
    # None sets no limit.
    wall_limit_s: float | None
    speed: float
    image_side: int
    # Where the actions of each episode are appended for the referee.
    record: Path | None

    @staticmethod
    def read(variables: Mapping[str, str] = os.environ) -> "Settings":
        """Raises Refused with every setting that cannot be used, a line each."""
        reader = Reader(variables)
        number = reader.number
        suite = reader.text("SUITE", SUITES[0])
        if suite not in SUITES:
            reader.problems.append(f"SUITE: expected one of {', '.join(SUITES)}, found `{suite}`")
        settings = Settings(
            suite=suite,
            task=number("TASK", 0, 0, 9),
            first_state=number("FIRST_STATE", 0, 0, 49),
            seed=number("SEED", 0, 0, 2**32 - 1),
            episodes=number("EPISODES", 1, 0, 50) or None,
            episode_ns=round(number("EPISODE_S", MAX_STEPS * STEP_S, 1.0, 3600.0) * 1e9),
            wall_limit_s=number("WALL_LIMIT_S", 0.0, 0.0, 1e6) or None,
            speed=number("SPEED", 1.0, 0.01, 100.0),
            image_side=number("IMAGE_SIDE", 256, 32, 480),
            record=reader.path("RECORD"),
        )
        if settings.first_state + (settings.episodes or 1) > 50:
            reader.problems.append(
                f"FIRST_STATE and EPISODES: expected states 0 to 49, found up to"
                f" {settings.first_state + (settings.episodes or 1) - 1}"
            )
        reader.finish()
        return settings
