"""A directory's listing, in the memory that its text needs: a million files take about as much as their paths.

Source: DVC's `.dir` listings (`json.dumps(list, sort_keys=True)`, sorted by code point of the whole relative path).
"""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import field
from functools import cached_property
from itertools import chain, dropwhile, islice, pairwise, takewhile
from operator import lt
from typing import TYPE_CHECKING, Any, Final

from runner import digests
from runner.errors import Corrupt
from runner.hashes.hash import DIR, MD5, Hash, hash_bytes
from runner.hashes.names import DIGEST, Names
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Row = tuple[str, str]
    """A file's path, relative and POSIX, and its md5."""

_ROWS: Final = 1024
"""Files on a page: enough that a page costs nothing, few enough that a look into one costs little."""

_BETWEEN: Final = b'"}, {"md5": "'
"""What DVC writes between two rows. In JSON it stands nowhere else: a quote inside of a string is escaped."""
_ENDS, _BEGINS = b'"}]', b'[{"md5": "'
_LONGEST: Final = 1 << 22
"""Bytes without two of DVC's rows in them: whoever wrote these writes otherwise."""

_MEMBER = regex(r"[0-9a-f]{32}\Z")
_MEMBERS = regex(r"[0-9a-f]+\Z")
_UNSAFE = regex(r"(?:\A|[\0/])\.{0,2}(?=[\0/]|\Z)")
"""An empty part, `.` or `..`, in paths that a NUL parts."""

_paths_as_json = json.JSONEncoder(separators=("\0", ":")).encode


@dataclass(frozen=True, slots=True)
class _Page:
    """Files of a listing, one after the other: paths, parted by a NUL (which none can hold), and digests."""

    paths: bytes
    digests: bytes

    @classmethod
    def of(cls, paths: Sequence[str], md5s: Sequence[str]) -> _Page:
        """Pack rows.

        Raises:
            ValueError: a path holds a NUL, or an md5 is none.

        """
        page = cls("\0".join(paths).encode("utf-8", "surrogatepass"), bytes.fromhex("".join(md5s)))
        if len(page.digests) != DIGEST * len(paths) or page.paths.count(b"\0") != len(paths) - 1:
            message = "a path holds a NUL, or an md5 has not 32 digits"
            raise ValueError(message)
        return page

    @property
    def first(self) -> bytes:
        return self.paths.partition(b"\0")[0]

    def names(self) -> list[str]:
        """Give the paths."""
        return self.paths.decode("utf-8", "surrogatepass").split("\0")

    def md5s(self) -> list[str]:
        """Give the md5s."""
        return self.digests.hex(" ", DIGEST).split(" ")

    def rows(self) -> Iterator[Row]:
        """Give the rows."""
        return zip(self.names(), self.md5s(), strict=True)

    def rendered(self) -> str:
        """Give the rows as DVC writes them, without what comes before and after."""
        quoted = _paths_as_json(self.names())[1:-1].split("\0")  # JSON escapes a NUL, so each of these parts two paths
        return ", ".join(
            [f'{{"md5": "{md5}", "relpath": {path}}}' for path, md5 in zip(quoted, self.md5s(), strict=True)]
        )


