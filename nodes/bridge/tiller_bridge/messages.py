"""Tiller's messages as Arrow, as types/tiller/v1.yml declares them."""

import functools
import time
from pathlib import Path

import pyarrow as pa
import yaml

DECLARATIONS = Path(__file__).resolve().parents[3] / "types/tiller/v1.yml"
# The number that the crate `messages` gives; a receiver refuses any other.
SCHEMA_VERSION = 5
SIMPLE = {
    "Boolean": pa.bool_(),
    "Float32": pa.float32(),
    "Float64": pa.float64(),
    "UInt32": pa.uint32(),
    "UInt64": pa.uint64(),
    "Utf8": pa.string(),
}


@functools.cache
def fields(message: str) -> tuple[pa.Field, ...]:
    """The columns of a message, in order."""
    declared = yaml.safe_load(DECLARATIONS.read_text())["types"][message]["fields"]

    def kind(name: str) -> pa.DataType:
        if name.startswith("List<"):
            return pa.large_list(SIMPLE[name.removeprefix("List<").removesuffix(">")])
        return SIMPLE[name]

    return tuple(pa.field(f["name"], kind(f["type"]), nullable=f["nullable"]) for f in declared)


def encode(message: str, values: dict) -> pa.StructArray:
    """A message as a struct array of length 1; raises KeyError for a column without a value."""
    columns = fields(message)
    return pa.StructArray.from_arrays(
        [pa.array([values[column.name]], column.type) for column in columns], fields=list(columns)
    )


def decode(message: str, array: pa.Array) -> dict:
    """The values of a message.

    Raises ValueError where it is none, or of another version.
    """
    if not pa.types.is_struct(array.type) or len(array) != 1:
        raise ValueError(f"{message}: expected a struct of length 1, found {array.type}")
    values = array.to_pylist()[0]
    missing = [column.name for column in fields(message) if column.name not in values]
    if missing:
        raise ValueError(f"{message}: expected {', '.join(missing)}, found nothing")
    if values["schema_version"] != SCHEMA_VERSION:
        raise ValueError(
            f"{message}.schema_version: expected {SCHEMA_VERSION}, found {values['schema_version']}"
        )
    return values


class Outbox:
    """A node's outputs: numbered, with the session that tells this start from those before.

    A session is the time of the start, microseconds since 1970.
    """

    # How often latched messages are sent again for whoever joins, seconds.
    LATCH_S = 1.0

    def __init__(self, node, name: str, session: int | None = None):
        self.node, self.name = node, name
        self.session = time.time_ns() // 1000 if session is None else session
        self.numbers: dict[str, int] = {}
        self.latched: dict[str, tuple[pa.StructArray, float]] = {}

    def send(self, output: str, message: str, latch: bool = False, **values) -> None:
        """Sends a message; a latched one again every second with `repeat_latched`."""
        self.numbers[output] = number = self.numbers.get(output, 0) + 1
        header = {"schema_version": SCHEMA_VERSION, "session": self.session, "seq": number}
        array = encode(message, header | values)
        self.node.send_output(output, array, {})
        if latch:
            self.latched[output] = (array, time.monotonic())

    def repeat_latched(self) -> None:
        now = time.monotonic()
        for output, (array, sent) in self.latched.items():
            if now - sent >= self.LATCH_S:
                self.node.send_output(output, array, {})
                self.latched[output] = (array, now)

    def tell(self, level: str, code: str, text: str) -> None:
        """A word to people, in the log and as a `Status`."""
        print(f"{level}: {text}", flush=True)
        self.send("status", "Status", node=self.name, level=level, code=code, text=text)
