"""Files of web servers as sources: known by ETag or Content-MD5, as DVC knows them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import requests
import urllib3.exceptions

from runner.errors import Denied, RemoteError, Unavailable
from runner.hashes import CHUNK, Hash, hash_bytes
from runner.store import http_client
from runner.store.public import PublicOnly, public_address
from runner.store.remote import refuse_unknown
from runner.store.source import Part, changed, of_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.store.protocols import Sink
    from runner.store.public import Address
    from runner.store.source import Found

_GONE = frozenset({404, 410})
_REFUSED = frozenset({401, 403, 407})
_PASSING = frozenset({408, 425, 429})
_SERVER = 500
_DIGITS = 18  # of a size in bytes
_WRONG = (
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.SSLError,
    requests.exceptions.TooManyRedirects,
)
_REMARKS = ("ETag", "Content-MD5", "Digest", "Last-Modified")


class Http:
    """The files of web servers, through one session."""

    def __init__(self, session: Callable[[], requests.Session], timeouts: tuple[float, float]) -> None:
        """Ask through sessions that `session` makes; `timeouts` are seconds to connect, and between two pieces."""
        self._session = http_client.once_a_thread(session)
        self._timeouts = timeouts

    @classmethod
    def open(cls, url: str, options: Mapping[str, object], environ: Mapping[str, str], /, *, guarded: bool) -> Self:  # noqa: ARG003 - requests reads proxies and certificates from the process
        """Open the server of `url`.

        Raises:
            ConfigError: an option that is not supported.

        """
        refuse_unknown(url, options, http_client.KNOWN)
        return cls(public_session if guarded else http_client.connect(url, options), http_client.timeouts(options))

    def find(self, url: str, *, folder: bool, versioned: bool) -> Found | None:  # noqa: ARG002 - there are no folders
        """See `SourceStore`. One request; two of a server that does not answer HEAD, or tells no size."""
        remarks: dict[str, Any] = {}
        for method in ("HEAD", "GET"):
            with self._errors(url), self._asked(method, url) as answer:
                if answer.status_code in _GONE:
                    return None
                if answer.ok:
                    remarks |= _remarks(answer)
                elif method == "GET":
                    raise _refusal(answer, url)
            if remarks.get("size") is not None:
                break
        return of_file(Part("", _checksum(url, remarks), remarks.get("size")))

    def get(self, url: str, part: Part, sink: Sink) -> None:
        """See `SourceStore`."""
        with self._errors(url), self._asked("GET", url) as answer:
            if answer.status_code in _GONE:
                raise changed(url)
            if not answer.ok:
                raise _refusal(answer, url)
            if _told(_remarks(answer)) not in {"", part.hash.value}:
                raise changed(url)
            for chunk in answer.iter_content(CHUNK):
                sink.write(chunk)

    def _asked(self, method: str, url: str) -> requests.Response:
        return self._session().request(method, url, stream=True, allow_redirects=True, timeout=self._timeouts)

    @contextmanager
    def _errors(self, url: str) -> Iterator[None]:
        try:
            yield
        except _WRONG as error:
            message = f"{url}: {error}"
            raise RemoteError(message, "check the url, the proxy, and the server's certificate") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            message = f"{url}: {error}"
            raise Unavailable(message, "check the network and the url") from error


def public_session(address: Address = public_address) -> requests.Session:
    """Make a session that shows no credentials and reaches public addresses only: those that `address` gives."""
    session = requests.Session()
    session.trust_env = False  # neither .netrc nor a proxy, which would resolve names by itself
    session.mount("http://", PublicOnly(address))
    session.mount("https://", PublicOnly(address))
    session.headers["Accept-Encoding"] = "identity"
    return session


def _remarks(answer: requests.Response) -> dict[str, Any]:
    """Give what the answer says of the file, in the order of DVC's file system library: see `_checksum`."""
    headers, found = answer.headers, dict[str, Any]()
    if "Content-Length" in headers:
        if headers.get("Content-Encoding", "") in {"", "identity"}:
            found |= _size(headers["Content-Length"])
    elif "Content-Range" in headers:
        found |= _size(headers["Content-Range"].rpartition("/")[2])
    if "Content-Type" in headers:
        found["mimetype"] = headers["Content-Type"].partition(";")[0]
    if headers.get("Accept-Ranges") == "none":
        found["partial"] = False
    found["url"] = answer.url
    return found | {name: headers[name] for name in _REMARKS if headers.get(name)}


def _size(written: str) -> dict[str, int]:
    """Read a number of bytes; a server may say anything, and `*` where it does not know."""
    return {"size": int(written)} if written.isdecimal() and len(written) <= _DIGITS else {}


def _told(remarks: Mapping[str, Any]) -> str:
    return str(remarks.get("ETag") or remarks.get("Content-MD5") or "")


def _checksum(url: str, remarks: Mapping[str, Any]) -> Hash:
    """Give the ETag as it is, with its quotes, or the Content-MD5.

    Of a server that tells neither DVC records a number made of everything else it says (fsspec's `checksum`: the md5
    of the text of a Python dict): the same here, so that a file recorded by DVC is not taken for changed.
    """
    told = _told(remarks)
    if not told:
        description = {"name": url, "size": None, **remarks, "type": "file"}
        told = str(int(hash_bytes(str((description,)).encode()), 16))
    return Hash(told, "checksum")


def _refusal(answer: requests.Response, url: str) -> RemoteError:
    said = f"{url}: the server answers {answer.status_code} {answer.reason}"
    if answer.status_code in _REFUSED:
        return Denied(said, "give the remote of a remote:// url its auth, user and password")
    if answer.status_code in _PASSING or answer.status_code >= _SERVER:
        return Unavailable(said, "the server is overloaded or out of order; try again later")
    return RemoteError(said, "check the url")
