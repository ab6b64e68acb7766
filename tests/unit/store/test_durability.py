"""What the disk is told, read from the system calls: bytes before names, names before success."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from pathlib import Path

ADD = """
import sys
from pathlib import Path
from runner.hashes import Tree, hash_file
from runner.store.cache import Cache
folder = Path(sys.argv[1])
tree = Tree.of((path.name, hash_file(path)) for path in folder.iterdir())
Cache(Path(sys.argv[2])).add(folder, tree.hash, tree)
"""
PUSH = """
import sys
from pathlib import Path
from runner.store.directory import Directory
with Directory(Path(sys.argv[2])).together() as put:
    for path in Path(sys.argv[1]).iterdir():
        put(f"files/md5/{path.name}/object", path, lambda _: None)
"""
PUT = """
import sys
from pathlib import Path
from runner.store.directory import Directory
for path in Path(sys.argv[1]).iterdir():
    Directory(Path(sys.argv[2])).put(f"files/md5/{path.name}/object", path)
"""


def trace(code: str, source: Path, target: Path) -> list[tuple[str, str, str]]:
    """Run the code under strace; give what was synced and renamed, in order: call, path, new path."""
    log = target.with_suffix(".log")
    strace = str(require("strace", "what is written through to the disk"))
    command = [
        strace,
        "-f",
        "--seccomp-bpf",
        "-y",
        "-o",
        str(log),
        "-e",
        "trace=fsync,syncfs,rename,renameat,renameat2,mkdir",
    ]
    subprocess.run([*command, sys.executable, "-c", code, str(source), str(target)], check=True, cwd=ROOT)
    calls = []
    for line in log.read_text().splitlines():
        if synced := re.search(r"(fsync|syncfs)\(\d+<([^>]*)>\) = 0", line):
            calls.append((synced[1], synced[2], ""))
        elif made := re.search(r'mkdir\("([^"]+)".* = 0', line):
            calls.append(("mkdir", made[1], ""))
        elif renamed := re.search(r'rename\w*\(.*?"([^"]+)".*?"([^"]+)".* = 0', line):
            calls.append(("rename", renamed[1], renamed[2]))
    return [call for call in calls if str(target) in call[1] or call[0] == "syncfs"]


@pytest.mark.parametrize(("code", "count"), [(ADD, 3), (ADD, 40), (PUT, 3), (PUSH, 1), (PUSH, 3), (PUSH, 40)])
def test_an_object_is_on_the_disk_before_it_has_its_name_and_its_name_before_success(
    tmp_path: Path, code: str, count: int
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(count):
        (source / f"{number:02}").write_text(str(number))
    calls = trace(code, source, tmp_path / "target")
    renames = [place for place, call in enumerate(calls) if call[0] == "rename"]
    assert len(renames) >= count
    for place in renames:
        _, ready, final = calls[place]
        folder = final.rpartition("/")[0]
        assert any(call[0] == "syncfs" or call[1] == ready for call in calls[:place])
        assert any(call[0] == "syncfs" or call[1] == folder for call in calls[place:])
    inside = f"{tmp_path / 'target'}/"
    for place in [place for place, call in enumerate(calls) if call[0] == "mkdir" and call[1].startswith(inside)]:
        parent = calls[place][1].rpartition("/")[0]
        later = calls[place:]
        assert any(call[0] == "syncfs" or (call[0] == "fsync" and call[1] == parent) for call in later)


def test_a_listing_is_renamed_after_its_files_are_on_the_disk(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(20):
        (source / f"{number:02}").write_text(str(number))
    calls = trace(ADD, source, tmp_path / "target")
    listing = next(place for place, call in enumerate(calls) if call[2].endswith(".dir"))
    last_file = max(place for place, call in enumerate(calls) if call[0] == "rename" and place < listing)
    assert not [call for call in calls[listing + 1 :] if call[0] == "rename"]
    assert any(call[0] == "syncfs" for call in calls[last_file:listing])
