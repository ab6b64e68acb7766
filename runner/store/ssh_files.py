"""What is done to files of another machine over SFTP: coroutines, awaited in the session's own thread."""

from __future__ import annotations

import asyncio
import os
import posixpath
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from typing import TYPE_CHECKING, Final, cast

import asyncssh

from runner.errors import Corrupt
from runner.hashes import CHUNK
from runner.store import disk
from runner.store.protocols import Version

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from typing import BinaryIO

    from asyncssh import SFTPAttrs, SFTPClient, SFTPClientFile

    from runner.store.meter import Report

_FIRST: Final = 1 << 16
"""Bytes that are asked for together with the size: most objects are smaller, and are had by three requests."""

_PATIENCE: Final = 60.0
"""Seconds for one answer, or for the next chunk."""

_QUESTIONS: Final = 128
"""Questions under way; a server answers them one after the other, so this bridges the distance."""

_ABANDONED: Final = 7 * 24 * 60 * 60
"""Seconds after which a half-written file is nobody's any more; until then its writer may go on with it."""


async def begin(sftp: SFTPClient, place: str) -> tuple[Version, bytes, SFTPClientFile | None]:
    """Give a file's version, its first bytes, and the open file where there are more."""
    file = await asyncio.wait_for(sftp.open(place, "rb"), _PATIENCE)
    try:
        asked = asyncio.gather(file.read(_FIRST, 0), file.stat())
        read, about = await asyncio.wait_for(asked, _PATIENCE)
        content = cast("bytes", read)  # of a file opened for bytes; asyncssh's types know text only
    except BaseException:
        await file.close()
        raise
    version = _version(about)
    if version.size is None or len(content) < version.size:
        return version, content, file
    await file.close()
    return version, content, None


async def open_version(sftp: SFTPClient, place: str, version: Version) -> SFTPClientFile | None:
    """Open a file if it is still that version."""
    file = await asyncio.wait_for(sftp.open(place, "rb"), _PATIENCE)
    try:
        same = _version(await asyncio.wait_for(file.stat(), _PATIENCE)) == version
    except BaseException:
        await file.close()
        raise
    if same:
        return file
    await file.close()
    return None


def _version(about: asyncssh.SFTPAttrs) -> Version:
    """Tell states apart by size and second; of two in one second the hash of the whole tells."""
    return Version(about.size, str(about.mtime) if about.mtime else "")


async def further(file: SFTPClientFile, offset: int, size: int) -> bytes:
    """Give the next bytes of an open file; none at its end."""
    return cast("bytes", await asyncio.wait_for(file.read(size, offset), _PATIENCE))


async def store(sftp: SFTPClient, source: BinaryIO, place: str, report: Report) -> None:
    """Write a file whole under a name of its own, then give it its name."""
    ready, before = disk.temporary(place), _state(source)
    try:
        file = await _create(sftp, ready)
        try:
            while chunk := source.read(CHUNK):
                await asyncio.wait_for(file.write(chunk), _PATIENCE)
                report(len(chunk))
            await _sync(file)
        finally:
            await file.close()
        _check(source, before)
        await _rename(sftp, ready, place)
    except BaseException:
        with suppress(asyncssh.Error, OSError):
            await asyncio.shield(sftp.remove(ready))
        raise


async def _sync(file: SFTPClientFile) -> None:
    """Have a file on the disk, where the server can tell."""
    with suppress(asyncssh.SFTPOpUnsupported):
        await asyncio.wait_for(file.fsync(), _PATIENCE)


async def make(sftp: SFTPClient, path: str) -> None:
    """Make an empty file that was not there, and its folders."""
    file = await _create(sftp, path)
    await file.close()


@asynccontextmanager
async def opened(sftp: SFTPClient, path: str) -> AsyncIterator[SFTPClientFile]:
    """Open a file that is there, to read and write."""
    file = await asyncio.wait_for(sftp.open(path, "r+b"), _PATIENCE)
    try:
        yield file
    finally:
        await file.close()


async def write(file: SFTPClientFile, at: int, chunk: bytes) -> int:
    """Write bytes from the position `at` on; give how many."""
    await asyncio.wait_for(file.write(chunk, at), _PATIENCE)
    return len(chunk)


async def settle(sftp: SFTPClient, ready: str, place: str) -> None:
    """Give a file that is whole its name, once it is on the disk."""
    async with opened(sftp, ready) as file:
        await _sync(file)
    await _rename(sftp, ready, place)


