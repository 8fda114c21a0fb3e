"""Settings of a bridge, from variables; every mistake is reported together."""

from collections.abc import Mapping
from pathlib import Path


class Refused(Exception):
    """Something that was asked for does not exist, or is not as expected; the text is for people."""


class Reader:
    """Reads variables and keeps what is wrong with them."""

    def __init__(self, variables: Mapping[str, str]):
        self.variables = variables
        # A line each.
        self.problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self.variables.get(name, "").strip() or default

    def number(self, name: str, default, low, high):
        """A number of the default's type."""
        found = self.text(name)
        try:
            value = type(default)(found) if found else default
            if low <= value <= high:
                return value
        except ValueError:
            pass
        self.problems.append(f"{name}: expected {low} to {high}, found `{found}`")
        return default

    def path(self, name: str) -> Path | None:
        found = self.text(name)
        return Path(found) if found else None

    def finish(self) -> None:
        """Raises Refused with every setting that cannot be used."""
        if self.problems:
            raise Refused("\n".join(self.problems))
