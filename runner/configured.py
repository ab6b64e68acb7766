"""DVC's configuration of a project, layer by layer, and the remotes that it names."""

from __future__ import annotations

import logging
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ConfigError
from runner.git import index
from runner.locating import read_text
from runner.pipeline import config
from runner.store.place import keeps_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.engine.versions import Versions
    from runner.git import Git
    from runner.pipeline.config import Config
    from runner.store.remote import Remote

logger = logging.getLogger("retrain")


def dvc_config(root: Path, git: Git, prefix: str, environ: Mapping[str, str]) -> Config:
    """Read DVC's configuration of a project as it is in the workspace, with that of the machine.

    Raises:
        ConfigErrors: every mistake in it.

    """
    return read_config(root, git, f"{prefix}.dvc/config", "", environ)


def read_config(  # noqa: PLR0913 - where, at which commit, and whose word counts
    root: Path, git: Git, name: str, rev: str, environ: Mapping[str, str], *, borrows: bool = True
) -> Config:
    """Read DVC's configuration: system, user, project and local file, the later the stronger.

    Where the commit `rev` has no such file, that of the checkout counts, if this `borrows` it.
    """
    home = environ.get("HOME", "")
    shared = environ.get("XDG_CONFIG_DIRS", "").partition(":")[0] or "/etc/xdg"
    system = Path(environ.get("DVC_SYSTEM_CONFIG_DIR") or f"{shared}/dvc")
    user = Path(environ.get("DVC_GLOBAL_CONFIG_DIR") or f"{environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}/dvc")
    committed = git.show(rev, name) if rev else None
    own = _layer(root / ".dvc" / "config", ".dvc/config") if borrows else None
    if committed is not None:
        try:
            own = (".dvc/config", committed.decode(), str(root / ".dvc"))
        except UnicodeDecodeError as error:
            message = f".dvc/config of the base commit {rev[:12]} is not UTF-8"
            raise ConfigError(message, "mend it on the target branch") from error
    local = _layer(root / ".dvc" / "config.local", ".dvc/config.local")
    if rev and local and index.tracked(git, [f"{name}.local"]):
        logger.warning("%s.local came with the pull request and is not read", name)
        local = None
    layers = (_layer(system / "config"), _layer(user / "config"), own, local)
    return config.parse([layer for layer in layers if layer], home)


def _layer(place: Path, name: str = "") -> tuple[str, str, str] | None:
    text = read_text(place, name or str(place))
    return None if text is None else (name or str(place), text, str(place.parent))


def remotes(dvc: Config, wanted: str, environ: Mapping[str, str], versions: Versions) -> Callable[[str], Remote | None]:
    """Open each remote once, when it is first asked for, whether as the default one or by its name."""
    if wanted:
        dvc.remote(wanted)  # a name that is not there is said even if the remote is never needed

    @cache
    def opened(name: str) -> Remote:
        from runner.store.remote import open_remote  # noqa: PLC0415 - most plans ask no remote

        chosen = dvc.remote(name)
        if not keeps_versions(chosen.options):
            return open_remote(chosen.url, chosen.options, environ=environ)
        from runner.store.versioned import open_versioned  # noqa: PLC0415 - as above

        return open_versioned(chosen.url, chosen.options, partial(versions.place, chosen.name), environ=environ)

    def remote(name: str) -> Remote | None:
        return opened(dvc.remote(name or wanted).name) if name or wanted or dvc.default_remote else None

    return remote


def read_only(dvc: Config, wanted: str) -> Callable[[str], str]:
    """Give a function that says why a remote is not pushed to, from its options alone: it is not opened for that."""

    def why(name: str) -> str:
        if not (name or wanted or dvc.default_remote):
            return ""
        chosen = dvc.remote(name or wanted)
        option = keeps_versions(chosen.options)
        return f"remote {chosen.name!r} ({chosen.file}) is {option}: it is read, and not pushed to" if option else ""

    return why
