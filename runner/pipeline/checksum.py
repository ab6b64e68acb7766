"""The md5 at the top of a `.dvc` file with deps: DVC's rule for what counts as the same import, or the same stage."""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Any, Final

from runner.hashes import hash_bytes
from runner.pipeline import shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOT_HASHED: Final = frozenset(
    {
        *("desc", "type", "labels", "meta", "locked", "frozen", "metric", "persist", "checkpoint", "tags"),
        *("isexec", "size", "nfiles"),
    }
)
_OUT_DEFAULTS: Final[Mapping[str, object]] = {
    "cache": True,
    "push": True,
    "persist": False,
    "plot": False,
    "remote": "",
}


def checksum(document: Mapping[str, Any]) -> str:
    """Give the md5 that DVC writes at the top of a `.dvc` file with deps: of what it says, less what is cosmetic.

    Of data that is only tracked (no dep, or not one dep and one out) DVC keeps none: empty.
    """
    return _checksum(document, _out)


def _checksum(document: Mapping[str, Any], out: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> str:
    deps, outs = document.get("deps") or (), document.get("outs") or ()
    if document.get("cmd") is None and (len(deps) != 1 or len(outs) != 1):
        return ""
    said = {
        "cmd": document.get("cmd"),
        "wdir": posixpath.normpath(document.get("wdir") or "."),
        "deps": [_dep(dep) for dep in deps],
        "outs": [out(written) for written in outs],
        "always_changed": document.get("always_changed"),
    }
    counted = {key: value for key, value in said.items() if value and (key, value) != ("wdir", ".")}
    return hash_bytes(json.dumps(_hashed(counted), sort_keys=True).encode())


def checksum_before_1(document: Mapping[str, Any]) -> str:
    """Give the md5 that DVC before 1.0 wrote: `cache: true` was part of it."""
    return _checksum(document, lambda written: {"cache": True, **_out(written)})


def _dep(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a dep as DVC dumps it: of one in a repository only where it is."""
    if not written.get("repo"):
        return _known(written)
    return {"path": written["path"], "repo": {key: value for key, value in written["repo"].items() if value}}


def _out(written: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in _known(written).items() if _OUT_DEFAULTS.get(key) != value}


def _known(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what is known of a path, which is normalised; what leads elsewhere counts as it is written."""
    path = _path(written["path"])
    return {key: path if key == "path" else value for key, value in written.items() if value is not None}


def _path(written: str) -> str:
    plain = posixpath.normpath(written)
    leads_out = shape.URL.match(written) or plain.startswith(("/", "../"))
    return written if leads_out else plain


def _hashed(node: Any) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(node, dict):
        return {key: _hashed(value) for key, value in node.items() if key not in _NOT_HASHED}
    return [_hashed(value) for value in node] if isinstance(node, list) else node
