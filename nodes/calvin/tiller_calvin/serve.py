"""CALVIN's environment as a child process, which answers its parent's commands.

    python -m tiller_calvin.serve [SCENE]

Standard input and output carry lines of JSON: a greeting, then one answer to each command. An answer is
`{"ok": {..}}`, `{"refused": WHY}` or, where something broke, `{"failed": WHAT}`; the numbers of bytes in `raw` follow
a look's answer, one picture after the other. Everything else that is printed goes to the standard error. The
process ends when its input does. README.md names the commands.
"""

import json
import os
import sys
import traceback
from typing import BinaryIO

VERSION = 1


def main() -> int:
    # Libraries, compiled ones too, print as they like: the parent's pipe gets a number of its own.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    from .official import Official, Refused

    scene = sys.argv[1] if len(sys.argv) > 1 else "D"
    try:
        official = Official(scene)
    except Refused as error:
        send(answers, {"refused": str(error)})
        return 1
    server = Server(official)
    send(answers, {"ok": server.greeting()})
    server.serve(sys.stdin.buffer, answers)
    return 0


def send(answers: BinaryIO, answer: dict, raw: tuple[bytes, ...] = ()) -> None:
    answers.write(json.dumps(answer, separators=(",", ":")).encode() + b"\n")
    for part in raw:
        answers.write(part)
    answers.flush()


class Server:
    """An environment and the episode that runs in it."""

    def __init__(self, official):
        self.official = official
        # An episode's; none before the first reset.
        self.lockstep = self.expert = None
        # Their arguments are the command's other entries.
        self.commands = {
            "reset": self.reset,
            "run": self.run,
            "look": self.look,
            "call_expert": self.call_expert,
            "expert_step": self.expert_step,
        }

    def greeting(self) -> dict:
        return {
            "version": VERSION,
            "scene": self.official.scene_name,
            "tasks": self.official.task_names,
            "labels": self.official.labels,
        }

    def serve(self, commands: BinaryIO, answers: BinaryIO) -> None:
        """Answers until there are no commands any more, or nobody listens."""
        for line in commands:
            try:
                send(answers, *self.answer(line))
            except BrokenPipeError:
                return

    def answer(self, line: bytes) -> tuple[dict, tuple[bytes, ...]]:
        """What there is to say, and the raw bytes that follow."""
        from .official import Refused

        try:
            command = json.loads(line)
            name = command.pop("do")
            if name not in self.commands:
                known = ", ".join(self.commands)
                raise Refused(f"do: expected one of {known}, found `{name}`")
            if self.lockstep is None and name != "reset":
                raise Refused(f"{name}: no episode has begun")
            raw: list[bytes] = []
            done = self.commands[name](**command, raw=raw)
            return {"ok": done}, tuple(raw)
        except Refused as error:
            return {"refused": str(error)}, ()
        except Exception as error:
            # It is the parent that decides whether to go on.
            traceback.print_exc()
            return {"failed": f"{type(error).__name__}: {error}"}, ()

    def reset(self, task: str | None, seed: int, **_) -> dict:
        """Begins an episode; without a task it is a free run."""
        from .lockstep import Lockstep
        from .official import Refused

        known = self.official.task_names
        if task is not None and task not in known:
            raise Refused(f"task: expected one of {', '.join(known)}, found `{task}`")
        lockstep = Lockstep(self.official, task)
        lockstep.begin(seed)
        self.lockstep, self.expert = lockstep, None
        return self.state()

    def run(self, q_rad: list[float], gripper_width_m: float, duration_ms: int, **_) -> dict:
        """Leads the arm to a set-point for a while."""
        self.lockstep.follow(q_rad, gripper_width_m, duration_ms)
        return self.state()

    def state(self) -> dict:
        """Time, joints and how the episode stands."""
        lockstep = self.lockstep
        return {
            "time_ns": lockstep.time_ns,
            "achieved": lockstep.achieved,
            "success": lockstep.success,
            "completed": list(lockstep.completed),
        } | lockstep.joints()

    def look(self, camera: str, side: int, channels: list[str], raw: list[bytes]) -> dict:
        """Looks through a camera; `channels` are of `rgb`, `depth_mm`, `segmentation`."""
        picture = self.lockstep.look(camera, side, channels != ["rgb"])
        raw += [getattr(picture, channel).tobytes() for channel in channels]
        return {
            "raw": [len(part) for part in raw],
            "focal": picture.focal,
            "principal_point": picture.principal_point,
            "base_from_camera": picture.base_from_camera,
        }

    def call_expert(self, task: str, seed: int, **_) -> dict:
        """Calls the scripted expert for a task."""
        from .official import Refused

        try:
            from .expert import Expert
        except ImportError as error:
            raise Refused("there are no experts here") from error
        self.expert = Expert(self.lockstep, task, seed)
        return {}

    def expert_step(
        self, anchor_position_m: list[float], anchor_quaternion_wxyz: list[float], **_
    ) -> dict:
        """The expert's next step; none when it is finished, has given up or was never called."""
        step = None
        if self.expert is not None:
            step = self.expert.step(anchor_position_m, anchor_quaternion_wxyz)
        return {"step": step}


if __name__ == "__main__":
    sys.exit(main())
