"""Large blobs of Azure in blocks: sent one by one, tied together at the end, forgotten by Azure where they are not."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock

from runner.errors import RemoteError
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
_AT_ONCE: Final = 4


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
    """See `Upload`. What a block is made of is read when it is sent: memory does not grow with blocks."""

    def __init__(self, target: Target, source: Path, size: int) -> None:
        """Prepare to send the file `source` of `size` bytes to `target`; nothing has to be asked for."""
        block = max(BLOCK, -(-size // _MOST_BLOCKS))
        self.parts = [(at, min(at + block, size)) for at in range(0, size, block)]
        self.at_once = _AT_ONCE
        self._target = target
        self._source = source
        self._own = secrets.token_hex(8)  # blocks of two writers of one blob would else be mixed

    def send(self, number: int) -> None:
        """See `Upload`."""
        start, stop = self.parts[number]
        with self._source.open("rb") as file:
            file.seek(start)
            content = file.read(stop - start)
        with self._target.errors():
            self._target.blob.stage_block(self._name(number), content, len(content), timeout=self._target.timeout)

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
        blocks = [BlobBlock(self._name(number)) for number in range(len(self.parts))]
        with self._target.errors():
            self._target.blob.commit_block_list(blocks, timeout=self._target.timeout, **condition)

    def abort(self) -> None:
        """See `Upload`. There is nothing to do: Azure forgets blocks after a week."""

    def _name(self, number: int) -> str:
        return f"{self._own}-{number:05}"