@dataclass(frozen=True)
class Tree:
    """A directory's listing: `(relative POSIX path, md5 of the file)`, sorted by code point of the path.

    Empty directories, modes and times are not represented (DVC's rule). It is gone through, or asked for one path;
    whoever makes a list of it takes ten times its memory.

    Attributes:
        pages: the rows, packed.
        kind: how the files were hashed, and so where their objects are: `md5`, or `md5-dos2unix`.

    """

    pages: tuple[_Page, ...] = field(repr=False)
    kind: str = MD5

    @classmethod
    def of(cls, files: Iterable[Row], kind: str = MD5) -> Tree:
        """Sort `files` as DVC does; they may come one by one.

        Raises:
            ValueError: a path holds a NUL, or an md5 is none.

        """
        rows = [_packed(path, md5) for path, md5 in files]  # half of what two strings and a tuple take
        rows.sort()
        return cls._sorted((_unpacked(row) for row in rows), kind)

    @classmethod
    def _sorted(cls, rows: Iterable[Row], kind: str) -> Tree:
        """Take rows that are in order."""
        coming = iter(rows)
        pages = []
        while page := list(islice(coming, _ROWS)):
            pages.append(_Page.of(*zip(*page, strict=True)))
        return cls(tuple(pages), kind)

    @classmethod
    def read(cls, chunks: Iterable[bytes], kind: str = MD5) -> Tree | None:
        """Read a `.dir` object as its bytes come, in the memory of the listing alone.

        Gives `None` where it is not as DVC writes it: broken, unsafe, or another spelling. `parse` says what it is.
        """
        reading = _Reading()
        rest = b""
        try:
            for chunk in chunks:
                block, between, rest = (rest + chunk).rpartition(_BETWEEN)
                if between:
                    reading.take(block + _ENDS)
                    rest = _BEGINS + rest
                elif len(rest) > _LONGEST:
                    return None
            reading.take(rest)
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return cls(reading.pages(), kind)

    @classmethod
    def parse(cls, content: bytes, origin: str = "listing", kind: str = MD5) -> Tree:
        """Read a `.dir` object in any spelling. Refuses what could leave the directory or is not a listing.

        Raises:
            Corrupt: not JSON, not a list of `{md5, relpath}`, an unsafe path, or a path twice.

        """
        try:
            rows = json.loads(content, object_hook=_row)
            if not isinstance(rows, list) or not all(isinstance(row, tuple) for row in rows):
                raise TypeError(type(rows))  # noqa: TRY301 - told below like everything else that is no listing
        except (ValueError, TypeError, RecursionError) as error:
            message = f"{origin} is not a directory listing: {type(error).__name__}"
            raise Corrupt(message, "delete the object and push the directory again") from error
        for relpath, md5 in rows:
            check_row(relpath, md5, origin)
        rows.sort()
        if any(one[0] == other[0] for one, other in pairwise(rows)):
            message = f"{origin} names a path twice"
            raise Corrupt(message, "delete the object and push the directory again")
        return cls._sorted(rows, kind)

    def rendered(self) -> Iterator[bytes]:
        """Give the bytes of the `.dir` object, a page at a time."""
        before = "["
        for page in self.pages:
            yield (before + page.rendered()).encode()
            before = ", "
        yield b"]" if self.pages else b"[]"

    def render(self) -> bytes:
        """Give the bytes of the `.dir` object."""
        return b"".join(self.rendered())

    @cached_property
    def hash(self) -> Hash:
        """The name of the listing."""
        digest = digests.md5()
        for chunk in self.rendered():
            digest.update(chunk)
        return Hash(digest.hexdigest() + DIR, self.kind)

    def __len__(self) -> int:
        """Count the files."""
        return sum(len(page.digests) for page in self.pages) // DIGEST

    def __iter__(self) -> Iterator[Row]:
        """Give the path and the md5 of each file."""
        return chain.from_iterable(page.rows() for page in self.pages)

    def members(self) -> Iterator[tuple[str, Hash]]:
        """Give the path and the name of each file."""
        return ((path, Hash(md5, self.kind)) for path, md5 in self)

    @cached_property
    def names(self) -> Names:
        """The files' names, each once."""
        return Names.packed(self.kind, (page.digests for page in self.pages))

    def lookup(self, relpath: str) -> Hash | Tree | None:
        """Give what lies at `relpath`: a file's hash, the listing of a sub-directory, or nothing."""
        path, md5 = next(self._on_from(relpath), ("", ""))
        return Hash(md5, self.kind) if md5 and path == relpath else self.below(relpath)

    def below(self, relpath: str) -> Tree | None:
        """Give the listing of the sub-directory `relpath`; `None` where the listing has no such folder."""
        prefix = f"{relpath}/"
        inside = takewhile(lambda row: row[0].startswith(prefix), self._on_from(prefix))
        tree = Tree._sorted(((path.removeprefix(prefix), md5) for path, md5 in inside), self.kind)
        return tree if tree.pages else None

    def _on_from(self, path: str) -> Iterator[Row]:
        """Give the rows whose path is not before `path`."""
        start = bisect_left(self.pages, path.encode("utf-8", "surrogatepass"), key=lambda page: page.first)
        rows = chain.from_iterable(page.rows() for page in islice(self.pages, max(start - 1, 0), None))
        return dropwhile(lambda row: row[0] < path, rows)


