"""The referee: replays recorded actions in the official environment and says what came of them.

    python -m tiller_libero.referee runs/episodes.jsonl --json runs/referee.json
    python -m tiller_libero.referee - --hold-s 1 < runs/episodes.jsonl

Each line of the input is one episode: `suite`, `task`, `seed`, `init_state` (a number, or null where the
seed alone made the scene), `actions` (lists of 7 numbers, one a step of 50 ms, after the benchmark's 10
idle steps, which the referee does by itself). `success`, if given, is what was claimed; `id` comes back
as it is.

Actions are replayed open loop. An episode succeeds at the first step after which the goal holds, which
is the benchmark's own rule, or once it has held for --hold-s. Recordings that end with their success end
a step too early where the other simulator is a step behind, so the hand is held still for --extra-steps
more. Exit code 0: all claims stand; 1: some do not; 2: it could not be done.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tiller_bridge.system import read_bounded, write_whole

from .official import ACTION_SIZE, IDLE_STEPS, STEP_S, Official, Refused, step_action

EXTRA_STEPS = 10
# Of a file of episodes: tens of thousands have less.
LIMIT_BYTES = 1 << 30


@dataclass(frozen=True)
class Episode:
    """What was done in one episode."""

    suite: str
    task: int
    seed: int
    init_state: int | None
    # One [7] a step.
    actions: list[list[float]]
    # Whether it was claimed to have succeeded; None if nothing was said.
    claimed: bool | None = None
    id: str | int | None = None

    @staticmethod
    def read(entry: dict) -> "Episode":
        """From JSON; raises Refused with what was expected and found."""
        if not isinstance(entry, dict):
            raise Refused("expected an object with suite, task, seed, init_state and actions")

        def whole(key: str) -> int:
            value = entry.get(key)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise Refused(f"`{key}`: expected a whole number of 0 or more, found {value!r}")
            return value

        suite, actions = entry.get("suite"), entry.get("actions")
        claimed, name = entry.get("success"), entry.get("id")
        if not isinstance(suite, str):
            raise Refused(f"`suite`: expected a name, found {suite!r}")
        if not isinstance(actions, list):
            raise Refused(f"`actions`: expected a list, found {type(actions).__name__}")
        if claimed is not None and not isinstance(claimed, bool):
            raise Refused(f"`success`: expected true or false, found {claimed!r}")
        if name is not None and (isinstance(name, bool) or not isinstance(name, str | int)):
            raise Refused(f"`id`: expected a text or a number, found {name!r}")
        if "init_state" not in entry:
            raise Refused("`init_state`: expected a number or null, found nothing")
        return Episode(
            suite,
            whole("task"),
            whole("seed"),
            None if entry["init_state"] is None else whole("init_state"),
            [step_action(action) for action in actions],
            claimed,
            name,
        )


@dataclass(frozen=True)
class Ruling:
    """What came of an episode in the official environment; steps count from 1 after the idle ones."""

    success: bool
    # The step after which it had succeeded.
    success_step: int | None
    # The first step after which the goal held.
    achieved_step: int | None
    # The goal held before anything was done: the episode shows little.
    solved_at_start: bool
    # Steps that were replayed, extra ones included.
    steps: int

    def agrees(self, claimed: bool | None) -> bool | None:
        return None if claimed is None else claimed == self.success


@dataclass(frozen=True)
class Rule:
    """What counts as a success."""

    # How long the goal must hold without a break, seconds.
    hold_s: float = 0.0
    # Steps for which the hand is held still after the last action.
    extra_steps: int = EXTRA_STEPS


def replay(official: Official, episode: Episode, rule: Rule = Rule()) -> Ruling:
    """Replays one episode in its task's environment; stops as soon as it has succeeded."""
    official.begin(episode.seed, episode.init_state, IDLE_STEPS)
    solved_at_start = official.achieved()
    hold_steps = round(rule.hold_s / STEP_S)
    still = [[0.0] * (ACTION_SIZE - 1) + action[-1:] for action in episode.actions[-1:]]
    actions = episode.actions + still * rule.extra_steps
    achieved_step, since = None, None
    for step, action in enumerate(actions, start=1):
        if not official.step(action):
            since = None
            continue
        since = step if since is None else since
        achieved_step = step if achieved_step is None else achieved_step
        if step - since >= hold_steps:
            return Ruling(True, step, achieved_step, solved_at_start, step)
    return Ruling(False, None, achieved_step, solved_at_start, len(actions))


