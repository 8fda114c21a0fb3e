"""The official LIBERO environment as a node of the dataflow, with the ports of the node `simulator`.

    python -m tiller_libero.node

Started by dora; README.md names ports and settings.
"""

import sys

from tiller_bridge.loop import Loop, serve

from .lockstep import Lockstep
from .settings import Settings


class Node(Loop):
    """The loop on a task of a suite; each episode takes the next initial state."""

    cameras = ("agentview", "robot0_eye_in_hand")
    refusal = "a scene of the benchmark has one task; SUITE and TASK choose it at the start"

    @property
    def image_sides(self) -> tuple[int, int]:
        return self.settings.image_side, self.settings.image_side

    def begin_world(self) -> None:
        self.state = self.settings.first_state + self.begun
        self.world.begin(self.seed, self.state)

    def entry(self) -> dict:
        official = self.world.official
        return {
            "suite": official.suite.name,
            "task": official.task,
            "init_state": self.state,
            "actions": self.world.actions,
        }


def open_world(settings: Settings) -> Lockstep:
    """The settings' task."""
    return Lockstep(settings.suite, settings.task)


def main() -> int:
    return serve(Node, Settings, open_world)


if __name__ == "__main__":
    sys.exit(main())
