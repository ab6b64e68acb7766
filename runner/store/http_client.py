"""requests' sessions from DVC's options of an HTTP remote: credentials, certificates, time limits.

Proxies and certificates that the options do not name come from the process's own environment.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

from runner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONNECT_TIMEOUT: Final = 10.0
READ_TIMEOUT: Final = 30.0
"""Seconds, where the remote's options say nothing: to connect, and between two pieces of an answer."""

KNOWN: Final = frozenset(
    {
        "auth", "custom_auth_header", "user", "password", "ask_password",
        "ssl_verify", "method", "connect_timeout", "read_timeout",
    }
)  # fmt: skip
"""DVC's options of an HTTP remote."""

_CONNECTIONS: Final = 64


def connect(url: str, options: Mapping[str, object]) -> Callable[[], requests.Session]:
    """Give what makes a session with the options' credentials and certificates.

    Raises:
        ConfigError: an option that needs another.

    """
    auth = _auth(url, options)
    verify = options.get("ssl_verify")

    def session() -> requests.Session:
        return _session(auth, verify if isinstance(verify, bool) or verify is None else str(verify))

    return session


def once_a_thread(make: Callable[[], requests.Session]) -> Callable[[], requests.Session]:
    """Give what gives each thread a session of its own: requests does not promise that one serves several."""
    own = threading.local()

    def session() -> requests.Session:
        found: requests.Session | None = getattr(own, "session", None)
        if found is None:
            found = own.session = make()
        return found

    return session


def timeouts(options: Mapping[str, object]) -> tuple[float, float]:
    """Give the seconds to connect, and between two pieces of an answer."""
    return (
        _seconds(options, "connect_timeout", CONNECT_TIMEOUT),
        _seconds(options, "read_timeout", READ_TIMEOUT),
    )


class _Session(requests.Session):
    """A session that takes every credential back when it is sent to another host, a custom header too."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Do as requests does with `Authorization`, for whatever header carries the password."""
        before, after = str(response.request.url), str(prepared_request.url)
        if isinstance(self.auth, _Header) and self.should_strip_auth(before, after):  # type: ignore[no-untyped-call]  # typeshed has none
            prepared_request.headers.pop(self.auth.name, None)
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]  # as above


class _Header(AuthBase):
    """DVC's `auth = custom`: the password in a header of that name."""

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the header on."""
        request.headers[self.name] = self._value
        return request


def _session(auth: Callable[[], AuthBase] | None, verify: bool | str | None) -> requests.Session:  # noqa: FBT001 - DVC's option
    session = _Session()
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.headers["Accept-Encoding"] = "identity"  # the object's own bytes, so that lengths are theirs
    session.auth = auth() if auth else None
    if verify is not None:
        session.verify = verify
    return session


def _auth(url: str, options: Mapping[str, object]) -> Callable[[], AuthBase] | None:
    """Give what makes the credentials of a session; without `auth` user and password are not sent (DVC's rule)."""
    kind = options.get("auth")
    if not kind:
        return None
    name = options.get("custom_auth_header") if kind == "custom" else options.get("user")
    password = options.get("password")
    if name is None or password is None:
        first = "custom_auth_header" if kind == "custom" else "user"
        message = f"remote {url!r}: auth = {kind} needs {first} and password"
        hint = "nobody can be asked for a password here: " if options.get("ask_password") else ""
        raise ConfigError(message, f"{hint}put it into .dvc/config.local, which git does not track")
    if kind == "custom":
        return lambda: _Header(str(name), str(password))
    made = HTTPDigestAuth if kind == "digest" else HTTPBasicAuth
    return lambda: made(str(name), str(password))


def _seconds(options: Mapping[str, object], name: str, default: float) -> float:
    return float(str(options.get(name) or default))
