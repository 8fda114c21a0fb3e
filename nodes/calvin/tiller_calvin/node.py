"""CALVIN's environment as a node of the dataflow, with the ports of the node `simulator`.

    python -m tiller_calvin.node

Started by dora; README.md names ports and settings.
"""

import sys

from tiller_bridge.loop import Loop, serve

from .lockstep import Lockstep
from .official import Official, Refused
from .settings import Settings


class Node(Loop):
    """The loop on one of the oracle's tasks; each episode draws the scene from the next seed."""

    cameras = ("static", "gripper")
    refusal = "the oracle judges one task; TASK and INSTRUCTION choose it at the start"

    @property
    def image_sides(self) -> tuple[int, int]:
        return self.settings.image_side, self.settings.wrist_side

    def begin_world(self) -> None:
        self.world.begin(self.seed)

    def entry(self) -> dict:
        return {
            "scene": self.settings.scene,
            "task": self.world.task_id,
            "actions": self.world.actions,
        }


def open_world(settings: Settings) -> Lockstep:
    """The settings' scene and task; raises Refused where there is none."""
    official = Official(settings.scene, settings.checkout)
    if settings.task not in official.task_names:
        official.close()
        raise Refused(
            f"TASK: expected one of {', '.join(official.task_names)}, found `{settings.task}`"
        )
    return Lockstep(official, settings.task, settings.instruction)


def main() -> int:
    return serve(Node, Settings, open_world)


if __name__ == "__main__":
    sys.exit(main())
