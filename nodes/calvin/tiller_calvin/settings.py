"""Settings of the node, from variables; every mistake is reported together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tiller_bridge.settings import Reader, Refused

from .official import SCENES, Start


@dataclass(frozen=True)
class Settings:
    # None takes the checkout that the environment was installed with.
    checkout: Path | None
    scene: str
    # The oracle's name.
    task: str
    # Empty says the task's name in words.
    instruction: str
    # Of the first episode; each further one takes the next.
    seed: int
    # None waits for the dataflow to be stopped after the first.
    episodes: int | None
    episode_ns: int
    # None sets no limit.
    wall_limit_s: float | None
    speed: float
    image_side: int
    wrist_side: int
    # Where the actions of each episode are appended.
    record: Path | None

    @staticmethod
    def read(variables: Mapping[str, str] = os.environ) -> "Settings":
        """Raises Refused with every setting that cannot be used, a line each."""
        reader = Reader(variables)
        text, number = reader.text, reader.number
        settings = Settings(
            checkout=reader.path("CALVIN_CHECKOUT"),
            scene=text("SCENE", "D"),
            task=text("TASK", "open_drawer"),
            instruction=text("INSTRUCTION"),
            seed=number("SEED", 0, 0, 2**32 - 1),
            episodes=number("EPISODES", 1, 0, 1000) or None,
            episode_ns=round(number("EPISODE_S", 12.0, 1.0, 3600.0) * 1e9),
            wall_limit_s=number("WALL_LIMIT_S", 0.0, 0.0, 1e6) or None,
            speed=number("SPEED", 1.0, 0.01, 100.0),
            image_side=number("IMAGE_SIDE", 200, 32, 800),
            wrist_side=number("WRIST_SIDE", 84, 32, 800),
            record=reader.path("RECORD"),
        )
        if settings.scene not in SCENES:
            reader.problems.append(f"SCENE: expected one of {', '.join(SCENES)}, found `{settings.scene}`")
        try:
            Start.of(settings.task)
        except Refused as error:
            reader.problems.append(f"TASK: {error}")
        reader.finish()
        return settings