def differing(one: Iterable[Row], other: Iterable[Row]) -> Iterator[tuple[str, str, str]]:
    """Give, in order, each path that two listings do not agree on, and its md5 in both; empty where one has none."""
    last = ("", "")  # no path is empty
    left, right = iter(one), iter(other)
    was, now = next(left, last), next(right, last)
    while was is not last or now is not last:
        if was == now:
            was, now = next(left, last), next(right, last)
        elif was is last or (now is not last and now[0] < was[0]):
            yield now[0], "", now[1]
            now = next(right, last)
        elif now is last or was[0] < now[0]:
            yield was[0], was[1], ""
            was = next(left, last)
        else:
            yield was[0], was[1], now[1]
            was, now = next(left, last), next(right, last)


class _Reading:
    """Rows as they come, checked, and packed as soon as they fill a page."""

    def __init__(self) -> None:
        self._pages: list[_Page] = []
        self._paths: list[str] = []
        self._md5s: list[str] = []

    def take(self, text: bytes) -> None:
        """Take a part of a listing that is a listing itself.

        Raises:
            ValueError, TypeError, KeyError, RecursionError: it is none, it is unsafe, or not in order.

        """
        rows = json.loads(text)
        if not isinstance(rows, list):
            raise TypeError(type(rows))
        paths = [row["relpath"] for row in rows]
        md5s = [row["md5"] for row in rows]
        _check_rows([*self._paths[-1:], *paths], md5s)
        self._paths += paths
        self._md5s += md5s
        while len(self._paths) > _ROWS:  # one is left, for what comes next to be compared with
            self._pack()

    def pages(self) -> tuple[_Page, ...]:
        """Give everything taken."""
        if self._paths:
            self._pack()
        return tuple(self._pages)

    def _pack(self) -> None:
        self._pages.append(_Page.of(self._paths[:_ROWS], self._md5s[:_ROWS]))
        del self._paths[:_ROWS], self._md5s[:_ROWS]


def _check_rows(paths: Sequence[str], md5s: Sequence[str]) -> None:
    """Refuse rows that are not all in order, safe and plain, without a look at each; see `check_row`.

    Raises:
        ValueError, TypeError: they are not.

    """
    joined, digests = "\0".join(paths), "".join(md5s)
    in_order = all(map(lt, paths, islice(paths, 1, None)))
    plain = set(map(len, md5s)) == {2 * DIGEST} and _MEMBERS.match(digests)
    if md5s and (not in_order or not plain or _UNSAFE.search(joined) or joined.count("\0") >= len(paths)):
        message = "not a listing as DVC writes it"
        raise ValueError(message)


def _packed(path: str, md5: str) -> bytes:
    """Give one sequence of bytes for a row, in the order of rows."""
    digest = bytes.fromhex(md5)
    if len(digest) != DIGEST:
        message = f"{md5!r} is no md5"
        raise ValueError(message)
    return path.encode("utf-8", "surrogatepass") + b"\0" + digest


def _unpacked(row: bytes) -> Row:
    return row[: -DIGEST - 1].decode("utf-8", "surrogatepass"), row[-DIGEST:].hex()


def _row(found: dict[str, Any]) -> object:
    """Make a pair of a row while the listing is read: a million mappings at once take three times the memory."""
    return (found["relpath"], found["md5"]) if "relpath" in found and "md5" in found else found


def check_row(relpath: object, md5: object, origin: str) -> None:
    """Refuse a row that is not a plain relative path with a plain md5 (reliability rule: R1)."""
    hint = "the listing was damaged or made by hand; push the directory again from a good copy"
    if not isinstance(relpath, str) or not isinstance(md5, str) or not _MEMBER.match(md5):
        message = f"{origin}: {relpath!r} with md5 {md5!r} is not an entry of a listing"
        raise Corrupt(message, hint)
    parts = relpath.split("/")
    if "\0" in relpath or any(part in {"", ".", ".."} for part in parts):
        message = f"{origin}: the path {relpath!r} could leave the directory"
        raise Corrupt(message, hint)


def hash_listing(files: Iterable[tuple[str, Hash]]) -> Hash:
    """Name a directory elsewhere by what its files are known by there, which need not be their md5 (DVC's rule)."""
    rows = [{"relpath": relpath, name.name: name.value} for relpath, name in sorted(files)]
    return Hash(hash_bytes(json.dumps(rows, sort_keys=True).encode()) + DIR)
