"""Settings and starts: what is read, and what is refused."""

import unittest

from .needs import needs

try:
    from tiller_calvin.official import Refused, Start, find_checkout
    from tiller_calvin.settings import Settings
except ImportError:
    # The tests say so and are skipped.
    pass


@needs("numpy")
class SettingsAreRead(unittest.TestCase):
    def test_empty_variables_give_the_defaults(self):
        settings = Settings.read({"TASK": "", "SCENE": " "})
        self.assertEqual(settings, Settings.read({}))
        self.assertEqual((settings.scene, settings.task), ("D", "open_drawer"))
        self.assertEqual((settings.image_side, settings.wrist_side), (200, 84))
        self.assertEqual((settings.episodes, settings.episode_ns), (1, 12_000_000_000))
        self.assertIsNone(settings.checkout)
        self.assertIsNone(Settings.read({"EPISODES": "0"}).episodes)

    def test_every_mistake_is_told_at_once(self):
        wrong = {"SCENE": "E", "TASK": "place_in_drawer", "SPEED": "0", "SEED": "one"}
        with self.assertRaises(Refused) as caught:
            Settings.read(wrong)
        told = str(caught.exception)
        for name in wrong:
            self.assertIn(f"{name}: ", told)
        self.assertEqual(len(told.splitlines()), len(wrong), told)


@needs("numpy")
class Starts(unittest.TestCase):
    def test_a_task_begins_where_it_makes_sense(self):
        self.assertEqual(Start.of("open_drawer"), Start(joints_m=(("base__drawer", 0.0),)))
        self.assertEqual(Start.of("turn_off_led").lights, (("led", True),))
        self.assertEqual(dict(Start.of("close_drawer").joints_m), {"base__drawer": 0.2})
        start = Start.of("lift_pink_block_slider")
        self.assertEqual((start.block, start.surface), ("block_pink", "slider"))
        self.assertEqual(Start.of("push_red_block_left").surface, "table")

    def test_a_start_that_no_reset_makes_is_refused(self):
        for task in ("place_in_slider", "unstack_block", "lift_red_block_drawer"):
            with self.subTest(task), self.assertRaisesRegex(Refused, task):
                Start.of(task)

    def test_a_folder_that_is_no_checkout_is_refused(self):
        with self.assertRaisesRegex(Refused, "expected a clone of mees/calvin_env"):
            find_checkout("/nowhere")


if __name__ == "__main__":
    unittest.main()
