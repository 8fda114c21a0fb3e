"""Lines over a connection, of bounded length and with bounded waits."""

import socket
import time

from .wire import MAX_LINE, Malformed

# How long a line may wait for room in the connection: a driver that reads always has some.
SENDING_S = 0.1
# How long a driver that has vanished without a word may leave what was said unanswered, ms.
VANISHED_MS = 2000
# How long the rest of what a refused driver says is listened to, so that it hears why.
FAREWELL_S = 0.2


class Gone(Exception):
    """The connection has ended; the text says how."""


def lost(error: OSError) -> Gone:
    return Gone(f"the connection is lost: {error}")


class Lines:
    """A driver's connection. Times are those of `time.monotonic`. Raises Gone where it has ended already."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self.buffer = bytearray()
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, VANISHED_MS)
        except OSError as error:
            raise lost(error) from error

    def say(self, line: bytes) -> None:
        """Raises Gone where nobody reads it."""
        self.connection.settimeout(SENDING_S)
        try:
            self.connection.sendall(line)
        except TimeoutError as error:
            raise Gone("the driver does not read what it is told") from error
        except OSError as error:
            raise lost(error) from error

    def hear(self, until_s: float) -> bytes | None:
        """The next line, without its end; None where there is none until then.

        Raises Gone, and Malformed for a line that is too long.
        """
        while True:
            end = self.buffer.find(b"\n")
            length = end if end >= 0 else len(self.buffer)
            if length >= MAX_LINE:
                raise Malformed(f"lines below {MAX_LINE} bytes", "a longer one")
            if end >= 0:
                line = bytes(self.buffer[:end])
                del self.buffer[: end + 1]
                return line
            if not self._fill(until_s):
                return None

    @property
    def has_line(self) -> bool:
        """Whether a whole line is here already."""
        return b"\n" in self.buffer

    def rest(self, until_s: float) -> None:
        """Waits, with an ear on the connection.

        Raises Gone as soon as it ends.
        """
        while True:
            left_s = until_s - time.monotonic()
            if left_s <= 0.0:
                return
            if len(self.buffer) >= MAX_LINE:
                time.sleep(left_s)
            else:
                self._fill(until_s)

    def refuse(self, line: bytes) -> None:
        """Says why the connection is ended, as far as that is heard."""
        try:
            self.say(line)
            self.connection.shutdown(socket.SHUT_WR)
            # What is unread when a connection is closed would take the line with it.
            until_s = time.monotonic() + FAREWELL_S
            while self._fill(until_s):
                self.buffer.clear()
        except (Gone, OSError):
            pass

    def _fill(self, until_s: float) -> bool:
        """Waits for more bytes; False where none come until then."""
        left_s = until_s - time.monotonic()
        if left_s <= 0.0:
            return False
        self.connection.settimeout(left_s)
        try:
            more = self.connection.recv(MAX_LINE)
        except TimeoutError:
            return False
        except OSError as error:
            raise lost(error) from error
        if not more:
            raise Gone("the driver has gone")
        self.buffer += more
        return True
