"""What the columns of a data set's states and actions are, read from the names that it gives them."""

from dataclasses import asdict, dataclass

POSITION = ("dx", "dy", "dz")
ROTATION = ("rx", "ry", "rz")
GRIPPER = "gripper"

# Parts of a state, as `policy.toml` calls them, by the names of their columns.
COMPONENTS = {
    "position": ("x", "y", "z"),
    "rotation_6d": ("r00", "r10", "r20", "r01", "r11", "r21"),
    "gripper_width": ("gripper_width",),
}
# What a bundle's state holds that says nothing about it.
DEFAULT_COMPONENTS = ("position", "gripper_width")
# What the joints and the gripper's sensor are uncertain by: metres, entries of a matrix, metres.
NOISE = {"position": 0.002, "rotation_6d": 0.01, "gripper_width": 0.001}
# A column that hardly varied must not be blown up: the least deviation that it is divided by.
LEAST_DEVIATION = {"position": 1e-3, "rotation_6d": 1e-2, "gripper_width": 1e-3}


@dataclass(frozen=True)
class Layout:
    """Columns of actions and states, and the cameras; stored in checkpoints."""

    # Whether the hand turns: three columns of a rotation vector (rad) between position and gripper.
    turns: bool = False
    components: tuple[str, ...] = DEFAULT_COMPONENTS
    cameras: tuple[str, ...] = ("static", "wrist")
    # Rows and columns of each camera's pictures, pixels.
    sizes: tuple[tuple[int, int], ...] = ((256, 256), (256, 256))

    @property
    def action_dim(self) -> int:
        return self.gripper + 1

    @property
    def position(self) -> list[int]:
        return [0, 1, 2]

    @property
    def rotation(self) -> list[int]:
        return [3, 4, 5] if self.turns else []

    @property
    def gripper(self) -> int:
        return 6 if self.turns else 3

    @property
    def state_dim(self) -> int:
        return len(self.of_state(NOISE))

    def of_state(self, table: dict[str, float]) -> list[float]:
        """The table's number of the component that each column of a state belongs to."""
        return [table[name] for name in self.components for _ in COMPONENTS[name]]

    def as_dict(self) -> dict:
        return asdict(self)


def from_record(record: dict) -> Layout:
    """The layout of a checkpoint; one that holds none is of the play table."""
    return Layout(**{key: _frozen(value) for key, value in record.items()})


def _frozen(value):
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def read(action: list[str], state: list[str], cameras: dict[str, tuple[int, int]]) -> Layout:
    """The layout that columns of these names have, with cameras and their pictures' rows and columns."""
    known = {(*POSITION, GRIPPER): False, (*POSITION, *ROTATION, GRIPPER): True}
    turns = known.get(tuple(action))
    if turns is None:
        supported = " or ".join(str(list(names)) for names in known)
        raise SystemExit(f"the data set's actions are {action}; supported: {supported}")
    if not cameras:
        raise SystemExit("the data set has no camera: expected observation.images.*")
    return Layout(turns, _components(state), tuple(cameras), tuple(cameras.values()))


def _components(state: list[str]) -> tuple[str, ...]:
    found, rest = [], tuple(state)
    while rest:
        fitting = [name for name, own in COMPONENTS.items() if rest[: len(own)] == own]
        if not fitting or fitting[0] in found:
            supported = ", ".join(str(list(names)) for names in COMPONENTS.values())
            raise SystemExit(f"the data set's states are {state}; supported, each once: {supported}")
        found.append(fitting[0])
        rest = rest[len(COMPONENTS[fitting[0]]) :]
    if not found:
        raise SystemExit("the data set's states are empty")
    return tuple(found)