def rule_task(suite: str, task: int, episodes: list[Episode], rule: Rule) -> Iterator[dict]:
    """Replays episodes of one task, one environment for all."""
    with Official(suite, task) as official:
        for episode in episodes:
            started = time.monotonic()
            ruling = replay(official, episode, rule)
            yield {
                "id": episode.id,
                "suite": suite,
                "task": task,
                "seed": episode.seed,
                "init_state": episode.init_state,
                "success": ruling.success,
                "success_step": ruling.success_step,
                "achieved_step": ruling.achieved_step,
                "solved_at_start": ruling.solved_at_start,
                "steps": ruling.steps,
                "claimed": episode.claimed,
                "agrees": ruling.agrees(episode.claimed),
                "seconds": round(time.monotonic() - started, 2),
            }


def _rule_task(*arguments) -> list[dict]:
    return list(rule_task(*arguments))


def judge(episodes: list[Episode], rule: Rule = Rule(), jobs: int = 1, tell=lambda r: None) -> dict:
    """Replays all episodes and counts; `tell` hears of each as it is done.

    Raises Refused for an episode that cannot be replayed.
    """
    groups: dict[tuple[str, int], list[int]] = {}
    for index, episode in enumerate(episodes):
        groups.setdefault((episode.suite, episode.task), []).append(index)
    rulings: list[dict] = [{}] * len(episodes)
    work = {
        key: (*key, [episodes[index] for index in indices], rule) for key, indices in groups.items()
    }
    if jobs == 1:
        for key, indices in groups.items():
            for index, ruling in zip(indices, rule_task(*work[key]), strict=True):
                rulings[index] = ruling
                tell(ruling)
    else:
        # A process of its own for each: a forked one would share the renderer's state.
        spawn = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
            running = {pool.submit(_rule_task, *work[key]): key for key in groups}
            for future in concurrent.futures.as_completed(running):
                for index, ruling in zip(groups[running[future]], future.result(), strict=True):
                    rulings[index] = ruling
                    tell(ruling)
    claims = [ruling for ruling in rulings if ruling["agrees"] is not None]
    return {
        "hold_s": rule.hold_s,
        "extra_steps": rule.extra_steps,
        "idle_steps": IDLE_STEPS,
        "episodes": len(rulings),
        "successes": sum(ruling["success"] for ruling in rulings),
        "claims": len(claims),
        "agreements": sum(ruling["agrees"] for ruling in claims),
        "rulings": rulings,
    }


def read(text: str) -> list[Episode]:
    """Episodes of a text of JSON lines.

    Raises Refused with every line that is none.
    """
    episodes, problems = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            episodes.append(Episode.read(json.loads(line)))
        except (ValueError, Refused) as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise Refused("\n".join(problems))
    if not episodes:
        raise Refused("expected one episode a line, found none")
    return episodes


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tiller_libero.referee",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("episodes", metavar="FILE", help="JSON lines; `-` reads the standard input")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write there what is printed else"
    )
    parser.add_argument(
        "--hold-s",
        type=float,
        default=0.0,
        help="how long the goal must hold, seconds (default: 0)",
    )
    parser.add_argument(
        "--extra-steps",
        type=int,
        default=EXTRA_STEPS,
        help="steps of 50 ms to hold still after the last action (default: %(default)s)",
    )
    parser.add_argument(
        "--jobs", type=int, default=1, help="tasks at a time, 1.6 GB each (default: 1)"
    )
    return parser


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        if (
            options.jobs < 1
            or not 0 <= options.hold_s <= 60
            or not 0 <= options.extra_steps <= 1000
        ):
            raise Refused("expected --jobs from 1, --hold-s 0 to 60 and --extra-steps 0 to 1000")
        text = (
            sys.stdin.read(LIMIT_BYTES)
            if options.episodes == "-"
            else read_bounded(Path(options.episodes), LIMIT_BYTES)
        )
        episodes, done = read(text), []

        def tell(ruling: dict) -> None:
            done.append(ruling)
            outcome = (
                f"success at step {ruling['success_step']}" if ruling["success"] else "no success"
            )
            verdict = {None: "", True: ", as claimed", False: ", CLAIMED OTHERWISE"}[
                ruling["agrees"]
            ]
            say(
                f"{len(done)}/{len(episodes)} {ruling['suite']} {ruling['task']} state"
                f" {ruling['init_state']} seed {ruling['seed']}: {outcome}{verdict}"
            )

        result = judge(episodes, Rule(options.hold_s, options.extra_steps), options.jobs, tell)
        report = json.dumps(result, allow_nan=False)
        if options.json is None:
            print(report)
        else:
            write_whole(options.json, report + "\n")
    except (Refused, OSError, UnicodeDecodeError) as error:
        say(f"error: {error}")
        return 2
    say(
        f"{result['successes']} of {result['episodes']} succeed; {result['agreements']} of "
        f"{result['claims']} claims stand"
    )
    return 0 if result["agreements"] == result["claims"] else 1


if __name__ == "__main__":
    sys.exit(main())
