"""Serves an arm whose own controller takes steps of the tool to Tiller's driver for such arms.

The protocol is that of `crates/osc`. Nothing but the standard library is needed.
"""

from .server import PORT, Controller, Server, serve
from .wire import Fault, Hello, Malformed, State, Step

__all__ = [
    "PORT",
    "Controller",
    "Fault",
    "Hello",
    "Malformed",
    "Server",
    "State",
    "Step",
    "serve",
]
