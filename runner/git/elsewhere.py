"""Other git repositories: what their branches and tags point to, and single commits of them, through the door `git`.

Their urls may hold a password, so they are named in git's environment and never are arguments.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from runner.errors import GitError, RemoteError
from runner.git import MOVES_THE_TOP, Git, is_commit
from runner.git.configuring import basic, configured
from runner.git.fetching import FETCH_SECONDS, QUIETLY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_THERE: Final = "there"
"""What the other repository is called in git's environment."""

_making: Final = threading.Lock()


class Elsewhere(Git):
    """A repository of somebody else, and the folder without a work tree that its commits are fetched into."""

    def __init__(self, folder: Path, url: str, environ: Mapping[str, str]) -> None:
        """Take the folder, which is made when it is needed, and the url or absolute path of the other repository."""
        plain = {name: value for name, value in environ.items() if name not in MOVES_THE_TOP}
        super().__init__(folder, _naming(url, plain))
        with _making:  # several imports of one repository are looked at side by side
            if not (folder / "HEAD").exists():
                self._make(folder)

    def _make(self, folder: Path) -> None:
        """Make the folder, beside its place first: git leaves locks in what it was killed while making, for good."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        ready = Path(tempfile.mkdtemp(prefix=".", suffix=".tmp", dir=folder.parent))
        Git(ready, self.environ).run("init", "--quiet", "--bare")
        if folder.exists():
            shutil.rmtree(folder)
        ready.rename(folder)

    def tip(self, rev: str) -> str:
        """Ask for the commit of a branch or tag, empty: of the default branch; empty where there is none."""
        wanted = (f"refs/tags/{rev}^{{}}", f"refs/tags/{rev}", f"refs/heads/{rev}", rev) if rev else ("HEAD",)
        lines = self.run("ls-remote", "--quiet", _THERE, *wanted, seconds=FETCH_SECONDS).splitlines()
        found = {os.fsdecode(ref): os.fsdecode(sha) for sha, ref in (line.split(b"\t") for line in lines)}
        return next((found[ref] for ref in wanted if ref in found), "")

    def take(self, commit: str) -> None:
        """Bring a commit here, without its history if the other side allows.

        What is no whole id of a commit is never given to `git fetch`, which would read it as an option or a refspec.
        """
        if not is_commit(commit):
            self.take_all()
        elif not self.read(f"{commit}^{{commit}}"):
            self.close()
            try:
                self.run("fetch", *QUIETLY, "--no-tags", "--depth=1", _THERE, commit, seconds=FETCH_SECONDS)
            except GitError:
                self.take_all()

    def take_named(self, commit: str) -> None:
        """Bring a commit here that a branch or a tag leads to.

        Code hosts give out the commits of everybody's forks under the url of the repository that was forked.

        Raises:
            GitError: none leads to it.

        """
        self.take_all()
        if not self.run("for-each-ref", "--count=1", f"--contains={commit}", fine=(0, 129)):
            message = f"no branch and no tag of that repository leads to {commit[:12]}"
            raise GitError(message, "a pull request may name published commits only")

    def take_all(self) -> None:
        """Bring all branches and tags here."""
        self.close()
        refs = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        whole = ("--unshallow",) if self.is_shallow() else ()
        self.run("fetch", *QUIETLY, *whole, _THERE, *refs, seconds=FETCH_SECONDS)


def _naming(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Give the environment in which git knows `url` as `there`.

    Git hands urls on to programs of its own as arguments, so a user and a password in one become a header.
    """
    scheme, _, rest = url.partition("://")
    userinfo, at, host = rest.partition("/")[0].rpartition("@")
    settings = [(f"remote.{_THERE}.url", url)]
    if at and scheme in {"http", "https"}:
        plain = f"{scheme}://{host}{rest[len(userinfo) + len(at) + len(host) :]}"
        header = f"Authorization: {basic(unquote(userinfo))}"
        settings = [(f"remote.{_THERE}.url", plain), (f"http.{plain}.extraHeader", header)]
    return configured(environ, settings)


def guarded(url: str, environ: Mapping[str, str], address: Callable[[str, int], str]) -> dict[str, str]:
    """Give the environment in which git asks one https host, follows nothing else and shows no credentials.

    Args:
        url: the repository's.
        environ: the environment, of which next to nothing is kept.
        address: gives a host's address that may be connected to, or refuses.

    Raises:
        RemoteError: the url is no https:// url.

    """
    try:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            message = f"{url} is named by this pull request only, so it is not read"
            raise RemoteError(message, "such a repository must be at a public https:// url")
        port = parts.port or 443
        chosen = address(parts.hostname, port)
    except (OSError, ValueError) as error:
        message = f"{url}: {error}"
        raise RemoteError(message, "check the url") from error
    settings = [
        ("http.curloptResolve", f"{parts.hostname}:{port}:{chosen}"),
        ("http.followRedirects", "false"),
        ("http.proxy", ""),
        ("protocol.allow", "never"),
        ("protocol.https.allow", "always"),
        ("credential.helper", ""),
    ]
    plain = {name: value for name, value in environ.items() if name in {"PATH", "LANG", "TMPDIR", "SSL_CERT_FILE"}}
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": os.devnull, "GIT_ASKPASS": "true"}
    return configured(plain | nobody, settings)
