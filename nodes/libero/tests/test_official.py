"""With the official package: packs, protocol, the step in pieces, the referee. A minute."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

from tiller_libero import export, referee
from tiller_libero.official import Official, Refused, Suite

from .needs import needs

SUITE, TASK = "libero_goal", 8
# Not the file's name, but the description's instruction.
LANGUAGE = "libero_goal_lan"


@needs("libero", "mujoco")
class Packs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name)

    def export(self, *more: str, suite: str = SUITE) -> tuple[int, dict, str]:
        """Exit code, what was printed as JSON, and what was said."""
        printed, said = io.StringIO(), io.StringIO()
        arguments = [
            "--suite",
            suite,
            "--tasks",
            str(TASK),
            "--out",
            str(self.out),
            "--json",
            *more,
        ]
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
            code = export.main(arguments)
        return code, json.loads(printed.getvalue() or "{}"), said.getvalue()

    def test_a_pack_is_the_scene_to_the_bit_and_is_made_once(self):
        import mujoco
        import numpy as np

        code, done, said = self.export("--states", "0-1", "--fresh", "100")
        self.assertEqual((code, done["packs"][0]["made"]), (0, True), said)
        folder = self.out / SUITE / str(TASK)
        meta = json.loads((folder / "pack.json").read_text())
        self.assertEqual(meta["instruction"], "put the bowl on the plate")
        self.assertEqual(meta["goal"], [["on", "akita_black_bowl_1", "plate_1"]])
        begun = [(episode["seed"], episode["init_state"]) for episode in meta["episodes"]]
        self.assertEqual(begun, [(0, 0), (1, 1), (100, None)])
        model = mujoco.MjModel.from_xml_path(str(folder / "scene.xml"))
        names = [model.body(index).name for index in range(model.nbody)]
        with Official(SUITE, TASK) as official:
            for episode in meta["episodes"]:
                self.assertEqual((len(episode["qpos"]), len(episode["qvel"])), (model.nq, model.nv))
                self.assertTrue(set(episode["fixtures"]) <= set(names))
                official.begin(episode["seed"], episode["init_state"], idle_steps=0)
                np.testing.assert_array_equal(official.sim.data.qpos, episode["qpos"])
                for body, pose in episode["fixtures"].items():
                    index = official.sim.model.body_name2id(body)
                    np.testing.assert_array_equal(
                        official.sim.model.body_pos[index], pose["position_m"]
                    )
            true = official.sim.model._model
            for name in ("body_mass", "dof_armature", "geom_friction", "geom_size", "jnt_range"):
                np.testing.assert_array_equal(getattr(true, name), getattr(model, name), name)

        before = (folder / "pack.json").stat().st_mtime_ns
        code, done, _ = self.export("--states", "0-1", "--fresh", "100")
        self.assertEqual((code, done["packs"][0]["made"]), (0, False))
        self.assertEqual((folder / "pack.json").stat().st_mtime_ns, before)
        (folder / "scene.xml").write_text("<mujoco/>")
        self.assertTrue(self.export("--states", "0-1", "--fresh", "100")[1]["packs"][0]["made"])
        self.assertTrue(self.export("--states", "0")[1]["packs"][0]["made"])
        self.assertEqual([path.name for path in (self.out / SUITE).iterdir()], [str(TASK)])

    def test_the_instruction_is_the_descriptions(self):
        code, _, said = self.export("--states", "0", suite=LANGUAGE)
        self.assertEqual(code, 0, said)
        meta = json.loads((self.out / LANGUAGE / str(TASK) / "pack.json").read_text())
        self.assertNotEqual(meta["instruction"], meta["name"].replace("_", " "))

    def test_what_does_not_exist_is_said_in_a_line(self):
        for more, suite, words in (
            (("--states", "50"), SUITE, "has 0 to 49, found 50"),
            (("--tasks", "10"), SUITE, "expected 0 to 9, found 10"),
            ((), "kitchen", "expected one of"),
            ((), "libero_goal_env", "published without its files"),
        ):
            code, _, said = self.export(*more, suite=suite)
            self.assertEqual(code, 2)
            self.assertIn(words, said)
            self.assertEqual(len(said.strip().splitlines()), 1, said)


@needs("libero", "mujoco")
class TheProtocol(unittest.TestCase):
    def test_the_initial_state_survives_the_reset_and_the_seed_places_fixtures(self):
        import numpy as np

        with Official(SUITE, TASK) as official:

            def begun(seed, state):
                official.begin(seed, state, idle_steps=0)
                cabinet = official.sim.model.body_name2id("wooden_cabinet_1_main")
                return official.sim.data.qpos.copy(), official.sim.model.body_pos[cabinet].copy()

            first, second, third = begun(0, 0), begun(1, 0), begun(0, 1)
            np.testing.assert_array_equal(first[0], official.states[0][1 : 1 + len(first[0])])
            np.testing.assert_array_equal(first[0], second[0])
            self.assertFalse(np.array_equal(first[1], second[1]))
            np.testing.assert_array_equal(first[1], third[1])
            self.assertFalse(np.array_equal(first[0], third[0]))
            with self.assertRaises(Refused):
                official.begin(-1, 0)

    def test_suites_that_are_measured_are_complete(self):
        from tiller_libero.official import SUITES

        for name in SUITES:
            suite = Suite(name)
            self.assertEqual(
                [len(suite.initial_states(task)) for task in range(suite.tasks)], [50] * 10
            )


@needs("libero", "mujoco")
class InPieces(unittest.TestCase):
    def test_the_step_in_pieces_is_the_step_and_its_record_replays(self):
        import numpy as np

        from tiller_libero.lockstep import Lockstep

        world = Lockstep(SUITE, TASK, cameras=False)
        self.addCleanup(world.close)
        world.begin(3, 3)
        start = np.array(world.arm()["q_rad"])
        self.assertEqual(world.time_ns, 0)
        for command in range(50):
            swing = 0.2 * np.sin(command / 10) * np.array([1.0, 0.3, 0.0, 0.2, 0.0, 0.0, 0.5])
            world.run(np.tile(start + swing, (20, 1)), 0.08 if command < 25 else 0.0)
        self.assertEqual((world.time_ns, len(world.actions)), (1_000_000_000, 20))
        with Official(SUITE, TASK) as official:
            official.begin(3, 3)
            for action in world.actions:
                official.step(action)
            np.testing.assert_array_equal(official.sim.data.qpos, world.data.qpos)
            ruling = referee.replay(
                official, referee.Episode(SUITE, TASK, 3, 3, world.actions, claimed=False)
            )
        self.assertTrue(ruling.agrees(False))

    def test_the_hand_comes_where_set_points_lead_it(self):
        import numpy as np

        from tiller_libero.lockstep import Lockstep

        world = Lockstep(SUITE, TASK, cameras=False)
        self.addCleanup(world.close)
        world.begin(0, 0)
        start = np.array(world.arm()["q_rad"])
        there = start + np.array([0.15, 0.1, 0.0, 0.05, 0.0, 0.1, 0.2])
        for command in range(100):
            share = min(1.0, command / 50)
            world.run(np.tile(start + share * (there - start), (20, 1)), 0.08)
        far_m = world.ghost.site_xpos[world.site] - world.data.site_xpos[world.site]
        self.assertLess(np.linalg.norm(far_m), 0.003)

    def test_the_hand_keeps_up_with_set_points_that_move(self):
        import mujoco
        import numpy as np

        from tiller_libero.lockstep import Lockstep

        world = Lockstep(SUITE, TASK, cameras=False)
        self.addCleanup(world.close)
        world.begin(0, 0)
        start = np.array(world.arm()["q_rad"])
        way = np.array([0.3, 0.2, 0.0, 0.1, 0.0, 0.1, 0.3])
        far_m = []
        for command in range(60):
            shares = (20 * command + 1 + np.arange(20)) / 1500
            setpoints = start + shares[:, None] * way
            world.run(setpoints, 0.08)
            world.ghost.qpos[world.q_at] = setpoints[-1]
            mujoco.mj_kinematics(world.model, world.ghost)
            there, here = world.ghost.site_xpos[world.site], world.data.site_xpos[world.site]
            far_m.append(np.linalg.norm(there - here))
        # Without the lead 6 mm.
        self.assertLess(np.mean(far_m[15:]), 0.002)

    def test_parts_have_labels_of_their_own(self):
        import numpy as np

        from tiller_libero.lockstep import Lockstep

        world = Lockstep(SUITE, TASK)
        self.addCleanup(world.close)
        world.begin(0, 0)
        seen = world.look("agentview", 256, everything=True)
        shown = {world.labels[label] for label in np.unique(seen.segmentation) if label}
        parts = {"wooden cabinet middle drawer", "flat stove knob", "flat stove burner"}
        self.assertLessEqual(parts | {"wooden cabinet", "flat stove", "robot"}, shown)

    def test_things_are_seen_where_they_are(self):
        import numpy as np

        from tiller_libero.lockstep import Lockstep

        world = Lockstep(SUITE, TASK)
        self.addCleanup(world.close)
        world.begin(0, 0)
        seen = world.look("agentview", 256, everything=True)
        pose = np.array(seen.base_from_camera).reshape(4, 4)
        for thing in ("akita_black_bowl_1", "plate_1"):
            label = next(i for i, name in world.labels.items() if name in thing.replace("_", " "))
            rows, columns = np.nonzero(seen.segmentation == label)
            z = seen.depth_mm[rows, columns] / 1000
            rays = (np.stack([columns, rows]) + 0.5 - seen.principal_point[0]) / seen.focal[0]
            points = pose @ np.stack([*(rays * z), z, np.ones_like(z)])
            body = world.env.obj_body_id[thing]
            true = world.data.xpos[body] - world.data.xpos[world.base]
            self.assertGreater(len(z), 300)
            self.assertLess(np.linalg.norm(points[:2].mean(1) - true[:2]), 0.02, thing)


if __name__ == "__main__":
    unittest.main()
