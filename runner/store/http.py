"""HTTP and HTTPS as a remote: each object is a URL. Asks with HEAD, reads with GET, writes with DVC's `method`.

Plain HTTP cannot list, so `names` refuses. That an interrupted upload is not seen by readers is the server's part:
what arrives is verified, whoever wrote it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlsplit, urlunsplit

import requests
import urllib3.exceptions

from runner.errors import ConfigError, Denied, ObjectMissing, RemoteError, Unavailable, Unlistable
from runner.regexes import regex
from runner.store import disk, http_client, retry_after
from runner.store.arriving import Arriving, from_urllib3
from runner.store.meter import Reported, unheard
from runner.store.protocols import Changed, Unranged, Version
from runner.store.remote import checked, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from runner.store.meter import Report
    from runner.store.protocols import Sink, Source

_REQUESTS: Final = 32
_METHODS: Final = ("POST", "PUT", "PATCH")
_ABSENT: Final = frozenset({404, 410})
_DENIED: Final = frozenset({401, 403, 407})
_PASSING: Final = frozenset({408, 409, 423, 425, 429})
_OTHER: Final = frozenset({412, 416})
_NO_HEAD: Final = frozenset({405, 501})
_SERVER: Final = 500

_QUERY: Final = regex(r"(?<=[\w/])\?[^\s'\")]+")


class HTTP:
    """Objects below a URL."""

    def __init__(
        self,
        url: str,
        session: Callable[[], requests.Session],
        method: str = "POST",
        timeout: tuple[float, float] = (http_client.CONNECT_TIMEOUT, http_client.READ_TIMEOUT),
    ) -> None:
        """Use the server at `url`.

        Args:
            url: `http://` or `https://`; a query is kept behind every object's path.
            session: makes a session with its credentials; asked once a thread.
            method: how objects are sent.
            timeout: seconds to connect, and between two pieces of an answer.

        Raises:
            ConfigError: it is no url.

        """
        try:
            parts = urlsplit(url)
        except ValueError as error:
            message = f"{url!r} is not a url: {error}"
            raise ConfigError(message, "a host in brackets is an IPv6 address") from error
        self.url = urlunsplit((*parts[:2], parts.path.rstrip("/"), "", ""))
        self._query = f"?{parts.query}" if parts.query else ""
        self._method = method
        self._timeout = timeout
        self._session = http_client.once_a_thread(session)

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], _environ: Mapping[str, str], /) -> Self:
        """Open the remote with DVC's options. Proxies and certificates come from the process's own environment.

        Raises:
            ConfigError: an option that is not supported, or one that needs another.

        """
        shown = url.partition("?")[0]
        refuse_unknown(shown, options, http_client.KNOWN)
        method = str(options.get("method") or "POST").upper()
        if method not in _METHODS:
            message = f"remote {shown!r}: objects cannot be sent with the method {method!r}"
            raise ConfigError(message, f"one of {', '.join(_METHODS)}")
        return cls(url, http_client.connect(shown, options), method, http_client.timeouts(options))

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        """See `Remote`. One HEAD a name; a refusal is never taken for absence."""
        wanted = list(dict.fromkeys(map(checked, names)))
        with ThreadPoolExecutor(_REQUESTS) as threads:
            return {name: size for name, size in threads.map(self._head, wanted) if size is not None}

    def get(self, name: str, sink: Sink) -> None:
        """See `Remote`."""
        for chunk in self.begin(name)[1]:
            sink.write(chunk)

    def begin(self, name: str) -> tuple[Version, Arriving]:
        """See `Ranged`."""
        answer = self._answer("GET", name, stream=True)
        length, tag = answer.headers.get("Content-Length", ""), answer.headers.get("ETag", "")
        told = length.isdecimal() and not answer.headers.get("Content-Encoding")
        return Version(int(length) if told else None, tag if tag.startswith('"') else ""), self._arriving(answer, name)

    def read(self, name: str, version: Version, start: int, stop: int) -> Arriving:
        """See `Ranged`."""
        headers = {"Range": f"bytes={start}-{stop - 1}", "If-Match": version.pin}
        answer = self._answer("GET", name, stream=True, headers=headers)
        if not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-{stop - 1}/"):
            answer.close()
            message = f"{self.url} sends whole objects only"
            raise Unranged(message)
        if answer.headers.get("ETag", "") != version.pin:
            answer.close()
            raise self._changed(name)
        return self._arriving(answer, name)

    def _arriving(self, answer: requests.Response, name: str) -> Arriving:
        return Arriving(from_urllib3(answer.raw, decode=True), lambda: self._errors("GET", name), answer.close)

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        """See `Remote`. A redirect is refused: followed, a POST would become a GET and store nothing."""
        with disk.opened(source) as file:
            # An empty file would go in chunks, without a length; not every server takes that.
            content = Reported(file, report) if disk.size_of(source) else b""
            headers = {"Content-Type": "application/octet-stream"}
            with self._asked(self._method, name, data=content, headers=headers, allow_redirects=False) as answer:
                if answer.is_redirect:
                    message = f"{self._method} of {name} in {self.url} is redirected to {answer.headers['Location']}"
                    raise RemoteError(message, "name that place as the remote's url")

    def names(self, prefix: str) -> Iterator[str]:
        """Refuse: plain HTTP has no way to list."""
        message = f"{self.url} cannot list what begins with {prefix!r}: plain HTTP has no listing"
        raise Unlistable(message, "what needs a listing is left out on such a remote")

    def _head(self, name: str) -> tuple[str, int | None]:
        """Give the size of an object, or `None` where the server says that there is none."""
        try:
            with self._asked("HEAD", name, allow_redirects=True) as answer:
                length = answer.headers.get("Content-Length", "")
                if length.isdecimal() and not answer.headers.get("Content-Encoding"):
                    return name, int(length)
        except ObjectMissing:
            return name, None
        except _NoHeadError:
            pass
        return name, self._measured(name)

    def _measured(self, name: str) -> int | None:
        """Read an object to know its size, where the server does not tell it."""
        try:
            return sum(len(chunk) for chunk in self.begin(name)[1])
        except ObjectMissing:
            return None

    @contextmanager
    def _asked(self, method: str, name: str, **how: Any) -> Iterator[requests.Response]:  # noqa: ANN401 - of requests
        """Send a request about an object; give an answer that is none of a refusal."""
        with self._answer(method, name, **how) as answer:
            yield answer

    def _answer(self, method: str, name: str, **how: Any) -> requests.Response:  # noqa: ANN401 - of requests
        place = f"{self.url}/{quote(checked(name))}{self._query}"
        with self._errors(method, name):
            answer = self._session().request(method, place, timeout=self._timeout, **how)
        if not answer.ok:
            with answer:
                raise self._refused(answer, method, name)
        return answer

    @contextmanager
    def _errors(self, method: str, name: str) -> Iterator[None]:
        """Translate what requests, and urllib3 under it, raise inside the block."""
        try:
            yield
        except requests.exceptions.SSLError as error:
            message = f"{self.url}: the server's certificate is not trusted: {_told(error)}"
            raise RemoteError(message, "set ssl_verify to the file of its certificate authority") from error
        except (requests.exceptions.InvalidURL, requests.exceptions.TooManyRedirects) as error:
            message = f"{self.url}: {_told(error)}"
            raise RemoteError(message, "check the remote's url") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            message = f"{self.url}: {method} of {name}: {_told(error)}"
            raise Unavailable(message, "check the network and the remote's url") from error

    def _refused(self, answer: requests.Response, method: str, name: str) -> RemoteError:
        """Sort an answer that is no success by what helps."""
        said = f"{method} of {name} in {self.url}: {answer.status_code} {answer.reason}"
        if answer.status_code in _ABSENT and method in {"GET", "HEAD"}:
            return ObjectMissing(f"{name} is not in {self.url}", "push it from where it was made, or make it anew")
        if answer.status_code in _OTHER:
            return self._changed(name)
        if answer.status_code in _DENIED:
            return Denied(said, "check the remote's auth, user and password, or custom_auth_header")
        if answer.status_code in _NO_HEAD and method == "HEAD":
            return _NoHeadError(said)
        if answer.status_code in _PASSING or answer.status_code >= _SERVER:
            after = retry_after.seconds(answer.headers)
            return Unavailable(said, "the server is overloaded or out of order; try again later", after=after)
        hint = f"check the remote's url, and its option `method`: objects are sent with {self._method}"
        return RemoteError(said, hint)

    def _changed(self, name: str) -> Changed:
        return Changed(
            f"{name} in {self.url} is another than before", "it is overwritten again and again; find out by whom"
        )


def _told(error: Exception) -> str:
    """Give the words of an error without the query of its url, which may be a signature."""
    return _QUERY.sub("?***", str(error))


class _NoHeadError(RemoteError):
    """The server knows no HEAD."""
