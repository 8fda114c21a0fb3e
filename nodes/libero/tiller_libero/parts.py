"""Parts of things that have labels of their own: what moves by itself, and what glows.

Named as Tiller's own LIBERO world does (`parts.rs` of the crate `libero`): programs that speak of a
`wooden cabinet middle drawer` mean the same thing in both.
"""

from dataclasses import dataclass

# How parts are called whose joints are named after something else, by their joint's last word.
WORDS = {"level": "drawer", "button": "knob", "microjoint": "door"}


@dataclass(frozen=True)
class Part:
    """A part in plain words, such as `middle drawer`, and where it is in the scene.

    That is all that hangs on a joint's body, or the geom of a name.
    """

    name: str
    joint: str | None = None
    geom: str | None = None


def parts(owner: str, entry: dict) -> list[Part]:
    """The parts of a thing as a pack describes it. An object that moves as a whole has none."""
    if not entry["is_fixture"]:
        return []
    moving = [Part(_moving(_words(owner, joint)), joint=joint) for joint in entry["joints"]]
    # The package names what is seen where it glows after the site that glows.
    lit = entry.get("lit_sites", [])
    return moving + [Part(_words(owner, site), geom=site) for site in lit]


def _moving(rest: str) -> str:
    first, _, last = rest.rpartition(" ")
    return f"{first} {WORDS.get(last, last)}".strip()


def _words(owner: str, name: str) -> str:
    """What is left of a name in the scene without its owner's."""
    return name.removeprefix(owner).lstrip("_").replace("_", " ")
