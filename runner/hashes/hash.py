"""One name for bytes. Source: DVC's object layout (`files/md5/<2 hex>/<30 hex>[.dir]`, since 3.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner import digests
from runner.errors import Corrupt
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

MD5 = "md5"
LEGACY = "md5-dos2unix"
DIR = ".dir"
CHUNK = 1 << 20

_OID = regex(r"[0-9a-f]{32}(\.dir)?\Z")
_KEY = regex(r"(files/md5/)?([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)\Z")


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
        return f"{folder_of(self.name)}{self.value[:2]}/{self.value[2:]}"

    @classmethod
    def of_key(cls, key: str) -> Hash | None:
        """Give the name of the object that `key` is the key of; `None` where it is none's."""
        found = _KEY.match(key)
        return cls(found[2] + found[3], MD5 if found[1] else LEGACY) if found else None

    def __str__(self) -> str:
        """Give the bare value."""
        return self.value


def folder_of(kind: str) -> str:
    """Give what the keys of objects of a kind begin with."""
    return "" if kind == LEGACY else "files/md5/"


def hash_bytes(content: bytes) -> str:
    """Give the md5 of `content` as 32 hexadecimal digits."""
    return digests.md5(content).hexdigest()


def hash_file(path: Path) -> str:
    """Give the md5 of the raw bytes of the file at `path`, in constant memory."""
    digest = digests.md5()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
