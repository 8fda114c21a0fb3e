"""A node as somebody writes it who has read types/tiller/v1.yml and nothing else of Tiller.

What comes in by NODE---OUTPUT goes out by the same name, built anew as the type that the file declares for it.
It ends with the input that LAST names.
"""

import json
import os
import re
import sys

import pyarrow as pa
from dora import Node

PLAIN = {
    "Boolean": pa.bool_(),
    "UInt8": pa.uint8(),
    "UInt32": pa.uint32(),
    "UInt64": pa.uint64(),
    "Float32": pa.float32(),
    "Float64": pa.float64(),
    "Utf8": pa.string(),
}
FIELD = re.compile(r"- \{ name: (\w+), type: ([\w<>]+), nullable: (true|false)")


def arrow(name):
    """The Arrow type of this name; `List` is the one with 32-bit offsets."""
    if name.startswith("List<"):
        return pa.list_(arrow(name[len("List<") : -1]))
    return PLAIN[name]


def declared(path):
    """The structs that the file declares, by name."""
    types = {}
    fields = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if found := re.match(r"  (\w+):$", line):
                fields = types.setdefault(found[1], [])
            elif found := FIELD.search(line):
                fields.append(pa.field(found[1], arrow(found[2]), nullable=found[3] == "true"))
    return {name: pa.struct(fields) for name, fields in types.items() if fields}


def main():
    structs = declared("types/tiller/v1.yml")
    messages = json.loads(os.environ["MESSAGES"])
    last = os.environ["LAST"]
    passed = dict.fromkeys(messages, 0)
    node = Node()
    for event in node:
        if event["type"] == "INPUT":
            name = event["id"]
            array = pa.array(event["value"].to_pylist(), type=structs[messages[name]])
            node.send_output(name, array, event["metadata"])
            passed[name] += 1
        elif event["type"] == "STOP" or (event["type"], event["id"]) == ("INPUT_CLOSED", last):
            break
    print("passed on:", json.dumps(passed), file=sys.stderr)


if __name__ == "__main__":
    main()
