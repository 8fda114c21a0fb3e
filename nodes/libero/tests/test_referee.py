"""What the referee counts, on an environment whose goal holds at steps that are known."""

import unittest

from tiller_libero.referee import Episode, Rule, replay


class Scripted:
    """Stands in for the official environment; `held` are the steps after which its goal holds."""

    def __init__(self, held):
        self.held, self.now, self.begun, self.done = set(held), 0, [], []

    def begin(self, seed, initial_state, idle_steps):
        self.begun.append((seed, initial_state, idle_steps))
        self.now = 0

    def achieved(self):
        return self.now in self.held

    def step(self, action):
        self.now += 1
        self.done.append(action)
        return self.achieved()


def episode(steps: int) -> Episode:
    return Episode("libero_goal", 8, 5, 2, [[0.5] * 6 + [1.0]] * steps, claimed=True)


class Rulings(unittest.TestCase):
    def test_the_first_step_at_which_the_goal_holds_is_the_success(self):
        official = Scripted([4])
        ruling = replay(official, episode(6))
        self.assertEqual(official.begun, [(5, 2, 10)])
        self.assertEqual((ruling.success, ruling.success_step, ruling.steps), (True, 4, 4))
        self.assertTrue(ruling.agrees(True))
        self.assertFalse(ruling.agrees(False))
        self.assertIsNone(ruling.agrees(None))

    def test_a_step_behind_is_made_up_for_by_holding_still(self):
        official = Scripted([8])
        self.assertEqual(replay(official, episode(6)).success_step, 8)
        self.assertEqual(official.done[6:], [[0.0] * 6 + [1.0]] * 2)
        ruling = replay(Scripted([8]), episode(6), Rule(extra_steps=0))
        self.assertEqual((ruling.success, ruling.steps, ruling.achieved_step), (False, 6, None))

    def test_holding_is_without_a_break(self):
        # 0.2 s are four steps after the first one that holds.
        rule = Rule(hold_s=0.2, extra_steps=0)
        broken = replay(Scripted([2, 3, 4, 6, 7, 8, 9]), episode(10), rule)
        self.assertEqual((broken.success, broken.achieved_step), (False, 2))
        held = replay(Scripted([2, 4, 5, 6, 7, 8]), episode(10), rule)
        self.assertEqual((held.success_step, held.achieved_step), (8, 2))

    def test_a_goal_that_holds_at_the_start_is_told(self):
        self.assertTrue(replay(Scripted([0]), episode(2)).solved_at_start)
        self.assertFalse(replay(Scripted([]), episode(0)).success)


if __name__ == "__main__":
    unittest.main()
