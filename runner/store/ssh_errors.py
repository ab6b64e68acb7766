"""What went wrong over SSH, in our words and sorted by what helps: other rights, another try, or neither."""

from __future__ import annotations

from typing import Final

import asyncssh

from runner.errors import Denied, ObjectMissing, RemoteError, RunnerError, Unavailable

_ABSENT: Final = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_FORBIDDEN: Final = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect)
_FULL: Final = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_CUT: Final = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.SFTPEOFError)


def translate(error: Exception, doing: str, name: str, url: str) -> RunnerError:
    """Give the error to raise for what happened while `doing` something with `name` of the remote at `url`."""
    if isinstance(error, asyncssh.SFTPError):
        return _of_files(error, doing, name, url)
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        message = f"{url}: the key of the host is not known: {error.reason}"
        hint = "compare what `ssh-keyscan` prints with what the host's keeper says, and put it into"
        return Denied(message, f"{hint} ~/.ssh/known_hosts or the variable RETRAIN_SSH_KNOWN_HOSTS")
    if isinstance(error, asyncssh.PermissionDenied):
        message = f"{url}: the server lets nobody in with these credentials: {error.reason}"
        return Denied(message, "set the remote's user and keyfile or password, or the variable RETRAIN_SSH_KEY")
    if isinstance(error, asyncssh.ChannelOpenError):
        return RemoteError(f"{url}: the server offers no SFTP: {error.reason}", "switch its sftp subsystem on")
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return RemoteError(f"{url}: {error.reason}", "the server offers nothing that is safe enough; update it")
    said = getattr(error, "reason", "") or str(error) or type(error).__name__
    return Unavailable(f"{url}: {doing} {name}: {said}", "check the network, and host and port of the remote's url")


def _of_files(error: asyncssh.SFTPError, doing: str, name: str, url: str) -> RemoteError:
    """Sort what the server says of a file."""
    said = f"{doing} {name} in {url}: {error.reason}"
    if isinstance(error, _ABSENT) and doing == "read":
        return ObjectMissing(f"{name} is not in {url}", "push it from where it was made, or make it anew")
    if isinstance(error, _FORBIDDEN):
        return Denied(said, f"the user there may not {doing} it: look at owner and mode of the folder")
    if isinstance(error, _FULL):
        return RemoteError(said, "make room there, or raise the quota")
    if isinstance(error, _CUT):
        return Unavailable(said, "the connection was cut; try again")
    return RemoteError(
        said, "SFTP says no more than that; a full disk or a folder in the place of a file looks like this"
    )
