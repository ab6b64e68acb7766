"""A folder of another machine as a remote, over SFTP."""

from __future__ import annotations

import asyncio
import posixpath
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Self, cast

import asyncssh

from runner.errors import ObjectMissing, Unavailable
from runner.hashes import CHUNK
from runner.store import disk, ssh_client, ssh_errors
from runner.store.arriving import Arriving
from runner.store.meter import unheard
from runner.store.protocols import Changed, Version
from runner.store.remote import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from typing import BinaryIO

    from asyncssh import SFTPClient, SFTPClientFile

    from runner.store.meter import Report
    from runner.store.protocols import Sink
    from runner.store.ssh_client import Session

_FIRST: Final = 1 << 16
"""Bytes that are asked for together with the size: most objects are smaller, and are had by three requests."""

_PATIENCE: Final = 60.0
"""Seconds for one answer, or for the next chunk."""

_QUESTIONS: Final = 128
"""Questions under way; a server answers them one after the other, so this bridges the distance."""

_FOLDERS: Final = 16
"""Folders listed at once."""


class SSH:
    """Objects as files below a folder of another machine."""

    def __init__(self, session: Session, url: str, path: str, *, whole: bool = False) -> None:
        """Use a session.

        Args:
            session: to the machine.
            url: what people call it, without a password.
            path: the folder there, absolute; the first `put` makes it.
            whole: list half-written neighbours of objects too, as in a folder that holds no objects.

        """
        self.url = url
        self._session = session
        self._path = path
        self._whole = whole

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], environ: Mapping[str, str], /) -> Self:
        """Open `ssh://user@host:port/path`; nothing is connected before it is needed.

        Raises:
            ConfigError: an option that is not supported, or a key that cannot be used.

        """
        address = ssh_client.parse(url, options, environ)
        return cls(ssh_client.Session(address), address.url, address.path)

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        """See `Remote`. One question a name, over a hundred of them under way."""
        places = {name: self._place(name) for name in names}

        async def sizes(sftp: SFTPClient) -> dict[str, int]:
            room = asyncio.Semaphore(_QUESTIONS)
            asked = [_size(sftp, place, room) for place in places.values()]
            found = zip(places, await asyncio.gather(*asked), strict=True)
            return {name: size for name, size in found if size is not None}

        with self._errors("look for", next(iter(places), "nothing")):
            return self._session.run(sizes)

    def get(self, name: str, sink: Sink) -> None:
        """See `Remote`. The next bytes are on their way while the sink takes the last ones."""
        for chunk in self.begin(name)[1]:
            sink.write(chunk)

    def begin(self, name: str) -> tuple[Version, Arriving]:
        """See `Ranged`."""
        place = self._place(name)
        with self._errors("read", name):
            version, content, file = self._session.run(lambda sftp: _begin(sftp, place))
        return version, self._arriving(name, _Reading(self._session, file, (len(content), None), content))

    def read(self, name: str, version: Version, start: int, stop: int) -> Arriving:
        """See `Ranged`."""
        place = self._place(name)
        try:
            with self._errors("read", name):
                file = self._session.run(lambda sftp: _open(sftp, place, version))
        except ObjectMissing:
            file = None
        if file is None:
            message = f"{name} in {self.url} is another than before"
            raise Changed(message, "it is overwritten again and again; find out by whom")
        return self._arriving(name, _Reading(self._session, file, (start, stop)))

    def put(self, name: str, source: Path, report: Report = unheard) -> None:
        """See `Remote`. Written beside its name, synced where the server can, and renamed in one step."""
        place = self._place(name)
        with source.open("rb") as file, self._errors("write", name):
            self._session.run(lambda sftp: _store(sftp, file, place, report))

    def names(self, prefix: str) -> Iterator[str]:
        """See `Remote`."""
        folder = prefix.rpartition("/")[0]
        waiting = [self._place(folder) if folder else self._path]
        while waiting:
            some, waiting = waiting[:_FOLDERS], waiting[_FOLDERS:]
            with self._errors("list", prefix):
                entries = self._session.run(partial(_all, folders=some))
            for path, is_folder in entries:
                name = path[len(self._path) + 1 :]
                if is_folder:
                    waiting.append(path)
                elif name.startswith(prefix) and (self._whole or not disk.is_temporary(posixpath.basename(name))):
                    yield name

    def remove(self, names: Sequence[str]) -> None:
        """See `Erasable`."""
        places = [self._place(name) for name in names]

        async def remove(sftp: SFTPClient) -> None:
            room = asyncio.Semaphore(_QUESTIONS)
            await asyncio.gather(*(_remove(sftp, place, room) for place in places))

        if places:
            with self._errors("remove", names[0]):
                self._session.run(remove)

    def _place(self, name: str) -> str:
        return f"{self._path}/{checked(name)}"

    def _arriving(self, name: str, reading: _Reading) -> Arriving:
        return Arriving(reading.take, lambda: self._errors("read", name), reading.close)

    @contextmanager
    def _errors(self, doing: str, name: str) -> Iterator[None]:
        """Translate what asyncssh raises inside the block."""
        try:
            yield
        except (asyncssh.Error, TimeoutError, OSError) as error:
            raise ssh_errors.translate(error, doing, name, self.url) from error


