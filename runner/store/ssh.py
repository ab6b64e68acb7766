"""A folder of another machine as a remote, over SFTP."""

from __future__ import annotations

import asyncio
import posixpath
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Self, cast

import asyncssh

from runner.hashes import CHUNK
from runner.store import disk, ssh_client, ssh_errors
from runner.store.meter import unheard
from runner.store.remote import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        for chunk in self._read(name):
            sink.write(chunk)

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

    def _read(self, name: str) -> Iterator[bytes]:
        """Give the bytes as they arrive; only the reading is translated, not what the sink does with them."""
        place = self._place(name)
        with self._errors("read", name):
            content, file = self._session.run(lambda sftp: _begin(sftp, place))
        if file is None:
            yield content
        else:
            yield from self._rest(content, file, name)

    def _rest(self, content: bytes, file: SFTPClientFile, name: str) -> Iterator[bytes]:
        offset = len(content)
        ahead = self._session.begin(partial(_further, file, offset))
        try:
            while content:
                yield content
                with self._errors("read", name):
                    content = ahead.result()
                offset += len(content)
                if content:
                    ahead = self._session.begin(partial(_further, file, offset))
        finally:
            ahead.cancel()
            with suppress(asyncssh.Error, OSError, CancelledError):
                self._session.run(lambda _: file.close())

    @contextmanager
    def _errors(self, doing: str, name: str) -> Iterator[None]:
        """Translate what asyncssh raises inside the block."""
        try:
            yield
        except (asyncssh.Error, TimeoutError, OSError) as error:
            raise ssh_errors.translate(error, doing, name, self.url) from error


async def _begin(sftp: SFTPClient, place: str) -> tuple[bytes, SFTPClientFile | None]:
    """Give the first bytes of a file, and the open file where there are more."""
    file = await asyncio.wait_for(sftp.open(place, "rb"), _PATIENCE)
    try:
        asked = asyncio.gather(file.read(_FIRST, 0), file.stat())
        read, about = await asyncio.wait_for(asked, _PATIENCE)
        content = cast("bytes", read)  # of a file opened for bytes; asyncssh's types know text only
    except BaseException:
        await file.close()
        raise
    if about.size is None or len(content) < about.size:
        return content, file
    await file.close()
    return content, None


async def _further(file: SFTPClientFile, offset: int, _: SFTPClient) -> bytes:
    """Give the next bytes of an open file; none at its end."""
    return cast("bytes", await asyncio.wait_for(file.read(CHUNK, offset), _PATIENCE))


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
