"""What a bridge owes the machine that it runs on: no keys of models, no writing through links."""

import os
import stat
import sys
from pathlib import Path
from typing import TextIO

CAREFUL = os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK | os.O_NOFOLLOW


def without_keys(environment: dict[str, str]) -> dict[str, str]:
    """The variables without the keys of models, as Tiller's other nodes go on without them."""
    return {
        name: value
        for name, value in environment.items()
        if not (name.endswith("_API_KEY") and value)
    }


def drop_keys() -> None:
    """Starts this program anew, under the same process number, without the keys of models.

    dora hands every node the environment in which it was started itself. To take keys out of a running
    process's environment would leave them readable in `/proc`.
    """
    kept = without_keys(dict(os.environ))
    if len(kept) == len(os.environ):
        return
    try:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], kept)
    except OSError as error:
        print(f"the keys of models stay in this process's environment: {error}", file=sys.stderr)


def read_bounded(path: Path, limit_bytes: int) -> str:
    """Reads a regular file of UTF-8 text.

    Raises OSError for all that is no regular file or longer, and UnicodeDecodeError.
    """
    if not path.is_file() and path.exists():
        raise OSError(f"{path}: expected a regular file")
    with path.open("rb") as file:
        data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise OSError(f"{path}: expected at most {limit_bytes} bytes, found more")
    return data.decode()


def open_to_append(path: Path) -> TextIO:
    """Opens a file to write at its end, and makes it where there is none.

    Raises OSError for a link and for all that is no regular file.
    """
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | CAREFUL, 0o666)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"{path}: expected a regular file or none")
    return os.fdopen(file, "a", encoding="utf-8")


def write_whole(path: Path, text: str) -> None:
    """Writes a file anew and puts it in place; a link there is replaced, and nothing else but a file is.

    Raises OSError.
    """
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        is_link_to_file = path.is_symlink() and (path.is_file() or not path.exists())
        if not is_link_to_file:
            raise OSError(f"{path}: expected a regular file or none")
    draft = path.with_name(f".{os.urandom(8).hex()}.tmp")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | CAREFUL, 0o666)
    try:
        with os.fdopen(file, "w", encoding="utf-8") as written:
            written.write(text)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