class _Reading:
    """An open file, or a part of it, on its way: what comes next is asked for before what came is taken."""

    def __init__(
        self, session: Session, file: SFTPClientFile | None, part: tuple[int, int | None], came: bytes = b""
    ) -> None:
        """Read on.

        Args:
            session: that the file was opened in.
            file: `None`: all of it came already.
            part: where to start and to stop, in bytes; `None`: at the end.
            came: the bytes before that.

        """
        self._session = session
        self._file = file
        self._at, self._stop = part
        self._came = came
        self._ahead = self._ask()

    def take(self) -> bytes:
        """Wait for the next bytes; none at the end."""
        if self._came:
            came, self._came = self._came, b""
            return came
        if self._ahead is None:
            return b""
        content = self._ahead.result()
        self._at += len(content)
        self._ahead = self._ask() if content else None
        return content

    def close(self) -> None:
        """Let go of the file."""
        if self._ahead:
            self._ahead.cancel()
        file, self._file = self._file, None
        if file:
            with suppress(asyncssh.Error, OSError, CancelledError, Unavailable):
                self._session.run(lambda _: file.close())

    def _ask(self) -> Future[bytes] | None:
        size = CHUNK if self._stop is None else min(CHUNK, self._stop - self._at)
        file, at = self._file, self._at
        return self._session.begin(lambda _: _further(file, at, size)) if file and size > 0 else None


async def _begin(sftp: SFTPClient, place: str) -> tuple[Version, bytes, SFTPClientFile | None]:
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


async def _open(sftp: SFTPClient, place: str, version: Version) -> SFTPClientFile | None:
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


async def _further(file: SFTPClientFile, offset: int, size: int) -> bytes:
    """Give the next bytes of an open file; none at its end."""
    return cast("bytes", await asyncio.wait_for(file.read(size, offset), _PATIENCE))


async def _store(sftp: SFTPClient, source: BinaryIO, place: str, report: Report) -> None:
    """Write a file whole under a name of its own, then give it its name."""
    ready = disk.temporary(place)
    try:
        file = await _create(sftp, ready)
        try:
            while chunk := source.read(CHUNK):
                await asyncio.wait_for(file.write(chunk), _PATIENCE)
                report(len(chunk))
            with suppress(asyncssh.SFTPOpUnsupported):
                await asyncio.wait_for(file.fsync(), _PATIENCE)
        finally:
            await file.close()
        await _rename(sftp, ready, place)
    except BaseException:
        with suppress(asyncssh.Error, OSError):
            await asyncio.shield(sftp.remove(ready))
        raise


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


async def _size(sftp: SFTPClient, place: str, room: asyncio.Semaphore) -> int | None:
    """Give the size of a file; `None` where there is none."""
    async with room:
        try:
            about = await asyncio.wait_for(sftp.stat(place), _PATIENCE)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
    return None if about.type == asyncssh.FILEXFER_TYPE_DIRECTORY else about.size


async def _remove(sftp: SFTPClient, place: str, room: asyncio.Semaphore) -> None:
    async with room:
        with suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            await asyncio.wait_for(sftp.remove(place), _PATIENCE)


async def _entries(sftp: SFTPClient, folder: str) -> list[tuple[str, bool]]:
    """Give what a folder holds: paths, and whether each is a folder; of one that is not there, nothing."""
    found = []
    try:
        async for entry in sftp.scandir(folder):
            name = (
                entry.filename.decode("utf-8", "surrogateescape")
                if isinstance(entry.filename, bytes)
                else entry.filename
            )
            kind = entry.attrs.type
            if kind == asyncssh.FILEXFER_TYPE_SYMLINK and await sftp.isdir(f"{folder}/{name}"):
                continue  # links to folders are not followed, as on a disk of one's own
            if name not in {".", ".."}:
                found.append((f"{folder}/{name}", kind == asyncssh.FILEXFER_TYPE_DIRECTORY))
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return []
    return found


async def _all(sftp: SFTPClient, folders: list[str]) -> list[tuple[str, bool]]:
    listings = await asyncio.gather(*(_entries(sftp, folder) for folder in folders))
    return [entry for listing in listings for entry in listing]
