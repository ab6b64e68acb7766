"""What a stranger's run left for the one that follows: a report as data, in an artifact, and whose it is.

Nothing of an artifact is written to disk, and no more of it is read than a report can be long. What is in it is text of
a stranger's until somebody has checked it against the report's schema.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from runner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.forge.firstrun import FirstRun
    from runner.forge.repository import Repository

LARGEST_ARTIFACT: Final = 64 << 20
"""Bytes: pages, plots and logs of a large project lie beside its report."""
LARGEST_REPORT: Final = 8 << 20
"""Bytes; a pipeline of 3,000 stages and 5,000 metrics has 4 MB."""
_NAME: Final = "report.json"
_HINT: Final = "a run that Retrain made itself has this right; nothing is posted"


class Handover:
    """The first run's leavings, asked of GitHub."""

    def __init__(self, repository: Repository, first: FirstRun) -> None:
        """Ask nothing yet."""
        self._repository = repository
        self._first = first

    def pull_requests(self) -> list[int]:
        """Give the open pull requests whose head is the first run's commit, by repository, branch and commit.

        Raises:
            ForgeError: GitHub could not say.

        """
        first = self._first
        owner = first.head.partition("/")[0]
        if not owner or not first.head_branch:
            return []
        query = urlencode({"state": "open", "head": f"{owner}:{first.head_branch}"})
        return [
            number
            for found in self._repository.api.pages(self._repository.path(f"pulls?{query}"))
            for number in [found.get("number")]
            if isinstance(number, int) and self._is_head(found.get("head"))
        ]

    def _is_head(self, head: object) -> bool:
        match head:
            case {"sha": str(sha), "repo": {"full_name": str(repository)}}:
                return sha == self._first.head_sha and repository.lower() == self._first.head.lower()
        return False

    def report(self, name: str) -> str | None:
        """Read `report.json` out of the first run's artifact of that name; the newest, if there are several.

        Returns:
            The text, of which nothing is known yet; `None` where the run left no such artifact.

        Raises:
            ForgeError: GitHub did not give it; it takes `actions: read`.
            ConfigError: it is too large, or no archive with a report in it.

        """
        found = self._artifact(name)
        if found is None:
            return None
        path = self._repository.path(f"actions/artifacts/{found['id']}/zip")
        if int(str(found.get("size_in_bytes", 0))) > LARGEST_ARTIFACT:
            message = f"the artifact {name} is larger than {LARGEST_ARTIFACT >> 20} MiB"
            raise ConfigError(message, _HINT)
        return _unpacked(self._repository.api.download(path, LARGEST_ARTIFACT), name)

    def _artifact(self, name: str) -> Mapping[str, object] | None:
        query = urlencode({"name": name})
        pages = self._repository.api.pages(
            self._repository.path(f"actions/runs/{self._first.number}/artifacts?{query}")
        )
        named = [
            one
            for page in pages
            for one in _list(page.get("artifacts"))
            if one.get("name") == name and isinstance(one.get("id"), int) and not one.get("expired")
        ]
        return max(named, key=lambda one: int(str(one["id"])), default=None)


def _list(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _unpacked(archive: bytes, name: str) -> str:
    """Read the one file that counts, wherever the archive says that it belongs.

    Of a compression that it does not know `zipfile` says NotImplementedError, of a password RuntimeError.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            members = [one for one in opened.infolist() if one.filename.replace("\\", "/").split("/")[-1] == _NAME]
            if len(members) != 1:
                message = f"the artifact {name} holds {len(members)} files called {_NAME}, not one"
                raise ConfigError(message, _HINT)
            with opened.open(members[0]) as file:
                raw = file.read(LARGEST_REPORT + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        message = f"the artifact {name} cannot be unpacked: {error}"
        raise ConfigError(message, _HINT) from error
    if len(raw) > LARGEST_REPORT:
        message = f"{_NAME} in the artifact {name} is larger than {LARGEST_REPORT >> 20} MiB"
        raise ConfigError(message, _HINT)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        message = f"{_NAME} in the artifact {name} is not UTF-8"
        raise ConfigError(message, _HINT) from error
