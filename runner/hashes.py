"""Names for bytes: `Hash`, and `Tree`, a directory's listing. DVC's forms, byte for byte.

Sources: DVC's object layout (`files/md5/<2 hex>/<30 hex>[.dir]`, since 3.0) and its `.dir` listings
(`json.dumps(list, sort_keys=True)` sorted by code point of the whole relative path).
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from runner.errors import Corrupt
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MD5 = "md5"
LEGACY = "md5-dos2unix"
DIR = ".dir"
CHUNK = 1 << 20

_OID = re.compile(r"[0-9a-f]{32}(\.dir)?\Z")
_KEY = re.compile(r"(files/md5/)?([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)\Z")
_MEMBER = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class Hash:
    """A name for the bytes of a file or, with the suffix `.dir`, for a directory's listing.

    Attributes:
        value: 32 lower-case hexadecimal digits, then `.dir` for a listing.
        name: `md5`, or `md5-dos2unix` for entries written by DVC before 3.0.

    """

    value: str
    name: str = MD5

    @property
    def is_dir(self) -> bool:
        """Whether this names a listing."""
        return self.value.endswith(DIR)

    @property
    def is_valid(self) -> bool:
        """Whether the value may be turned into a path (it may come from a file nobody checked)."""
        return bool(_OID.match(self.value))

    @property
    def key(self) -> str:
        """The object's name below the cache's or the remote's root, in DVC's layout."""
        if not self.is_valid:
            message = f"{self.value!r} is not an object's name"
            raise Corrupt(message, "an md5 has 32 lower-case hexadecimal digits; see the file that names it")
        folder = "" if self.name == LEGACY else "files/md5/"
        return f"{folder}{self.value[:2]}/{self.value[2:]}"

    @classmethod
    def of_key(cls, key: str) -> Hash | None:
        """Give the name of the object that `key` is the key of; `None` where it is none's."""
        found = _KEY.match(key)
        return cls(found[2] + found[3], MD5 if found[1] else LEGACY) if found else None

    def __str__(self) -> str:
        """Give the bare value."""
        return self.value


@dataclass(frozen=True)
class Tree:
    """A directory's listing: `(relative POSIX path, md5 of the file)`, sorted by code point of the path.

    Empty directories, modes and times are not represented (DVC's rule).

    Attributes:
        files: the rows.
        kind: how the files were hashed, and so where their objects are: `md5`, or `md5-dos2unix`.

    """

    files: tuple[tuple[str, str], ...]
    kind: str = MD5

    @classmethod
    def of(cls, files: Iterable[tuple[str, str]], kind: str = MD5) -> Tree:
        """Sort `files` as DVC does."""
        return cls(tuple(sorted(files)), kind)

    @classmethod
    def parse(cls, content: bytes, origin: str = "listing", kind: str = MD5) -> Tree:
        """Read a `.dir` object. Refuses anything that could leave the directory or is not a listing.

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
        return cls(tuple(rows), kind)

    def render(self) -> bytes:
        """Give the bytes of the `.dir` object."""
        rows = [{"md5": md5, "relpath": relpath} for relpath, md5 in self.files]
        return json.dumps(rows, sort_keys=True).encode()

    @cached_property
    def hash(self) -> Hash:
        """The name of the listing."""
        return Hash(hash_bytes(self.render()) + DIR, self.kind)

    def __len__(self) -> int:
        """Count the files."""
        return len(self.files)

    def objects(self) -> Iterator[Hash]:
        """Give the files' names, in order of path; one content under two paths comes twice."""
        return (Hash(md5, self.kind) for _, md5 in self.files)

    def lookup(self, relpath: str) -> Hash | Tree | None:
        """Give what lies at `relpath`: a file's hash, the listing of a sub-directory, or nothing."""
        start = bisect_left(self.files, (relpath,))
        if start < len(self.files) and self.files[start][0] == relpath:
            return Hash(self.files[start][1], self.kind)
        return self.below(relpath)

    def below(self, relpath: str) -> Tree | None:
        """Give the listing of the sub-directory `relpath`; `None` where the listing has no such folder."""
        prefix = f"{relpath}/"
        inside = []
        for path, md5 in self.files[bisect_left(self.files, (prefix,)) :]:
            if not path.startswith(prefix):
                break
            inside.append((path.removeprefix(prefix), md5))
        return Tree(tuple(inside), self.kind) if inside else None


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


def hash_bytes(content: bytes) -> str:
    """Give the md5 of `content` as 32 hexadecimal digits."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def hash_file(path: Path) -> str:
    """Give the md5 of the raw bytes of the file at `path`, in constant memory."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
