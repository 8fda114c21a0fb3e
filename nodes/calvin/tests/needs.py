"""What a test needs, and the word that is said where it is missing."""

import importlib.util
import os
import unittest

INSTALL = "run `tiller sim install calvin --checkout PATH` and use `.sim/calvin/bin/python`"


def needs(*modules: str):
    """Skips a test where one of the modules is not installed."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return unittest.skipIf(missing, f"{', '.join(missing)} not installed: {INSTALL}")


def needs_checkout(test):
    """Skips a test where PyBullet or the checkout is missing."""
    found = bool(os.environ.get("CALVIN_CHECKOUT")) or importlib.util.find_spec("calvin_env")
    there = unittest.skipUnless(
        found, f"no checkout of mees/calvin_env: set CALVIN_CHECKOUT, or {INSTALL}"
    )
    return needs("pybullet", "hydra", "gym", "cv2", "quaternion")(there(test))
