"""The state database: only ever a saving."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import pytest

from runner.hashes import hash_bytes
from runner.store.state import RACY_NS, SMALL, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LARGE = b"x" * (2 * SMALL)
LONG_AGO = 1_000_000_000
POISON = "0" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state" / "hashed.db"


def later() -> int:
    """Give a time at which what was written just now has held still for long enough."""
    return time.time_ns() + 2 * RACY_NS


def _sized(files: Sequence[Path]) -> list[tuple[str, int]]:
    return [(str(file), file.stat().st_size) for file in files]


def learn(database: Path, *files: Path) -> None:
    with State(database, later) as state:
        list(state.hash_many(_sized(files)))


def rows(database: Path) -> int:
    connection = sqlite3.connect(database)
    count: int = connection.execute("SELECT count(*) FROM hashed").fetchone()[0]
    connection.close()
    return count


def poison(database: Path, answer: str = POISON) -> None:
    """Make every row answer wrongly, so that an answer from the database can be told from a hash."""
    connection = sqlite3.connect(database)
    connection.execute("UPDATE hashed SET md5 = ?", (answer,))
    connection.commit()
    connection.close()


def test_a_large_file_is_hashed_once_and_then_known(database: Path, file: Path) -> None:
    learn(database, file)
    poison(database)
    assert State(database).hash_file(file) == POISON


def test_who_asks_what_is_known_has_nothing_hashed(database: Path, file: Path) -> None:
    assert State(database).known(str(file)) == ""
    learn(database, file)
    assert State(database).known(str(file)) == hash_bytes(LARGE)
    file.write_bytes(LARGE[:-1] + b"y")
    assert State(database).known(str(file)) == ""


def test_what_was_hashed_while_it_was_written_is_known_to_this_process_alone(database: Path, file: Path) -> None:
    with State(database) as state:
        os.utime(file)
        state.wrote(str(file), "md5", POISON)
        assert state.known(str(file)) == POISON
        assert state.hash_file(file) == hash_bytes(LARGE)
        assert state.known(str(file), "md5-dos2unix") == ""
        os.utime(file, (LONG_AGO, LONG_AGO))
        assert state.known(str(file)) == ""
    assert not database.exists()


def test_a_small_file_is_always_hashed(database: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.write_bytes(b"small")
    os.utime(small, (LONG_AGO, LONG_AGO))
    learn(database, small)
    assert not database.exists()
    assert State(database).hash_file(small) == hash_bytes(b"small")


def test_a_run_that_hashes_nothing_large_opens_no_database(database: Path) -> None:
    learn(database)
    assert not database.parent.exists()


@pytest.mark.parametrize("change", ["content, with its time set back", "times", "inode"])
def test_a_file_that_may_have_changed_is_hashed_again(database: Path, file: Path, change: str) -> None:
    learn(database, file)
    poison(database)
    if change.startswith("content"):
        file.write_bytes(LARGE[:-1] + b"y")
        os.utime(file, (LONG_AGO, LONG_AGO))
    elif change == "times":
        os.utime(file, (LONG_AGO + 1, LONG_AGO + 1))
    else:
        other = file.with_name("other")
        other.write_bytes(LARGE)
        os.utime(other, (LONG_AGO, LONG_AGO))
        other.replace(file)
    assert State(database).hash_file(file) == hash_bytes(file.read_bytes())


@pytest.mark.parametrize("sets_back", [True, False])
@pytest.mark.parametrize(("age", "trusted"), [(1.9, False), (2.1, True), (-3600, False)])
def test_a_file_that_changed_just_before_it_was_looked_at_is_not_trusted(
    database: Path, file: Path, age: float, *, trusted: bool, sets_back: bool
) -> None:
    if not sets_back:
        os.utime(file)
    now = file.stat().st_ctime_ns + int(age * 10**9)
    with State(database, clock=lambda: now) as state:
        state.hash_file(file)
    assert database.exists() == trusted


def test_a_file_that_changes_while_it_is_hashed_is_not_remembered(database: Path, file: Path) -> None:
    def touch() -> int:
        os.utime(file, (LONG_AGO + 5, LONG_AGO + 5))
        return later()

    with State(database, clock=touch) as state:
        state.hash_file(file)
    assert not database.exists()


@pytest.mark.parametrize(
    "broken",
    [b"", b"not a database at all, only text that goes on for a while" * 50, b"SQLite format 3\0" + b"\xff" * 4096],
    ids=["empty", "text", "damaged"],
)
def test_a_broken_database_is_made_anew(database: Path, file: Path, broken: bytes) -> None:
    database.parent.mkdir()
    database.write_bytes(broken)
    with State(database, later) as state:
        assert state.hash_file(file) == hash_bytes(LARGE)
    assert rows(database) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE hashed (path TEXT)",
        "CREATE TABLE hashed (path BLOB PRIMARY KEY, inode, size, mtime_ns, ctime_ns, md5)",
        "CREATE TABLE other (x)",
        "PRAGMA user_version = 99",
    ],
)
def test_a_database_of_another_make_is_made_anew(database: Path, file: Path, statement: str) -> None:
    database.parent.mkdir()
    connection = sqlite3.connect(database)
    connection.execute(statement)
    connection.commit()
    connection.close()
    with State(database, later) as state:
        assert state.hash_file(file) == hash_bytes(LARGE)
    assert rows(database) == 1


@pytest.mark.parametrize("answer", ["../../etc/passwd", f"{POISON}.dir"])
def test_an_answer_that_is_no_md5_of_a_file_is_not_believed(database: Path, file: Path, answer: str) -> None:
    learn(database, file)
    poison(database, answer)
    assert State(database).hash_file(file) == hash_bytes(LARGE)


def test_a_database_that_another_process_writes_is_left_alone(
    database: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.store.state._PATIENCE", 0.01)
    learn(database, file)
    other = file.with_name("other")
    other.write_bytes(LARGE + b"!")
    os.utime(other, (LONG_AGO, LONG_AGO))
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with State(database, later) as state:
        assert state.hash_file(other) == hash_bytes(LARGE + b"!")
    writer.execute("COMMIT")
    writer.close()
    assert rows(database) == 1
    poison(database)
    assert State(database).hash_file(file) == POISON


def test_a_place_that_cannot_be_written_costs_nothing(tmp_path: Path, file: Path) -> None:
    (tmp_path / "state").write_bytes(b"a file")
    with State(tmp_path / "state" / "hashed.db") as state:
        assert state.hash_file(file) == hash_bytes(LARGE)


def test_many_files_are_hashed_in_their_order(database: Path, tmp_path: Path) -> None:
    contents = [bytes([number]) * (SMALL * (number % 3) + number) for number in range(12)]
    paths = []
    for number, content in enumerate(contents):
        paths.append(tmp_path / f"{number:02}")
        paths[-1].write_bytes(content)
    with State(database) as state:
        assert list(state.hash_many(_sized([*paths, paths[0]]))) == [
            hash_bytes(content) for content in [*contents, contents[0]]
        ]


def test_of_very_many_files_what_is_learnt_is_not_held_until_the_end(database: Path, tmp_path: Path) -> None:
    files = [tmp_path / str(number) for number in range(5)]
    for number, file in enumerate(files):
        file.write_bytes(LARGE + bytes([number]))
    with State(database, later, most=2) as state:
        list(state.hash_many(_sized(files)))
        assert rows(database) == 4
        poison(database)
        assert [state.hash_file(file) for file in files].count(POISON) == 4
    assert rows(database) == 5


def test_names_that_are_not_unicode_are_kept(database: Path, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"bad \xff name")
    path.write_bytes(LARGE)
    os.utime(path, (LONG_AGO, LONG_AGO))
    learn(database, path)
    assert rows(database) == 1


def test_what_is_no_regular_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        State().hash_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        State().hash_file(tmp_path / "nothing")


def test_several_threads_may_ask_at_once(database: Path, file: Path) -> None:
    learn(database, file)
    found: list[str] = []
    with State(database) as state:
        threads = [threading.Thread(target=lambda: found.append(state.hash_file(file))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [hash_bytes(LARGE)] * 8