def _check(source: BinaryIO, before: tuple[int, int]) -> None:
    if _state(source) != before:
        message = f"{source.name} changed while it was sent"
        raise Corrupt(message, "find out what writes to it; nothing of it was stored")


def _state(file: BinaryIO) -> tuple[int, int]:
    if isinstance(file, BytesIO):  # nobody else has it
        return 0, 0
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns


async def _create(sftp: SFTPClient, path: str) -> SFTPClientFile:
    """Open a new file, making its folders."""
    try:
        return await asyncio.wait_for(sftp.open(path, "xb"), _PATIENCE)
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        await asyncio.wait_for(sftp.makedirs(posixpath.dirname(path), exist_ok=True), _PATIENCE)
        return await asyncio.wait_for(sftp.open(path, "xb"), _PATIENCE)


async def _rename(sftp: SFTPClient, ready: str, place: str) -> None:
    """Rename over what is there; a server that cannot (no OpenSSH) has it removed first."""
    try:
        await asyncio.wait_for(sftp.posix_rename(ready, place), _PATIENCE)
    except asyncssh.SFTPOpUnsupported:
        with suppress(asyncssh.SFTPNoSuchFile):
            await sftp.remove(place)
        await asyncio.wait_for(sftp.rename(ready, place), _PATIENCE)


async def sizes(sftp: SFTPClient, places: Iterable[str]) -> list[int | None]:
    """Give the size of each file; `None` where there is none. Over a hundred questions are under way."""
    return [about.size if about else None for about in await _files(sftp, places)]


async def times(sftp: SFTPClient, places: Iterable[str]) -> list[int | None]:
    """Give when each file was written, in seconds since 1970; `None` where there is none."""
    return [about.mtime if about else None for about in await _files(sftp, places)]


async def _files(sftp: SFTPClient, places: Iterable[str]) -> list[SFTPAttrs | None]:
    room = asyncio.Semaphore(_QUESTIONS)
    return await asyncio.gather(*(_file(sftp, place, room) for place in places))


async def _file(sftp: SFTPClient, place: str, room: asyncio.Semaphore) -> SFTPAttrs | None:
    """Give what is known of a file; `None` where there is none."""
    async with room:
        try:
            about = await asyncio.wait_for(sftp.stat(place), _PATIENCE)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
    return None if about.type == asyncssh.FILEXFER_TYPE_DIRECTORY else about


async def remove(sftp: SFTPClient, places: Iterable[str]) -> None:
    """Remove files; one that is not there is fine."""
    room = asyncio.Semaphore(_QUESTIONS)
    await asyncio.gather(*(_remove(sftp, place, room) for place in places))


async def _remove(sftp: SFTPClient, place: str, room: asyncio.Semaphore) -> None:
    async with room:
        with suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            await asyncio.wait_for(sftp.remove(place), _PATIENCE)


async def _entries(sftp: SFTPClient, folder: str) -> list[tuple[str, bool]]:
    """Give what a folder holds: paths, and whether each is a folder; of one that is not there, nothing."""
    found = []
    try:
        async for entry in sftp.scandir(folder):
            name = _text(entry.filename)
            kind = entry.attrs.type
            if kind == asyncssh.FILEXFER_TYPE_SYMLINK and await sftp.isdir(f"{folder}/{name}"):
                continue  # links to folders are not followed, as on a disk of one's own
            if name not in {".", ".."}:
                found.append((f"{folder}/{name}", kind == asyncssh.FILEXFER_TYPE_DIRECTORY))
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return []
    return found


async def sweep(sftp: SFTPClient, folders: list[str]) -> None:
    """Remove half-written files that nobody has gone on with for a week, by the clock of the machine they are on."""
    found: list[tuple[str, int]] = []
    for folder in folders:
        found += [
            (f"{folder}/{_text(entry.filename)}", int(entry.attrs.mtime or 0)) async for entry in sftp.scandir(folder)
        ]
    now = max((written for _, written in found), default=0)  # of what we have just written
    for path, written in found:
        if disk.is_temporary(posixpath.basename(path)) and written < now - _ABANDONED:
            await sftp.remove(path)


def _text(filename: bytes | str) -> str:
    return filename.decode("utf-8", "surrogateescape") if isinstance(filename, bytes) else filename


async def entries(sftp: SFTPClient, folders: list[str]) -> list[tuple[str, bool]]:
    """Give what folders hold, all asked for at once: paths, and whether each is a folder."""
    listings = await asyncio.gather(*(_entries(sftp, folder) for folder in folders))
    return [entry for listing in listings for entry in listing]
