"""Settings, lists of numbers and recorded episodes: what is read, and what is refused."""

import argparse
import json
import unittest

from tiller_libero.export import numbers, parser, starts
from tiller_libero.official import Refused, step_action
from tiller_libero.pack import Start
from tiller_libero.referee import read
from tiller_libero.settings import Settings

EPISODE = {"suite": "libero_goal", "task": 8, "seed": 3, "init_state": 3, "actions": [[0] * 7]}


class SettingsAreRead(unittest.TestCase):
    def test_empty_variables_give_the_defaults(self):
        settings = Settings.read({"TASK": "", "SUITE": " "})
        self.assertEqual(settings, Settings.read({}))
        self.assertEqual((settings.suite, settings.task, settings.episodes), ("libero_goal", 0, 1))
        self.assertEqual(settings.episode_ns, 15_000_000_000)
        self.assertIsNone(settings.wall_limit_s)
        self.assertIsNone(Settings.read({"EPISODES": "0"}).episodes)

    def test_every_mistake_is_told_at_once(self):
        wrong = {
            "TASK": "ten",
            "SUITE": "kitchen",
            "SPEED": "0",
            "EPISODES": "30",
            "FIRST_STATE": "40",
        }
        with self.assertRaises(Refused) as refused:
            Settings.read(wrong)
        told = str(refused.exception).splitlines()
        self.assertEqual(len(told), 4, told)
        self.assertTrue(any("`kitchen`" in line for line in told), told)
        self.assertTrue(any("up to 69" in line for line in told), told)


class EpisodesAreChosen(unittest.TestCase):
    def test_lists_of_numbers(self):
        self.assertEqual(numbers("0, 2-4"), [0, 2, 3, 4])
        for wrong in ("", "a", "4-2", "-1", "1,1", "0-3,2"):
            with self.assertRaises(argparse.ArgumentTypeError, msg=wrong):
                numbers(wrong)

    def test_states_come_before_fresh_seeds(self):
        options = ["--suite", "libero_goal", "--out", "x", "--states", "2-3", "--fresh", "100"]
        chosen = starts(parser().parse_args([*options, "--seed", "10"]))
        self.assertEqual(chosen, [Start(12, 2), Start(13, 3), Start(100, None)])

    def test_the_states_that_are_judged_are_the_default(self):
        chosen = starts(parser().parse_args(["--suite", "libero_goal", "--out", "x"]))
        self.assertEqual(chosen, [Start(state, state) for state in range(20)])


class EpisodesAreRead(unittest.TestCase):
    def test_lines_are_episodes(self):
        fresh = EPISODE | {"init_state": None, "success": True, "id": "a"}
        episodes = read(f"{json.dumps(EPISODE)}\n\n{json.dumps(fresh)}\n")
        self.assertEqual([e.init_state for e in episodes], [3, None])
        self.assertEqual([e.claimed for e in episodes], [None, True])

    def test_every_bad_line_is_named(self):
        lines = [
            "{",
            json.dumps([]),
            json.dumps(EPISODE | {"task": -1}),
            json.dumps(EPISODE | {"seed": True}),
            json.dumps(EPISODE | {"actions": [[0] * 6]}),
            json.dumps({k: v for k, v in EPISODE.items() if k != "init_state"}),
            json.dumps(EPISODE | {"success": "yes"}),
            json.dumps(EPISODE),
        ]
        with self.assertRaises(Refused) as refused:
            read("\n".join(lines))
        told = str(refused.exception).splitlines()
        self.assertEqual([line.split(":")[0] for line in told], [f"line {n}" for n in range(1, 8)])
        self.assertIn("expected 7 numbers, found 6", told[4])
        with self.assertRaises(Refused):
            read("\n")

    def test_actions_are_seven_finite_numbers(self):
        self.assertEqual(step_action(range(7)), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        for wrong in ([0] * 8, [0] * 6 + [float("nan")], [0] * 6 + ["a"], 3):
            with self.assertRaises(Refused, msg=wrong):
                step_action(wrong)


if __name__ == "__main__":
    unittest.main()
