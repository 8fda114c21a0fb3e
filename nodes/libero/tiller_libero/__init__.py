"""LIBERO-PRO's own environment for Tiller: scene packs, the referee, a node of the dataflow."""
