"""What a test needs, and the word that is said where it is missing."""

import importlib.util
import unittest

INSTALL = "run `tiller sim install libero` and use `.sim/libero/bin/python`"


def needs(*modules: str):
    """Skips a test where one of the modules is not installed."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return unittest.skipIf(missing, f"{', '.join(missing)} not installed: {INSTALL}")
