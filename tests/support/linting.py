"""Projects for the linter as texts by path: no disk, no git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.engine.dvcignore import Ignore
from runner.pipeline import config, files
from runner.pipeline.lint import lint
from runner.pipeline.lint.material import Material

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from runner.pipeline.lint.finding import Finding

REMOTE = "[core]\n    remote = store\n['remote \"store\"']\n    url = s3://bucket/store\n"


def material(
    texts: Mapping[str, str], *, untracked: Collection[str] = (), ignored: Collection[str] = (), **others: Any
) -> Material:
    """Give a project whose files are all in git, but for `untracked`; git ignores `ignored`."""
    known = {".dvc/config": REMOTE, **texts}
    folders = _folders(known)
    had = {path for path in known if path not in untracked}
    had |= _folders(had)

    def tracked(paths: Iterable[str]) -> set[str]:
        return {path for path in paths if path in had}

    hidden = Ignore(texts.get)
    dvc_files = [path for path in texts if path.endswith(("dvc.yaml", ".dvc"))]
    sight = files.Sight(
        lambda path: "yes" if hidden.hides(path) else "", {path for path in ignored if path.endswith("dvc.lock")}
    )
    pipeline, errors = files.survey(dvc_files, texts.get, sight=sight)
    return Material(
        pipeline=pipeline,
        errors=errors,
        read=known.get,
        exists=lambda path: path in known or path in folders,
        tracked=tracked,
        checked_out=tracked,
        ignored=lambda paths: {path for path in paths if path in ignored},
        config=config.parse([(".dvc/config", known[".dvc/config"], "/project/.dvc")]),
        **others,
    )


def _folders(paths: Iterable[str]) -> set[str]:
    return {"/".join(path.split("/")[:end]) for path in paths for end in range(1, path.count("/") + 1)}


def found(texts: Mapping[str, str], code: str = "", **others: Any) -> list[Finding]:
    """Lint the project; give its findings, or those of one code."""
    return [finding for finding in lint(material(texts, **others)) if finding.rule.code.startswith(code)]


def shown(texts: Mapping[str, str], code: str = "", **others: Any) -> list[str]:
    """Give the findings as `place: message`."""
    return [f"{finding.where}: {finding.message}" for finding in found(texts, code, **others)]
