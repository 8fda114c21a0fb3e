"""CALVIN's own environment for Tiller; see README.md."""
