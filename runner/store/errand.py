"""The side of a worker, see `runner.store.worker`."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from runner.errors import RemoteError
from runner.hashes import Hash
from runner.store import transfer
from runner.store.cache import Cache
from runner.store.protocols import creating
from runner.store.remote import open_remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from runner.store.worker import Errand

_AT_ONCE: Final = 0.05
"""Seconds after which it answers, with what it was given done or not: what is left may be done by who waits."""


def main() -> None:
    """Move what is asked for until nobody asks any more."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # which everybody is sent; who started this decides
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which programs that give credentials would inherit
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    asked = _asked(sys.stdin.buffer)
    work = _work(next(asked))  # type: ignore[arg-type]  # the first is an errand, all others are keys
    with suppress(BrokenPipeError):  # nobody asks any more
        _answer(answers, [])
        for keys in asked:
            _answer(answers, _some(work, keys))  # type: ignore[arg-type]  # as above


def _asked(pipe: BinaryIO) -> Iterator[object]:
    while True:
        try:
            yield pickle.load(pipe)  # noqa: S301 - from our own process
        except EOFError:
            return


def _answer(pipe: BinaryIO, what: Sequence[int | RemoteError]) -> None:
    pickle.dump(what, pipe)
    pipe.flush()


def _work(errand: Errand) -> Callable[[Hash], int]:
    remote = open_remote(errand.opened.url, errand.opened.options, environ=errand.opened.environ)
    cache = Cache(Path(errand.cache), shared=errand.shared)
    if errand.doing == "fetch":
        return partial(transfer.bring, remote, cache)
    return partial(transfer.send, creating(remote), cache)


def _some(work: Callable[[Hash], int], keys: Sequence[str]) -> list[int | RemoteError]:
    """Do as many of some objects as there is time for, one at least."""
    end = time.monotonic() + _AT_ONCE
    done: list[int | RemoteError] = []
    for key in keys:
        name = Hash.of_key(key)
        if name is None:
            raise ValueError(key)
        try:
            done.append(work(name))
        except RemoteError as error:
            done.append(error)
        if time.monotonic() > end:
            break
    return done
