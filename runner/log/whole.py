"""The whole output of a stage in a compressed file, however much was shown: made harmless as what is shown is."""

from __future__ import annotations

import logging
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from runner import digests

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

logger = logging.getLogger("retrain")
_LONGEST: Final = 180
_GZIP: Final = 31  # zlib's window bits for a gzip file
_FASTEST: Final = 1
_MOST_HELD: Final = 1 << 16


def file_of(title: str) -> str:
    """Name the file of a stage's log: its address, what no file name may hold written as in a URL."""
    name = quote(title, safe="@ ", errors="surrogateescape")
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}-{digests.sha256(title.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"
    return f"{name}.log.gz"


class Whole:
    """Writes one log; the one of the stage's last run is replaced when this is complete, or as it is when we end early.

    A log that cannot be written is said once, and costs nothing else.
    """

    def __init__(self, place: Path) -> None:
        """Write to `place`, from the first text on."""
        self.place = place
        self._beside = place.with_name(f".{place.name}.tmp")
        self._file: BinaryIO | None = None
        self._held = bytearray()
        self._packer = zlib.compressobj(_FASTEST, zlib.DEFLATED, _GZIP)
        self._has_failed = False

    def write(self, text: str) -> None:
        """Add text."""
        self._held += self._packer.compress(text.encode("utf-8", "replace"))
        if len(self._held) >= _MOST_HELD:
            self._write()

    def close(self) -> None:
        """Give the file its name."""
        self._held += self._packer.flush()
        self._write()
        if self._file:
            try:
                self._file.close()  # writes what it still holds
            except OSError as error:
                self._fail(error)
            with suppress(OSError):
                if self._has_failed:
                    self._beside.unlink()
                else:
                    self._beside.replace(self.place)

    def _write(self) -> None:
        """Write what is held; most logs are written once."""
        try:
            if not self._has_failed:
                self._file = self._file or self._opened()
                self._file.write(self._held)
        except OSError as error:
            self._fail(error)
        self._held.clear()

    def _opened(self) -> BinaryIO:
        try:
            return self._beside.open("wb")
        except FileNotFoundError:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            return self._beside.open("wb")

    def _fail(self, error: OSError) -> None:
        if not self._has_failed:
            logger.warning("the log %s cannot be written: %s", self.place, error.strerror or error)
        self._has_failed = True
