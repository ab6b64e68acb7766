"""Bytes on their way into the cache: hashed as they come, under a temporary name until they prove right."""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH105, PTH108

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from runner.errors import Corrupt
from runner.hashes import Hash
from runner.store import disk
from runner.store.digest import digest_for, fits
from runner.store.meter import unheard

if TYPE_CHECKING:
    from runner.store.meter import Report


class Incoming:
    """A sink that hashes what it takes. Nobody sees its bytes until somebody gives them their name."""

    def __init__(self, place: str, name: Hash, report: Report = unheard) -> None:
        """Take bytes for the object `name` into a temporary neighbour of `place`; each is told to `report`."""
        self.size = 0
        self._report = report
        self._name = name
        self._path = disk.temporary(place)
        self._fd = disk.create(self._path, disk.READ_ONLY)
        self._digest = digest_for(name)

    def write(self, chunk: bytes, /) -> None:
        """Take the next bytes."""
        self._digest.update(chunk)
        disk.write_all(self._fd, chunk)
        self.size += len(chunk)
        self._report(len(chunk))

    def restart(self) -> None:
        """Forget everything written so far."""
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        self._digest = digest_for(self._name)
        self._report(-self.size)
        self.size = 0

    def verified(self) -> str:
        """Give the path of the temporary file if it holds the object's bytes, with the object's mode.

        Raises:
            Corrupt: it does not.

        """
        if not fits(self._digest, self._name):
            found = self._digest.hexdigest()
            message = f"{self._name.key}: {self.size} bytes of md5 {found} arrived under this name"
            raise Corrupt(
                message, "the object in the remote is broken; push it again from a good copy, or make it anew"
            )
        os.fchmod(self._fd, disk.READ_ONLY)
        return self._path

    def settle(self, place: str) -> None:
        """Give the object its final name.

        Raises:
            Corrupt: its bytes are others.

        """
        os.replace(self.verified(), place)
        self._path = ""

    def named(self) -> tuple[str, Hash]:
        """Give the path of the temporary file and the name of its bytes, whatever they turned out to be."""
        os.fchmod(self._fd, disk.READ_ONLY)
        return self._path, Hash(self._digest.hexdigest(), self._name.name)

    def close(self) -> None:
        """Remove the temporary file, if it still has its temporary name."""
        os.close(self._fd)
        if self._path:
            with suppress(FileNotFoundError):
                os.unlink(self._path)
