"""Keys that go and links that are not followed, without any simulator."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tiller_bridge.system import open_to_append, read_bounded, without_keys, write_whole

# Says whether it was started with arguments and which keys it has, as the kernel sees them.
PROGRAM = """
import sys
from tiller_bridge.system import drop_keys
drop_keys()
names = [part.partition(b"=")[0].decode() for part in open("/proc/self/environ", "rb").read().split(b"\\0")]
print(sys.argv[1:], [name for name in names if name.endswith("_API_KEY") or name == "KEPT"])
"""


class Keys(unittest.TestCase):
    def test_only_keys_go(self):
        kept = {"PATH": "/bin", "KEY_FILE": "/key", "EMPTY_API_KEY": ""}
        self.assertEqual(without_keys(kept | {"OPENAI_API_KEY": "sk"}), kept)

    def test_a_process_goes_on_without_them(self):
        environment = os.environ | {"OPENAI_API_KEY": "sk-0815", "KEPT": "yes"}
        root = Path(__file__).parents[1]
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, "a b", "--c"],
            env=environment,
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(ran.stdout.strip(), "['a b', '--c'] ['KEPT']", ran.stderr)


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "file"
        self.file.write_text("old\n")
        self.link = self.folder / "link"
        self.link.symlink_to("file")

    def test_files_grow_and_links_are_refused(self):
        for text in ("one\n", "two\n"):
            with open_to_append(self.file) as file:
                file.write(text)
        self.assertEqual(self.file.read_text(), "old\none\ntwo\n")
        with open_to_append(self.folder / "new") as file:
            file.write("x")
        (self.folder / "nowhere").symlink_to("nothing")
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for other in (self.link, self.folder / "nowhere", pipe, self.folder, Path("/dev/null")):
            with self.assertRaises(OSError, msg=str(other)):
                open_to_append(other).close()
        self.assertFalse((self.folder / "nothing").exists())
        self.assertEqual(self.file.read_text(), "old\none\ntwo\n")

    def test_reading_is_bounded(self):
        self.assertEqual(read_bounded(self.link, 4), "old\n")
        os.mkfifo(self.folder / "pipe")
        for path, limit in ((self.file, 3), (Path("/dev/zero"), 9), (self.folder / "pipe", 9)):
            with self.assertRaises(OSError, msg=str(path)):
                read_bounded(path, limit)

    def test_files_are_written_anew_and_links_replaced(self):
        write_whole(self.link, "new")
        self.assertEqual((self.link.read_text(), self.file.read_text()), ("new", "old\n"))
        self.assertFalse(self.link.is_symlink())
        write_whole(self.file, "newer")
        self.assertEqual(self.file.read_text(), "newer")
        (self.folder / "device").symlink_to("/dev/null")
        for other in (self.folder, self.folder / "device", Path("/dev/null")):
            with self.assertRaises(OSError, msg=str(other)):
                write_whole(other, "x")
        self.assertEqual(
            sorted(path.name for path in self.folder.iterdir()), ["device", "file", "link"]
        )


if __name__ == "__main__":
    unittest.main()
