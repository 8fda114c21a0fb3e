"""Makes the scene packs from which Tiller's own LIBERO world runs, once for all.

    python -m tiller_libero.export --suite libero_goal --out .sim/packs/libero
    python -m tiller_libero.export --suite libero_goal_swap --tasks 0,2-4 --states 0-19 --out packs
    python -m tiller_libero.export --suite libero_goal --states 20-49 --fresh 100-149 --out packs/train

A pack is the folder OUT/SUITE/TASK with the compiled scene and its initial states. State k begins with
seed SEED + k, a reset and then the benchmark's initial state k; a fresh episode with its seed and the
reset alone. The benchmark is judged on states 0 to 19: what learns takes others. A pack that is there
already and holds just this is left as it is. Packs are made from the benchmark's assets: keep them out
of repositories.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from . import pack
from .official import SUITES, Official, Refused, Suite

EVALUATED = "0-19"


def numbers(text: str) -> list[int]:
    """`0,2-4` as 0, 2, 3, 4."""
    found = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        try:
            span = range(int(first), int(last if dash else first) + 1)
        except ValueError:
            span = range(0)
        if len(span) == 0 or len(span) > 100_000:
            raise argparse.ArgumentTypeError(f"expected numbers such as 0,2-4, found `{text}`")
        found.extend(span)
    if len(set(found)) != len(found):
        raise argparse.ArgumentTypeError(f"`{text}` names a number twice")
    return found


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tiller_libero.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--suite",
        action="append",
        required=True,
        metavar="NAME",
        help=f"one that the package has, or several times: {', '.join(SUITES)}, ..",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where packs go")
    parser.add_argument(
        "--tasks", type=numbers, metavar="LIST", help="such as 0,2-4 (default: all)"
    )
    parser.add_argument(
        "--states",
        type=numbers,
        default=EVALUATED,
        metavar="LIST",
        help="the benchmark's initial states (default: %(default)s, those it is judged on)",
    )
    parser.add_argument(
        "--fresh",
        type=numbers,
        default=[],
        metavar="LIST",
        help="seeds of further episodes in which things stay where the reset puts them",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="added to a state's number to seed its reset (default: 0)",
    )
    parser.add_argument(
        "--force", action="store_true", help="make packs anew that are there already"
    )
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")
    return parser


def starts(options: argparse.Namespace) -> list[pack.Start]:
    """The episodes that are asked for, initial states first."""
    fixed = [pack.Start(options.seed + state, state) for state in options.states]
    return fixed + [pack.Start(seed, None) for seed in options.fresh]


def say(text: str) -> None:
    """Progress and errors go to the standard error; the standard output carries results."""
    print(text, file=sys.stderr, flush=True)


def progress(name: str, count: int):
    """A counter in one line on a terminal; nothing elsewhere."""

    def tell(done: int) -> None:
        if sys.stderr.isatty():
            end = "\r" if done < count else "\r\033[K"
            print(f"{name}: episode {done} of {count}", file=sys.stderr, end=end, flush=True)

    return tell


def export(suite: Suite, task: int, begin: list[pack.Start], out: Path, force: bool) -> dict:
    """Makes one pack unless it is there; what was done, for people and as JSON."""
    folder = out / suite.name / str(task)
    name = f"{suite.name} {task}"
    done = {"suite": suite.name, "task": task, "folder": str(folder), "episodes": len(begin)}
    if not force and pack.is_complete(folder, suite.name, task, begin):
        say(f"{name}: there already")
        return done | {"made": False}
    started = time.monotonic()
    with Official(suite, task) as official:
        made = pack.make(official, begin, progress(name, len(begin)))
    size = pack.write(made, folder)
    seconds = time.monotonic() - started
    say(
        f"{name}: {len(begin)} episodes, {size / 1e6:.2f} MB, {seconds:.1f} s:"
        f" {made.meta['instruction']}"
    )
    return done | {"made": True, "bytes": size, "seconds": round(seconds, 2)}


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    done, refused = [], []
    begin = starts(options)
    try:
        suites = [Suite(name) for name in options.suite]
        chosen = [
            (suite, task)
            for suite in suites
            for task in (options.tasks if options.tasks is not None else range(suite.tasks))
        ]
        for suite, task in chosen:
            states = len(suite.initial_states(task))
            if max(options.states) >= states:
                raise Refused(
                    f"--states: {suite.name} {task} has 0 to {states - 1}, found {max(options.states)}"
                )
    except Refused as error:
        say(f"error: {error}")
        return 2
    for suite, task in chosen:
        try:
            done.append(export(suite, task, begin, options.out, options.force))
        except (Refused, OSError) as error:
            say(f"error: {suite.name} {task}: {error}")
            refused.append({"suite": suite.name, "task": task, "error": str(error)})
    if options.json:
        print(json.dumps({"packs": done, "refused": refused}))
    if refused:
        say(f"{len(refused)} of {len(chosen)} packs were not made; the others are in {options.out}")
    return 2 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
