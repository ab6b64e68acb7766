"""A folder of another machine as a remote, over SFTP."""

from __future__ import annotations

import posixpath
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import asyncssh

from runner.errors import ObjectMissing, RemoteError, Unavailable
from runner.hashes import CHUNK
from runner.store import disk, ssh_client, ssh_errors, ssh_files, ssh_parts, uploads
from runner.store.arriving import Arriving
from runner.store.meter import unheard
from runner.store.patience import Patience
from runner.store.protocols import Changed, Version
from runner.store.remote import checked
from runner.store.ssh_parts import SSHUpload, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from asyncssh import SFTPClientFile

    from runner.store.meter import Report
    from runner.store.protocols import Put, Sink, Source
    from runner.store.ssh_client import Session

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
        with self._errors("look for", next(iter(places), "nothing")):
            found = self._session.run(lambda sftp: ssh_files.sizes(sftp, places.values()))
        return {name: size for name, size in zip(places, found, strict=True) if size is not None}

    def get(self, name: str, sink: Sink) -> None:
        """See `Remote`. The next bytes are on their way while the sink takes the last ones."""
        for chunk in self.begin(name)[1]:
            sink.write(chunk)

    def begin(self, name: str) -> tuple[Version, Arriving]:
        """See `Ranged`."""
        place = self._place(name)
        with self._errors("read", name):
            version, content, file = self._session.run(lambda sftp: ssh_files.begin(sftp, place))
        return version, self._arriving(name, _Reading(self._session, file, (len(content), None), content))

    def read(self, name: str, version: Version, start: int, stop: int) -> Arriving:
        """See `Ranged`."""
        place = self._place(name)
        try:
            with self._errors("read", name):
                file = self._session.run(lambda sftp: ssh_files.open_version(sftp, place, version))
        except ObjectMissing:
            file = None
        if file is None:
            message = f"{name} in {self.url} is another than before"
            raise Changed(message, "it is overwritten again and again; find out by whom")
        return self._arriving(name, _Reading(self._session, file, (start, stop)))

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        """See `Remote`. Written beside its name, synced where the server can, and renamed in one step."""
        upload = None if isinstance(source, bytes) else self.upload(name, source, only_new=False)
        if upload is not None and not isinstance(source, bytes):
            uploads.send(upload, source, Patience(0), report)
            return
        place = self._place(name)
        with disk.opened(source) as file, self._errors("write", name):
            self._session.run(lambda sftp: ssh_files.store(sftp, file, place, report))

    def upload(self, name: str, source: Path, /, *, only_new: bool) -> SSHUpload | None:
        """See `Parted`. SFTP cannot tell an object that is new from one that is not."""
        del only_new
        place, size = self._place(name), source.stat().st_size
        if size <= ssh_parts.PART:
            return None
        target = Target(f"{self.url}/{name}", place, self._session, lambda: self._errors("write", name))
        return SSHUpload(target, source, size)

    @contextmanager
    def together(self) -> Iterator[Put]:
        """See `Together`. Each object is there at once; at the end the folders are freed of what killed pushes left."""
        folders: set[str] = set()

        def put(name: str, source: Source, report: Report) -> None:
            self.put(name, source, report)
            folders.add(posixpath.dirname(self._place(name)))

        yield put
        with suppress(RemoteError), self._errors("list", ""):
            self._session.run(partial(ssh_files.sweep, folders=sorted(folders)))

    def names(self, prefix: str) -> Iterator[str]:
        """See `Remote`."""
        folder = prefix.rpartition("/")[0]
        waiting = [self._place(folder) if folder else self._path]
        while waiting:
            some, waiting = waiting[:_FOLDERS], waiting[_FOLDERS:]
            with self._errors("list", prefix):
                entries = self._session.run(partial(ssh_files.entries, folders=some))
            for path, is_folder in entries:
                name = path[len(self._path) + 1 :]
                if is_folder:
                    waiting.append(path)
                elif name.startswith(prefix) and (self._whole or not disk.is_temporary(posixpath.basename(name))):
                    yield name

    def remove(self, names: Sequence[str]) -> None:
        """See `Erasable`."""
        places = [self._place(name) for name in names]
        if places:
            with self._errors("remove", names[0]):
                self._session.run(lambda sftp: ssh_files.remove(sftp, places))

    def stored(self, names: Sequence[str]) -> Mapping[str, float]:
        """See `Erasable`. One question a name, over a hundred of them under way."""
        places = {name: self._place(name) for name in names}
        with self._errors("look for", next(iter(places), "nothing")):
            found = self._session.run(lambda sftp: ssh_files.times(sftp, places.values()))
        return {name: time for name, time in zip(places, found, strict=True) if time is not None}

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
        return self._session.begin(lambda _: ssh_files.further(file, at, size)) if file and size > 0 else None
