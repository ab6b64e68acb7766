"""Rules about what is kept where: outs, metrics and gates, git, remotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.errors import Location
from runner.pipeline.lint import catalogue
from runner.pipeline.lint.finding import Finding
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.pipeline.lint.material import Material

_CONFIG: Final = ".dvc/config"
_SECRET: Final = regex(
    r"[^\S\n]*(secret_access_key|session_token|password|account_key|connection_string|sas_token|client_secret"
    r"|service_account_secret|oss_key_secret|gdrive_client_secret|token|passphrase)[^\S\n]*=[^\S\n]*(\S+)"
)


def in_git(material: Material) -> Iterator[Finding]:
    """Yield cached outs that git tracks too: DVC refuses them, after the command has run."""
    owners = {out.path: (stage, out) for stage in material.pipeline.stages for out in stage.outs if out.cache}
    tracked = material.tracked(owners)
    for path, (stage, out) in owners.items():
        if path in tracked:
            message = f"git tracks {path}, which {stage.address!r} writes and DVC is to keep"
            hint = f"git rm -r --cached {path}, or say cache: false and leave it to git"
            yield material.finding(catalogue.IN_GIT, stage, message, hint, ("", out.spelled))


def kept_nowhere(material: Material) -> Iterator[Finding]:
    """Yield uncached outs that git ignores."""
    owners = {out.path: (stage, out) for stage in material.stages for out in stage.outs if not out.cache}
    ignored = material.ignored(owners)
    for path, (stage, out) in owners.items():
        if path in ignored and not path.startswith(".dvc/tmp/"):
            what = "metric" if out.metric else "out"
            message = f"nothing keeps the {what} {path}: it is not cached, and git ignores it"
            hint = f"add !/{path} to .gitignore so that it is committed, or drop cache: false"
            yield material.finding(catalogue.KEPT_NOWHERE, stage, message, hint, ("", out.spelled))


def gates(material: Material) -> Iterator[Finding]:
    """Yield gates whose metrics file is written by no stage, or has no history in git."""
    loose = [path for path, _ in material.gates if material.pipeline.producer(path) is None]
    tracked = material.tracked(loose)
    for path, place in material.gates:
        found = material.pipeline.producer(path)
        if found is None:
            if path not in tracked and material.stages:
                message = f"no stage writes {path}, and git does not have it: the gate has nothing to judge"
                yield Finding(catalogue.NO_METRIC, place, message, "name a metric of a stage")
        elif found[1].cache:
            stage, out = found
            message = f"a gate compares {path} with its value at the base, which is in the cache and not in git"
            hint = "say cache: false and commit it: then every commit has its value, without the remote"
            yield material.finding(catalogue.CACHED_METRIC, stage, message, hint, ("", out.spelled))


def default_remote(material: Material) -> Iterator[Finding]:
    """Yield a project whose cached outs have nowhere to go."""
    config = material.config
    if config is None or config.default_remote:
        return
    kept = [
        out for stage in material.pipeline.stages for out in stage.outs if out.cache and out.push and not out.remote
    ]
    if kept:
        names = ", ".join(config.remotes)
        hint = f"dvc remote default {next(iter(config.remotes))}" if names else "dvc remote add --default NAME URL"
        message = f"no default remote is set, so {kept[0].path} and what else is cached stays on one machine"
        yield Finding(catalogue.NO_REMOTE, Location(_CONFIG, 1, 1), message, hint)


def secrets(material: Material) -> Iterator[Finding]:
    """Yield secrets in the configuration that is committed."""
    for number, line in enumerate((material.read(_CONFIG) or "").splitlines(), 1):
        found = _SECRET.match(line)
        if found:
            message = f"{found[1]} stands in {_CONFIG}, which everybody with the repository can read"
            hint = "replace the secret, and set the new one with dvc remote modify --local, or in the environment"
            yield Finding(catalogue.SECRET, Location(_CONFIG, number, found.start(1) + 1), message, hint)


def one_machine(material: Material) -> Iterator[Finding]:
    """Yield a default remote that is a folder: a runner elsewhere does not have it."""
    config = material.config
    remote = config.remotes.get(config.default_remote) if config else None
    if remote and remote.url.startswith("/") and remote.file.endswith(_CONFIG):
        line = next(
            (number for number, text in enumerate((material.read(_CONFIG) or "").splitlines(), 1) if "url" in text), 1
        )
        message = f"the default remote {remote.name!r} is the folder {remote.url}"
        hint = "fine where every runner mounts it; otherwise choose a remote that all of them reach"
        yield Finding(catalogue.ONE_MACHINE, Location(_CONFIG, line, 1), message, hint)
