"""CALVIN's own environment for Tiller: scenes, its oracle, a node of the dataflow."""

import sys
from pathlib import Path

# The bridges' shared modules lie beside them.
sys.path.append(str(Path(__file__).resolve().parents[2] / "bridge"))
