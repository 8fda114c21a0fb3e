"""A child that speaks as tiller_calvin.serve does, without CALVIN. Its argument says what goes wrong, if anything."""

import json
import os
import sys
import time

FAULT = sys.argv[1] if len(sys.argv) > 1 else ""
TASKS = sys.argv[2].split(",")
LABELS = {"1": "robot", "2": "red block", "3": "drawer handle"}


def say(answer, raw=b""):
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + raw)
    sys.stdout.buffer.flush()


def state(achieved=False):
    return {
        "time_ns": now * 20_000_000,
        "q_rad": [0.1 * seed, 0.0, 0.0, -2.0, 0.0, 2.0, 0.8],
        "dq_rad_s": [0.0] * 7,
        "gripper_width_m": width,
        "achieved": achieved,
        "success": success,
        # The second one is none of the world's.
        "completed": [task, "place_in_drawer"] if success else [],
    }


print("a note", file=sys.stderr)
if FAULT == "refuses":
    say({"refused": "there is no checkout"})
    sys.exit(1)
if FAULT == "crashes":
    raise ModuleNotFoundError("no module named calvin_env")
say({
    "ok": {
        "version": 2 if FAULT == "version" else 1,
        "tasks": ["open_drawer"] if FAULT == "tasks" else TASKS,
        "labels": LABELS | ({"4": "kettle"} if FAULT == "label" else {}),
    }
})
now = seed = 0
task, success, width = None, False, 0.08
for line in sys.stdin:
    order = json.loads(line)
    match order["do"]:
        case "reset":
            now, seed, task, success, width = 0, order["seed"], order["task"], False, 0.08
            if seed == 13:
                say({"failed": "ValueError: an unlucky seed"})
            else:
                say({"ok": state()})
        case "run":
            now += order["duration_ms"] // 20
            width = order["gripper_width_m"]
            # Achieved for one step alone.
            success = success or now == 3
            if FAULT == "dies" and now == 2:
                print("the last word", file=sys.stderr)
                os._exit(3)
            if FAULT == "hangs" and now == 2:
                time.sleep(60)
            if FAULT == "garbles" and now == 2:
                sys.stdout.write("b3Printf: a warning\n")
            say({"ok": state(achieved=now == 3)})
        case "look":
            pixels = order["side"] ** 2
            bytes_of = {
                "rgb": bytes([10, 20, 30]) * pixels,
                "depth_mm": (1234).to_bytes(2, "little") * pixels,
                "segmentation": bytes([2]) * pixels,
            }
            raw = [bytes_of[channel] for channel in order["channels"]]
            seen = {
                "raw": [len(part) + (FAULT == "bytes") for part in raw],
                "focal": [100.0, 101.0],
                "principal_point": [42.0, 42.5],
                "base_from_camera": [1, 0, 0, 0.5, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
            }
            say({"ok": seen}, b"".join(raw))
        case "call_expert":
            if order["task"] == "stack_block":
                say({"refused": "nobody can"})
            else:
                say({"ok": {}})
        case "expert_step":
            hand = {"delta_m": order["anchor_position_m"], "rotation_rad": [0, 0, 0.1], "gripper": -1}
            say({"ok": {"step": {"learned": hand, "executed": hand} if now < 1 else None}})
