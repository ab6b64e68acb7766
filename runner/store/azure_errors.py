"""What Azure says went wrong, in our words and sorted by what helps: other rights, another try, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azure.core.exceptions import AzureError, ClientAuthenticationError

from runner.errors import Denied, ObjectMissing, RemoteError, Unavailable
from runner.store.answered import Answered, answered
from runner.store.protocols import Changed
from runner.store.retry_after import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROLE: Final = {
    "read": "Storage Blob Data Reader, or a signature with read",
    "list": "Storage Blob Data Reader, or a signature with list",
    "write": "Storage Blob Data Contributor, or a signature with create and write",
    "remove": "Storage Blob Data Contributor, or a signature with delete",
}
_NO_CONTAINER: Final = frozenset(
    {"ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled", "InvalidResourceName"}
)
_PRIVATE: Final = frozenset({"NoAuthenticationInformation", "PublicAccessNotPermitted", "ResourceNotFound"})
"""What Azure answers to somebody without credentials of a container that is not public; the last one also means that
there is no such blob."""

_WRONG_KEY: Final = frozenset({"AuthenticationFailed", "AuthorizationFailure", "InvalidAuthenticationInfo"})
_PASSING: Final = frozenset({"OperationTimedOut", "ServerBusy", "InternalError"})
_HINTS: Final = {"BlobArchived": "the blob is in the archive tier: bring it back to cool or hot first"}
_UNSIGNED: Final = "External Azure credential provider: "
_CONDITION: Final = frozenset({"BlobAlreadyExists", "ConditionNotMet"})
_PRECONDITION: Final = 412
_ABSENT: Final = 404
_REFUSED: Final = frozenset({401, 403})
_LATER: Final = frozenset({408, 429})
_SERVER: Final = 500


def translate(error: Exception, doing: str, name: str, place: str, *, anonymous: bool = False) -> RemoteError:
    """Give the error to raise.

    Args:
        error: of Azure's client, or of obstore.
        doing: read, list, write or remove.
        name: of the blob, or what the names begin with.
        place: the remote's url and account, for people.
        anonymous: whether no credentials are shown.

    """
    said = _of_azure(error) if isinstance(error, AzureError) else answered(error)
    if said.code in _CONDITION or said.status == _PRECONDITION:
        return changed(name, place)
    if said.status:
        return _sorted(said, doing, name, place, anonymous=anonymous)
    if isinstance(error, ClientAuthenticationError) or _UNSIGNED in said.text:
        message = f"{place}: no usable credentials: {_short(said.text.rpartition(_UNSIGNED)[2])}"
        return Denied(
            message, "set the remote's account_key, sas_token or connection_string, or sign in: docs/remotes.md"
        )
    if "certificate" in f"{said.text}{error}".lower():
        message = f"{place}: the server's certificate is not trusted: {_short(said.text)}"
        return RemoteError(message, "name the file of its authority in REQUESTS_CA_BUNDLE")
    return Unavailable(
        f"{doing} {name} in {place}: {_short(said.text)}", "check the network and the remote's account_name"
    )


def changed(name: str, place: str) -> Changed:
    """Give the error for a blob that is not the version, or not absent, as the request demands."""
    return Changed(f"{name} in {place} is another than before", "it is overwritten again and again; find out by whom")


def _of_azure(error: AzureError) -> Answered:
    answer = getattr(error, "response", None)
    headers: Mapping[str, str] = getattr(answer, "headers", None) or {}
    status = getattr(error, "status_code", None) or 0
    code = getattr(error, "error_code", None) or headers.get("x-ms-error-code") or ""
    inner = getattr(error, "inner_exception", None)
    reason = getattr(next(iter(getattr(inner, "args", ())), None), "reason", None)  # urllib3's, inside of requests'
    text = str(reason or error.message).partition("\nContent:")[0]
    request = headers.get("x-ms-request-id", "")
    return Answered(int(status), str(getattr(code, "value", code)), text, request, text, seconds(headers))


def _sorted(said: Answered, doing: str, name: str, place: str, *, anonymous: bool) -> RemoteError:
    """Sort an answer of the server."""
    message = f"{doing} {name} in {place}: " + ": ".join(
        filter(None, [said.code or str(said.status), _short(said.words)])
    )
    if anonymous and (said.code in _PRIVATE or said.status in _REFUSED):
        return Denied(
            message, "without credentials only a public container can be read; is it one, and is that its name?"
        )
    if said.code in _NO_CONTAINER or (said.status == _ABSENT and doing not in {"read", "remove"}):
        return RemoteError(f"{place}: there is no such container", "check the remote's url and account_name")
    if said.status == _ABSENT:
        return ObjectMissing(f"{name} is not in {place}", "push it from where it was made, or make it anew")
    if said.status in _REFUSED:
        wrong = "the account's key, its signature or the clock of this machine is wrong, or the signature has expired"
        return Denied(message, wrong if said.code in _WRONG_KEY else f"the credentials need {_ROLE[doing]}")
    if said.status in _LATER or said.status >= _SERVER or said.code in _PASSING:
        request = f"{message} (request id {said.request or 'not given'})"
        return Unavailable(request, "the storage is overloaded or out of order; try again later", after=said.after)
    return RemoteError(message, _HINTS.get(said.code, "the storage refused the request; check the remote's options"))


def _short(text: str) -> str:
    """Give the first line, without the id and the time of the request behind it."""
    return text.strip().partition("\n")[0].strip()
