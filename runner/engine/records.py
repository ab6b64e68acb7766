"""Records of past runs: what DVC's run cache calls them, and what one says.

A run's key is the hash of its command, deps, params and the paths of its outs; its value the hash of the complete
lock entry. Both leave out every mapping key named `size` or `nfiles`, at any depth, as DVC does.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from runner import digests
from runner.errors import ConfigError
from runner.pipeline import lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.pipeline.model import LockEntry

logger = logging.getLogger("retrain")


def key(entry: Mapping[str, Any]) -> str:
    """Give a run's key. `entry` is the lock entry as written (`lock.entry_data`)."""
    return _digest({**entry, "outs": [out["path"] for out in entry.get("outs", ())]})


def value(entry: Mapping[str, Any]) -> str:
    """Give a run's value: the name of its record below its key."""
    return _digest(dict(entry))


def _digest(entry: dict[str, Any]) -> str:
    return digests.sha256(json.dumps(_without_sizes(entry), sort_keys=True).encode()).hexdigest()


def _without_sizes(node: Any) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(node, dict):
        return {name: _without_sizes(inner) for name, inner in node.items() if name not in {"size", "nfiles"}}
    if isinstance(node, (list, tuple)):
        return [_without_sizes(inner) for inner in node]
    return node


def name_of(run_key: str, record: str = "") -> str:
    """Give the place of a run's records below the cache's or the remote's root."""
    return f"runs/{run_key[:2]}/{run_key}/{record}"


def name_of_run(entry: LockEntry) -> str:
    """Give the place of the record of the run that left a lock entry; empty where none can have."""
    written = lock.entry_data(entry)
    try:
        return name_of(key(written), value(written))
    except (TypeError, ValueError):  # a lock made by hand holds what JSON does not, so no run can have left it
        return ""


def parsed(content: bytes, record: str) -> Iterator[LockEntry]:
    """Read a record; one that is damaged or does not hash to its own name is no record (it is a miss)."""
    try:
        entry = lock.parse_entry(content.decode(), f"run cache record {record[:12]}")
        if value(lock.entry_data(entry)) == record:
            yield entry
        else:
            logger.warning("run cache record %s does not match its name; not used", record[:12])
    except (UnicodeDecodeError, ConfigError, TypeError, ValueError) as error:  # the last two: it has no name in JSON
        logger.warning("run cache record %s is damaged; not used: %s", record[:12], error)
