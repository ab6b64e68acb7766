"""What we hashed already: a file's path, inode, size and times, and the hash they stood for. Only ever a saving.

A small file is simply hashed: that costs less than asking. Of a directory of many, one row says what listing all of
their marks stood for. A database that is missing, locked, damaged or of another version costs time and nothing else,
so it may be deleted at any moment. It trusts no file that was written less than two seconds before it was looked at:
such a file may change again without its time changing (git's "racily clean"). See docs/decisions/state.md.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Final, Protocol, Self

from runner import hashes
from runner.store import disk
from runner.store.digest import hash_as
from runner.store.meter import Meter, Tally, Work, once

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterator, Sequence
    from types import TracebackType

SMALL = 64 * 1024
"""Files below this many bytes are hashed anew each time, unless all of their directory is known."""

MANY = 512
"""A directory of fewer files costs less to hash than to ask for."""

RACY_NS = 2_000_000_000
"""The coarsest time stamp of a file system in use (FAT), in nanoseconds."""

_PATIENCE = 1.0  # seconds for another process that writes; after them, nothing is known and nothing remembered
_VERSION = 2
_TABLE = "CREATE TABLE IF NOT EXISTS hashed (path BLOB PRIMARY KEY, mark BLOB, md5 TEXT) WITHOUT ROWID"
_LOOKUP = "SELECT md5 FROM hashed WHERE path = ? AND mark = ?"

_TOGETHER = 4096
"""Files that are looked at together: so many large ones may wait for each other."""

_MOST: Final = 1 << 16
"""Files of which what was learnt is held before it is written: 25 MB."""

_packed = Struct("<2Q2q").pack


def mark(found: os.stat_result) -> bytes:
    """Give what changes when a file does: inode, size in bytes, mtime and ctime in nanoseconds."""
    return _packed(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def newest(found: os.stat_result) -> int:
    """Give when a file last changed, in nanoseconds since 1970: who sets its mtime back cannot set its ctime."""
    return max(found.st_mtime_ns, found.st_ctime_ns)


class Files(Protocol):
    """All files of a directory that count.

    Attributes:
        top: the directory, absolute.
        looked: when the first of them was looked at, in nanoseconds since 1970.
        newest: the latest time that any of them has, likewise.

    """

    top: str
    looked: int
    newest: int

    @property
    def mark(self) -> bytes:
        """Differs where the path or the mark of any file does."""

    def __len__(self) -> int:
        """Count them."""


class State:
    """Hashes files, and remembers the large ones from one run to the next. Safe to use from several threads."""

    def __init__(
        self,
        path: Path | None = None,
        clock: Callable[[], int] = time.time_ns,
        meter: Meter | None = None,
        most: int = _MOST,
    ) -> None:
        """Remember hashes.

        Args:
            path: the database, written by `close`; within the process only where it is `None`.
            clock: nanoseconds since 1970.
            meter: shows how far it is where there is much to hash.
            most: files that are held here; what is learnt of more is written before the end.

        """
        self._most = most
        self._meter = meter or Meter()
        self._path = path
        self.clock = clock
        self._learnt: dict[str, tuple[bytes, str]] = {}
        self._written: dict[str, tuple[bytes, str]] = {}
        self._database: sqlite3.Connection | None = None
        self._opened = False
        self._is_held = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close, whatever happened: what was learnt is true all the same."""
        self.close()

    def hash_file(self, path: str | Path, kind: str = hashes.MD5, tally: Tally | None = None) -> str:
        """Give the hash of the file at `path` (absolute), hashing it only if it is small or may have changed.

        Args:
            path: the file.
            kind: `md5`, or DVC's hash before 3.0.
            tally: counts its bytes, if it is hashed as one of many.

        Raises:
            OSError: it cannot be read.

        """
        where = os.fspath(path)
        before = _regular(os.stat(where))  # noqa: PTH116 - a Path costs more than the call
        if before.st_size < SMALL:
            return _hashed(where, kind)
        known = self._lookup(_row(where, kind), mark(before))
        return known if known and not known.endswith(hashes.DIR) else self._learn(before, where, kind, tally)

    def known(self, path: str, kind: str = hashes.MD5) -> str:
        """Give the hash of the file at `path` without reading it; empty if it is small or may have changed.

        What `wrote` was told of counts here, and not for `hash_file`: it is younger than what that believes.

        Raises:
            OSError: there is no such file.

        """
        found = os.stat(path)  # noqa: PTH116 - a Path costs more than the call
        if found.st_size < SMALL:
            return ""
        row, seen = _row(path, kind), mark(found)
        written = self._written.get(row)
        known = written[1] if written and written[0] == seen else self._lookup(row, seen)
        return known if known and not known.endswith(hashes.DIR) else ""

    def wrote(self, path: str, kind: str, md5: str) -> None:
        """Take note, for this process, of a file that was hashed while it was written and has just got its name."""
        found = os.stat(path)  # noqa: PTH116 - as above
        if found.st_size >= SMALL:
            with self._lock:
                if len(self._written) < 2 * self._most:
                    self._written[_row(path, kind)] = (mark(found), md5)

    def has_written(self, path: str, kind: str) -> bool:
        """Whether `wrote` was told of this very file; of any other, small ones above all, the system is not asked."""
        return _row(path, kind) in self._written and bool(self.known(path, kind))

    def took(self, path: str, kind: str, before: os.stat_result, looked: int, md5: str) -> None:
        """Remember the hash of a file if it held still while it was hashed, and for long enough before.

        Args:
            path: the file.
            kind: how it was hashed.
            before: how the system described it just before.
            looked: when that was, in nanoseconds since 1970.
            md5: its hash.

        """
        seen = mark(before)
        if mark(os.stat(path)) == seen and newest(before) < looked - RACY_NS:  # noqa: PTH116 - as above
            with self._lock:
                self._learnt[_row(path, kind)] = (seen, md5)
                if len(self._learnt) >= self._most:
                    self._write_out()

    def listing(self, files: Files, kind: str = hashes.MD5) -> str | None:
        """Give the hash of a directory's listing if none of its files has changed since it was learnt."""
        if len(files) < MANY:
            return None
        known = self._lookup(_row(f"{files.top}/", kind), files.mark)
        return known if known and known.endswith(hashes.DIR) else None

    def learn(self, files: Files, value: str, kind: str = hashes.MD5) -> None:
        """Remember the hash of a directory's listing, whose files were hashed after all of them had been looked at."""
        if len(files) >= MANY and files.newest < files.looked - RACY_NS:
            with self._lock:
                self._learnt[_row(f"{files.top}/", kind)] = (files.mark, value)

    def hash_many(self, files: Collection[tuple[str, int]], kind: str = hashes.MD5) -> Iterator[str]:
        """Give the hash of each file, in order and one by one; several large ones are hashed at once.

        Args:
            files: paths of regular files (absolute), and their sizes in bytes, which spares asking once more.
            kind: `md5`, or DVC's hash before 3.0.

        Raises:
            OSError: one cannot be read.

        """
        tally = Tally()
        with self._meter.watch(Work("hash", tally.counts, len(files), once(lambda: sum(size for _, size in files)))):
            coming = iter(files)
            while several := list(islice(coming, _TOGETHER)):
                found = self._hash_large([path for path, size in several if size >= SMALL], kind, tally)
                for path, size in several:
                    yield _hashed(path, kind) if size < SMALL else found[path]
                    tally.objects += 1
                    tally.bytes += size if size < SMALL else 0  # a large one was told of while it was hashed

    def _hash_large(self, paths: Sequence[str], kind: str, tally: Tally) -> dict[str, str]:
        """Give the hash of each of these files, several at once, by its path."""
        if len(paths) < 2:  # noqa: PLR2004 - one needs no thread
            return {path: self.hash_file(path, kind, tally) for path in paths}
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most runs hash nothing large

        with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, len(paths))) as threads:
            return dict(zip(paths, threads.map(partial(self.hash_file, kind=kind, tally=tally), paths), strict=True))

    def close(self) -> None:
        """Write what was learnt. A database that cannot be written is given up or made anew."""
        with self._lock:
            self._write_out()
            if self._database:
                self._database.close()
            self._database, self._opened = None, False
            self._learnt.clear()

    def _learn(self, before: os.stat_result, where: str, kind: str, tally: Tally | None) -> str:
        """Hash the file, and remember it if it held still meanwhile and for long enough before."""
        looked = self.clock()
        if tally:
            md5 = hash_as(kind, where, tally.report)
        else:
            tally = Tally()
            with self._meter.watch(Work("hash", tally.counts, 1, lambda: before.st_size)):
                md5 = hash_as(kind, where, tally.report)
                tally.objects += 1
        self.took(where, kind, before, looked, md5)
        return md5

    def _lookup(self, row: str, mark: bytes) -> str | None:
        with self._lock:
            known = self._learnt.get(row)
            if known and known[0] == mark:
                return known[1]
            if not self._opened:
                self._open(must_exist=True)
            return self._found(row, mark) if self._database else None

    def _found(self, row: str, mark: bytes) -> str | None:
        import sqlite3  # noqa: PLC0415 - see `_open`

        try:
            found = self._database.execute(_LOOKUP, (os.fsencode(row), mark)).fetchone() if self._database else None
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        md5 = found[0] if found else None
        return md5 if isinstance(md5, str) and hashes.Hash(md5).is_valid else None

    def _open(self, *, must_exist: bool) -> None:
        """Open the database if there is one, or make one; leave `_database` at `None` where that fails."""
        self._opened = True
        if self._path is None or (must_exist and not self._path.is_file()):
            return
        import sqlite3  # noqa: PLC0415 - 4 ms, for who has large files alone

        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            if self._database.execute("PRAGMA user_version").fetchone() not in {(0,), (_VERSION,)}:
                self._drop()
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def _write_out(self) -> None:
        """Let the database have what was learnt, in one transaction; without one it stays here."""
        if self._path is not None and self._learnt:
            if not self._save():
                self._drop()
                self._save()
            self._learnt.clear()

    def _save(self) -> bool:
        """Write the rows; False where the database is beyond use. One that another process holds is left alone."""
        if self._database is None:
            self._open(must_exist=False)
        if self._database is None:
            return self._is_held
        import sqlite3  # noqa: PLC0415 - see `_open`

        rows = [(os.fsencode(row), mark, md5) for row, (mark, md5) in self._learnt.items()]
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(_TABLE)
            self._database.executemany("INSERT OR REPLACE INTO hashed VALUES (?, ?, ?)", rows)
            self._database.execute(f"PRAGMA user_version = {_VERSION}")
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            return _is_held(error)
        return True

    def _give_up(self, error: Exception) -> None:
        """Do without the database; one that another process has for itself is its, any other is beyond use."""
        self._is_held = _is_held(error)
        if not self._is_held:
            self._drop()
        elif self._database:
            self._database.close()
            self._database = None

    def _drop(self) -> None:
        """Throw a broken database away; the next one starts empty."""
        if self._database:
            self._database.close()
        self._database, self._opened = None, True
        if self._path is not None:
            for suffix in ("", "-journal"):
                with suppress(OSError):
                    Path(f"{self._path}{suffix}").unlink()


def _hashed(path: str, kind: str) -> str:
    return hashes.hash_bytes(disk.read(path)) if kind == hashes.MD5 else hash_as(kind, path)


def _is_held(error: Exception) -> bool:
    """Whether it only says that another process has the database for itself."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _regular(found: os.stat_result) -> os.stat_result:
    if not stat.S_ISREG(found.st_mode):
        message = "not a regular file"
        raise OSError(message)
    return found


def _row(path: str, kind: str) -> str:
    return path if kind == hashes.MD5 else f"{path}\0{kind}"  # no path holds a NUL
