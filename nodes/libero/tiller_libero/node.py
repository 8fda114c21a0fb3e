"""The official LIBERO environment as a node of the dataflow, with the ports of the node `simulator`.

    python -m tiller_libero.node

Started by dora; README.md names ports and settings.
"""

import sys

from tiller_bridge.loop import Loop
from tiller_bridge.messages import Outbox
from tiller_bridge.system import drop_keys

from .lockstep import Lockstep
from .official import Refused
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


def main() -> int:
    drop_keys()
    try:
        settings = Settings.read()
        # Before dora waits for it: it takes seconds.
        world = Lockstep(settings.suite, settings.task)
    except Refused as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 2
    import dora

    node = dora.Node()
    try:
        Node(settings, world, Outbox(node, "simulator")).run(node)
    finally:
        world.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
