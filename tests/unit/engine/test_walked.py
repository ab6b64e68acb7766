"""A directory that was hashed before is known by the marks of its files, and by nothing less."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from runner.engine.decision import Content
from runner.engine.workspace import Workspace
from runner.errors import ConfigError
from runner.hashes import LEGACY, MD5, Hash, Tree, hash_bytes
from runner.store.state import MANY, RACY_NS, State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNT = 2 * MANY + 1
"""Files: more than one page of what is walked."""
POISON = f"{'0' * 32}.dir"
LONG_AGO = 1_000_000_000
EDITED = "d/0007"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "d"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number:04}").write_bytes(b"%d" % number)
        os.utime(folder / f"{number:04}", (LONG_AGO, LONG_AGO))
    return tmp_path


def later() -> int:
    """Give a time at which what was written just now has held still for long enough."""
    return time.time_ns() + 2 * RACY_NS


def look(root: Path, clock: Callable[[], int] = later, kind: str = MD5) -> Content | None:
    """Look at the directory as a process of its own does."""
    with State(root / "state.db", clock) as state:
        return Workspace(root, state).observe("d", kind)


def true(root: Path) -> Content:
    files = {path.relative_to(root / "d").as_posix(): path for path in (root / "d").rglob("*") if path.is_file()}
    tree = Tree.of((inner, hash_bytes(path.read_bytes())) for inner, path in files.items())
    return Content(tree.hash, sum(path.stat().st_size for path in files.values()), len(tree))


def poison(root: Path, answer: str = POISON) -> None:
    """Make every row answer wrongly, so that an answer from the database can be told from a hash."""
    with sqlite3.connect(root / "state.db") as connection:
        assert connection.execute("UPDATE hashed SET md5 = ?", (answer,)).rowcount
    connection.close()


def is_known(root: Path) -> bool:
    """Whether the directory is not hashed again; whatever the answer, it is the true one if it is."""
    found = look(root)
    assert found is not None
    assert found.hash.value == POISON or found == true(root)
    return found.hash.value == POISON


def test_a_directory_that_did_not_change_is_not_hashed_again(root: Path) -> None:
    assert look(root) == true(root)
    poison(root)
    assert look(root) == Content(Hash(POISON), true(root).size, COUNT)


def _edited(root: Path) -> None:
    (root / EDITED).write_bytes(b"9")


def _edited_with_its_time_set_back(root: Path) -> None:
    before = (root / EDITED).stat()
    (root / EDITED).write_bytes(b"9")
    os.utime(root / EDITED, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = (root / EDITED).stat()
    assert (before.st_ino, before.st_size, before.st_mtime_ns) == (after.st_ino, after.st_size, after.st_mtime_ns)


def _replaced(root: Path) -> None:
    shutil.copy2(root / EDITED, root / "other")
    (root / "other").replace(root / EDITED)


def _renamed(root: Path) -> None:
    (root / EDITED).rename(root / "d" / "7")


def _moved_below(root: Path) -> None:
    (root / "d" / "below").mkdir()
    (root / EDITED).rename(root / "d" / "below" / "0007")


def _exchanged(root: Path) -> None:
    (root / EDITED).rename(root / "aside")
    (root / "d" / "0008").rename(root / EDITED)
    (root / "aside").rename(root / "d" / "0008")


def _added(root: Path) -> None:
    (root / "d" / "new").write_bytes(b"")


def _removed(root: Path) -> None:
    (root / EDITED).unlink()


def _linked(root: Path) -> None:
    (root / EDITED).rename(root / "d" / ".0007")
    (root / EDITED).symlink_to("0008")


@pytest.mark.parametrize(
    "change",
    [
        *(_edited, _edited_with_its_time_set_back, _replaced, _renamed),
        *(_moved_below, _exchanged, _added, _removed, _linked),
    ],
)
def test_a_directory_in_which_anything_changed_is_hashed_again(root: Path, change: Callable[[Path], None]) -> None:
    look(root)
    poison(root)
    change(root)
    assert not is_known(root)


@pytest.mark.parametrize(("age", "trusted"), [(1.9, False), (2.1, True), (-3600, False)])
def test_a_directory_of_which_one_file_changed_just_before_is_not_trusted(
    root: Path, age: float, *, trusted: bool
) -> None:
    newest = max(path.stat().st_ctime_ns for path in (root / "d").iterdir())
    look(root, lambda: newest + int(age * 10**9))
    assert (root / "state.db").exists() == trusted


def test_an_edit_in_the_tick_of_the_clock_in_which_the_directory_was_looked_at_is_seen(root: Path) -> None:
    (root / EDITED).write_bytes(b"1")
    look(root, time.time_ns)
    before = (root / EDITED).stat()
    (root / EDITED).write_bytes(b"2")  # of the same size, perhaps with the same times
    os.utime(root / EDITED, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert look(root) == true(root)


def test_the_two_kinds_of_hash_are_known_apart(root: Path) -> None:
    (root / EDITED).write_bytes(b"a\r\n")
    found = look(root)
    legacy = look(root, kind=LEGACY)
    assert found is not None
    assert legacy is not None
    assert legacy.hash.name == LEGACY
    assert legacy.hash.value != found.hash.value
    assert (look(root), look(root, kind=LEGACY)) == (found, legacy)


@pytest.mark.parametrize("answer", ["0" * 32, "../../etc.dir", "", "0" * 31 + ".dir"])
def test_an_answer_that_names_no_listing_is_not_believed(root: Path, answer: str) -> None:
    look(root)
    poison(root, answer)
    assert look(root) == true(root)


def test_a_database_that_is_gone_or_broken_costs_nothing_but_time(root: Path) -> None:
    look(root)
    (root / "state.db").write_bytes(b"garbage" * 1000)
    assert look(root) == true(root)
    (root / "state.db").unlink()
    assert look(root) == true(root)
    poison(root)
    assert is_known(root)


def test_a_database_that_another_process_has_for_itself_is_done_without(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.store.state._PATIENCE", 0.01)
    look(root)
    poison(root)
    other = sqlite3.connect(root / "state.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert look(root) == true(root)
    other.execute("ROLLBACK")
    other.close()
    assert is_known(root)


def test_a_database_that_belongs_to_another_folder_says_nothing(root: Path, tmp_path: Path) -> None:
    look(root)
    poison(root)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copytree(root / "d", other / "d", copy_function=shutil.copy2)
    shutil.copy(root / "state.db", other / "state.db")
    assert look(other) == true(other)


def test_the_listing_of_a_known_directory_can_be_had(root: Path) -> None:
    look(root)
    with State(root / "state.db", later) as state:
        workspace = Workspace(root, state)
        found = workspace.observe("d")
        assert found == true(root)
        assert workspace.tree("d").hash == found.hash


def test_a_known_directory_that_changes_before_its_listing_is_asked_for_is_refused(root: Path) -> None:
    look(root)
    with State(root / "state.db", later) as state:
        workspace = Workspace(root, state)
        workspace.observe("d")
        (root / EDITED).write_bytes(b"9")
        with pytest.raises(ConfigError, match="d changed while it was looked at"):
            workspace.tree("d")
        workspace.forget("d")
        workspace.observe("d")
        assert workspace.tree("d").hash == true(root).hash


def test_what_a_file_is_supposed_to_hold_is_never_remembered(root: Path) -> None:
    with State(root / "state.db", later) as state:
        workspace = Workspace(root, state)
        workspace.suppose(EDITED, b"supposed")
        supposed = workspace.observe("d")
    assert supposed != true(root)
    assert look(root) == true(root)
    with State(root / "state.db", later) as state:
        workspace = Workspace(root, state)
        workspace.suppose(EDITED, b"supposed")
        assert workspace.observe("d") == supposed
