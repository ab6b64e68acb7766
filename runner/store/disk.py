"""What the store asks of the disk: temporary names, whole copies, durable renames, and its refusals in words.

Paths are `str` here, and system calls bare: this runs once a file over hundreds of thousands of small files,
where a `Path` costs more than the call. Nothing here knows what an object is.
"""
# Measured, a Path operation doubles the cost of a small file:
# ruff: noqa: PTH101, PTH102, PTH104, PTH105, PTH108, PTH112, PTH116, PTH120

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from runner.durable import sync_folder, temporary_name
from runner.errors import Denied, RemoteError, Unavailable
from runner.hashes import CHUNK
from runner.store.meter import unheard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from runner.store.meter import Report
    from runner.store.protocols import Source

GROUP_FOLDER = 0o2775
GROUP_FILE = 0o664
"""The modes of folders, and of files that are no objects, where a cache or a remote is its group's: DVC's `shared`."""

READ_ONLY = 0o444
"""The mode DVC gives every object; it takes any other mode as a sign that the object was touched."""

_SMALLEST_READ = 4096
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Digest(Protocol):
    """What `hashlib` objects do."""

    def update(self, chunk: bytes, /) -> None:
        """Take the next bytes."""

    def hexdigest(self) -> str:
        """Give the digest of everything taken so far."""


def temporary(target: str) -> str:
    """Name a temporary neighbour of `target`: nobody else's, and on the same file system so that it can be renamed."""
    return f"{target.rpartition('/')[0]}/{temporary_name()}"


def is_temporary(filename: str) -> bool:
    """Whether `filename` is a half-written neighbour of an object, ours or DVC's."""
    return filename.startswith(".") and filename.endswith(".tmp")


def create(path: str, mode: int = 0o666, *, durable: bool = False) -> int:
    """Open the new file `path` for writing and reading back, making its folders; the umask applies to `mode`.

    Raises:
        FileExistsError: it is already there.

    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, mode)
    except FileNotFoundError:
        make_folder(os.path.dirname(path), durable=durable)
        return os.open(path, flags, mode)


def make_folder(path: str, *, durable: bool = False, mode: int | None = None) -> None:
    """Make `path` and its parents with `mode`, or as the umask says.

    `durable` writes the new names through to the disk.
    """
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    make_folder(parent, durable=durable, mode=mode)
    with suppress(FileExistsError):
        os.mkdir(path)
        if mode is not None:
            os.chmod(path, mode)
    if durable:
        sync_folder(Path(parent))


def chunks(fd: int) -> Iterator[bytes]:
    """Read the file to its end; a small file costs one small buffer, and one call where it holds still."""
    length = os.fstat(fd).st_size
    size = min(max(length + 1, _SMALLEST_READ), CHUNK)
    done = 0
    while chunk := os.read(fd, size):
        yield chunk
        done += len(chunk)
        if done == length and len(chunk) < size:  # more was asked for than there is
            return


def read(path: str) -> bytes:
    """Give the whole content of a small file."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return b"".join(chunks(fd))
    finally:
        os.close(fd)


def small(path: str, below: int) -> bytes | None:
    """Give the whole content of a file of less than so many bytes; `None` if there are more.

    Raises:
        OSError: it cannot be read, or is no regular file.

    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would not open before somebody writes
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        if found.st_size >= below:
            return None
        content = os.read(fd, found.st_size + 1)
        return content if len(content) == found.st_size else content + b"".join(chunks(fd))
    finally:
        os.close(fd)


def size_of(source: Source) -> int:
    """Give the size in bytes of what is to be stored."""
    return len(source) if isinstance(source, bytes) else os.stat(source).st_size


def content_of(source: Source) -> bytes:
    """Give all bytes of something small that is to be stored."""
    return source if isinstance(source, bytes) else read(os.fspath(source))


def opened(source: Source) -> BinaryIO:
    """Give what is to be stored as a file to read."""
    return BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def write_all(fd: int, chunk: bytes) -> None:
    """Write all of `chunk`, also where the system takes it in parts."""
    written = os.write(fd, chunk)
    while written < len(chunk):
        written += os.write(fd, memoryview(chunk)[written:])


def copy(source: int, target: int, digest: Digest | None = None, report: Report = unheard) -> int:
    """Copy the rest of one open file into another, hashing on the way; give the number of bytes."""
    size = 0
    for chunk in chunks(source):
        if digest:
            digest.update(chunk)
        write_all(target, chunk)
        size += len(chunk)
        report(len(chunk))
    return size


def remove(path: str) -> None:
    """Remove a file, a link or a directory with everything in it; nothing there is fine."""
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            import shutil  # noqa: PLC0415 - loads four compressors that nobody else here needs

            shutil.rmtree(path)
        else:
            os.unlink(path)


def install(ready: str, target: str) -> None:
    """Put the complete file or directory `ready` in the place of `target`, whatever is there.

    One rename where the system can; else the old one steps aside first and comes back if the rename fails.
    A link is replaced itself, never what it points to.
    """
    try:
        os.replace(ready, target)
        with suppress(FileNotFoundError):
            os.unlink(ready)  # still there where both are hard links of one file: a rename does nothing then
    except (IsADirectoryError, NotADirectoryError, FileExistsError):
        _exchange(ready, target)
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        _exchange(ready, target)


def _exchange(ready: str, target: str) -> None:
    """Replace `target` where one rename cannot: a directory by a file, a file or a full directory by a directory."""
    aside = temporary(target)
    try:
        os.rename(target, aside)
        os.rename(ready, target)
        remove(aside)
    except BaseException:  # an interruption too, wherever it comes: the old one goes back, or away
        if os.path.lexists(target):
            remove(aside)
        else:
            os.rename(aside, target)
        raise


class Refusals:
    """Translates what the system refuses inside the block. A generator would cost a small file as much as the call."""

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        """Begin messages with `doing` ("write .dvc/cache/...")."""
        self._doing = doing

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Translate.

        Raises:
            Denied: no permission, or a file system that is read-only.
            Unavailable: an error of the device or of a network file system; trying again may help.
            RemoteError: the disk is full, or anything else; trying again does not help.

        """
        if isinstance(error, OSError):
            raise refusal(self._doing, error) from error


def size(path: str) -> int:
    """Give a file's bytes; 0 where there is none."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def room(place: str) -> int:
    """Give the bytes that are free below `place`, which need not exist yet: no more than those can be written there.

    What is reserved for root counts, as we may be root. Some network file systems say that they have no blocks at all.
    """
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    found = os.statvfs(place)
    return found.f_bfree * found.f_frsize if found.f_blocks else sys.maxsize


def full(error: BaseException) -> RemoteError | None:
    """Give what is said of a disk that is full, wherever that was met; `None` for any other error."""
    if not (isinstance(error, OSError) and error.errno in _FULL):
        return None
    return refusal(f"write {error.filename or 'a file'}", error)


def refusal(doing: str, error: OSError) -> RemoteError:
    """Give the error that says in words what the system refused."""
    reason = f"cannot {doing}: {error.strerror or error}"
    if error.errno in _FULL:
        return RemoteError(reason, "make room on that disk or raise the quota, then run again: what is done is kept")
    if error.errno in _REFUSED:
        return Denied(reason, "check the owner and the mode of that folder, and that it is not mounted read-only")
    if error.errno in {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY}:
        return Unavailable(reason, "the disk or network file system did not answer properly; look at its logs")
    return RemoteError(reason)
