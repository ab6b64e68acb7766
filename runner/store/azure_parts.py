"""Large blobs of Azure in blocks: sent one by one, tied together at the end; else Azure forgets them after a week."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock

from runner.digests import md5
from runner.errors import RemoteError, Unavailable
from runner.regexes import regex
from runner.store.protocols import Changed
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from azure.storage.blob import BlobClient

BLOCK: Final = 16 << 20
"""Bytes; what is larger goes up in blocks of so many, or of more where Azure's limit of blocks would not do."""

ONLY_NEW: Final[Mapping[str, Any]] = {"match_condition": MatchConditions.IfMissing}

_MOST_BLOCKS: Final = 50_000
_OWN: Final = regex("[0-9a-f]{16}")


@dataclass(frozen=True)
class Target:
    """Where a blob goes.

    Attributes:
        blob: its client.
        only_new: store it only where there is none.
        is_there: whether there is one of its size.
        timeout: seconds that the server may take; `None`: as it likes.
        errors: translates what the client raises.

    """

    blob: BlobClient
    only_new: bool
    is_there: Callable[[], bool]
    timeout: int | None
    errors: Callable[[], AbstractContextManager[None]]


class AzureUpload:
    """See `Upload`. What a block is made of is read when it is sent: memory does not grow with blocks.

    A block's name says whose it is, which one, and the md5 of its bytes, which Azure compares with what arrives: blocks
    of two writers of one blob are not mixed, and a block that is there is the one that it should be.
    """

    at_once = 4

    def __init__(self, place: str, target: Target, source: Path, size: int) -> None:
        """Prepare to send the file `source` of `size` bytes to `target`, which people call `place`."""
        block = max(BLOCK, -(-size // _MOST_BLOCKS))
        self.place = place
        self.parts = [(at, min(at + block, size)) for at in range(0, size, block)]
        self._target = target
        self._source = source
        self._own = ""
        self._names: dict[int, str] = {}
        self._there: frozenset[tuple[str, int]] = frozenset()

    def begin(self, earlier: str) -> str:
        """See `Upload`: ours are the blocks whose names begin alike. Nothing has to be asked for to begin."""
        self._own = earlier if _OWN.fullmatch(earlier) else secrets.token_hex(8)
        self._there = self._waiting() if self._own == earlier else frozenset()
        return self._own

    def _waiting(self) -> frozenset[tuple[str, int]]:
        """Give names and sizes of the blocks that Azure has of blobs under way; nothing where it does not say."""
        try:
            with self._target.errors():
                _, waiting = self._target.blob.get_block_list("uncommitted", timeout=self._target.timeout)
        except Unavailable:
            raise
        except RemoteError:
            return frozenset()
        return frozenset((block.id, block.size) for block in waiting)

    def send(self, number: int) -> None:
        """See `Upload`."""
        start, stop = self.parts[number]
        with self._source.open("rb") as file:
            file.seek(start)
            content = file.read(stop - start)
        digest = md5(content)
        name = self._names[number] = f"{self._own}-{number:05}-{digest.hexdigest()}"
        if (name, len(content)) in self._there:
            return
        sent: Any = {"transactional_content_md5": digest.digest(), "timeout": self._target.timeout}
        with self._target.errors():
            self._target.blob.stage_block(name, content, len(content), **sent)

    def finish(self) -> None:
        """See `Upload`. Where another writer was first, its end has removed our blocks, and its blob is ours."""
        try:
            self._commit(ONLY_NEW if self._target.only_new else {})
        except Changed:
            if not self._target.is_there():
                self._commit({})
        except RemoteError as error:
            if getattr(error.__cause__, "error_code", "") != "InvalidBlockList" or not self._target.is_there():
                raise

    def _commit(self, condition: Mapping[str, Any]) -> None:
        blocks = [BlobBlock(self._names[number]) for number in range(len(self.parts))]
        with self._target.errors():
            self._target.blob.commit_block_list(blocks, timeout=self._target.timeout, **condition)

    def abort(self) -> None:
        """See `Upload`. There is nothing to do: Azure forgets blocks after a week."""
