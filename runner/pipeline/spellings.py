"""What people write in dvc.yaml that DVC never took there, or takes no more, and how it is written instead.

Found in articles, in answers, and in files that were made from a dvc.lock or from the options of a command.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCKED: Final = "hashes and sizes are in dvc.lock, which a run writes: remove the line"
_OPTION: Final = "that is an option of a command, not a key: remove it"
_UNCACHED: Final = "list it under {} as `- PATH:` with `cache: false` below it"
_KEPT: Final = "list it under {} as `- PATH:` with `persist: true` below it"

_OF_OUTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("hash", "md5", "etag", "checksum", "size", "nfiles", "isexec"), _LOCKED),
    "xpath": "the whole file is read: remove it; a gate of retrain.yaml picks a value, `metric: FILE:$.KEY`",
    "metric": "list the path under metrics instead of outs",
    "plot": "list the path under plots instead of outs",
    "tags": "git's tags are used instead: remove it",
    "no_cache": "write `cache: false`",
}
_OF_STAGES: Final[Mapping[str, str]] = {
    **{f"{section}_no_cache": _UNCACHED.format(section) for section in ("outs", "metrics", "plots")},
    **{f"{section}_persist": _KEPT.format(section) for section in ("outs", "metrics", "plots")},
    **dict.fromkeys(("no_exec", "no_commit", "no_run_cache", "force", "single_stage", "external", "run"), _OPTION),
    "name": "the key that the stage stands under is its name: remove it",
    "locked": "write `frozen: true`",
    "md5": "the file of a pipeline holds no hashes: remove the line",
    "inputs": "did you mean 'deps'?",
    "script": "did you mean 'cmd'?",
    "tags": "write it below `meta:`",
}
_OF_FILES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("cmd", "deps", "outs", "wdir"), "a stage has a name: write this below `stages:` and the name"),
    "schema": "this is the text of a dvc.lock: the stages of a dvc.yaml hold no hashes and no values",
    "version": "a dvc.yaml has no version: remove the line",
    "pipelines": "did you mean 'stages'?",
}
_PARAM: Final = regex(r"(?P<file>[^:]+\.(?:ya?ml|json|toml|py)):(?P<key>[\w.\-]+)\Z", re.IGNORECASE)


def of_key(key: object, value: object, known: Mapping[str, Any]) -> str:
    """Say how an unknown key of a mapping that may have the keys `known` is written; empty where nobody knows."""
    word = str(key).replace("-", "_")
    if "artifacts" in known:
        is_stage = isinstance(value, dict) and "cmd" in value
        return "a stage is written below `stages:`" if is_stage else _OF_FILES.get(word, "")
    if "matrix" in known:
        return _OF_STAGES.get(word, "")
    return _OF_OUTS.get(word, "") if "persist" in known and "path" not in known else ""


def of_path(written: Any) -> str:  # noqa: ANN401 - a document is of any shape
    """Say how a dep or out is written that stands there as in a dvc.lock: with `path:`; empty where it does not."""
    if isinstance(written, dict) and isinstance(written.get("path"), str):
        return f"write `- {written['path']}`; hashes and sizes are in dvc.lock, which a run writes"
    return ""


def of_param(spelled: str, default: str) -> str:
    """Say how a param is written that stands there as `file:key`; empty where it is none."""
    found = _PARAM.match(spelled)
    if not found:
        return ""
    entry = found["key"] if found["file"] == default else f"{found['file']}: [{found['key']}]"
    return f"write it below params: `- {entry}`"
