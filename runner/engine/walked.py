"""The files of a directory as they were met, kept as text: a million paths and sizes in 30 MB."""

from __future__ import annotations

from array import array
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOGETHER: Final = 1024


class Walked(Collection[tuple[str, int]]):
    """Absolute paths, and sizes in bytes, of the files below a folder."""

    def __init__(self, top: str) -> None:
        """Begin with none, below the folder `top`."""
        self._top = top
        self._sizes = array("Q")
        self._full: list[bytes] = []
        self._last: list[str] = []

    def add(self, path: str, size: int) -> None:
        """Take a file by its path below the top."""
        self._sizes.append(size)
        self._last.append(path)
        if len(self._last) == _TOGETHER:
            self._full.append("\0".join(self._last).encode("utf-8", "surrogateescape"))
            self._last.clear()

    @property
    def bytes(self) -> int:
        """All their bytes."""
        return sum(self._sizes)

    def paths(self) -> Iterator[str]:
        """Give the paths below the top."""
        for several in self._full:
            yield from several.decode("utf-8", "surrogateescape").split("\0")
        yield from self._last

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Give each file's path and size."""
        return ((f"{self._top}/{path}", size) for path, size in zip(self.paths(), self._sizes, strict=True))

    def __len__(self) -> int:
        """Count them."""
        return len(self._sizes)

    def __contains__(self, file: object) -> bool:
        """Whether this is one of them."""
        return any(file == found for found in self)
