"""What S3 and boto3 say went wrong, in our words and sorted by what helps: other rights, another try, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.errors import Denied, ObjectMissing, RemoteError, Unavailable
from runner.store.protocols import Changed
from runner.store.retry_after import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.exceptions import ClientError

_PERMISSION = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "ListObjectsV2": "s3:ListBucket",
    "DeleteObjects": "s3:DeleteObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
}
_ABSENT = frozenset({"NoSuchKey", "NoSuchVersion", "NotFound", "404"})
_DENIED = frozenset(
    {
        "403",
        "401",
        "AccessDenied",
        "AccountProblem",
        "AllAccessDisabled",
        "ExpiredToken",
        "Forbidden",
        "InvalidAccessKeyId",
        "InvalidToken",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnauthorizedAccess",
    }
)
_REGION = frozenset({"PermanentRedirect", "AuthorizationHeaderMalformed", "301", "IllegalLocationConstraintException"})
_UNKNOWN = frozenset({"NotImplemented", "MethodNotAllowed", "501", "405"})
_PASSING = frozenset(
    {
        "409",
        "ConditionalRequestConflict",
        "OperationAborted",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)
_TOO_MANY = 429
_SERVER = 500
_PRECONDITION = 412


def is_theirs(error: Exception) -> bool:
    """Whether boto3, or urllib3 under it, raised this."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only what goes wrong waits for it
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - as above

    return isinstance(error, (ClientError, BotoCoreError, HTTPError))


def refused(status: int, operation: str, code: str, words: str = "", request: str = "") -> ClientError:
    """Give botocore's error for what the server said."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as above

    answer: Any = {
        "Error": {"Code": code, "Message": words},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": request},
    }
    return ClientError(answer, operation)


def translate(error: Exception, operation: str, name: str, url: str) -> RemoteError:
    """Give the error to raise for what happened while `operation` was done to `name` of the remote at `url`."""
    from botocore import exceptions  # noqa: PLC0415 - as above

    if isinstance(error, exceptions.ClientError):
        return _answered(error, operation, name, url)
    if isinstance(
        error,
        (
            exceptions.NoCredentialsError,
            exceptions.PartialCredentialsError,
            exceptions.CredentialRetrievalError,
            exceptions.TokenRetrievalError,
            exceptions.SSOError,
        ),
    ):
        message = f"{url}: no usable credentials: {error}"
        return Denied(message, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile or role")
    if isinstance(error, (exceptions.ParamValidationError, exceptions.SSLError, exceptions.ProxyConnectionError)):
        return RemoteError(f"{url}: {error}", "check the remote's url, endpointurl and ssl_verify")
    connection = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
    if isinstance(error, exceptions.BotoCoreError) and not isinstance(error, connection):
        return RemoteError(f"{url}: {error}", "check the remote's options")
    return Unavailable(f"{url}: {operation} of {name}: {error}", "check the network and the remote's endpointurl")


def is_unknown_request(error: Exception) -> bool:
    """Whether what speaks like S3 does not know this kind of request at all."""
    return code_of(error) in _UNKNOWN


def changed(name: str, url: str) -> Changed:
    """Give the error for an object that is not the version, or not absent, as the request demands."""
    return Changed(f"{name} in {url} is another than before", "it is overwritten again and again; find out by whom")


def status_of(error: BaseException | None) -> int:
    """Give the HTTP status that an error of boto3 stands for; 0 for none."""
    return int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: BaseException | None) -> str:
    """Give S3's code for what an error of boto3 stands for; empty for none."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def _response(error: BaseException | None) -> Mapping[str, Any]:
    """Give the answer of the server; empty for what is no answer: a `ClientError` alone has one."""
    return getattr(error, "response", None) or {}


def _answered(error: ClientError, operation: str, name: str, url: str) -> RemoteError:
    """Sort an answer of the server by its code."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    meta = error.response.get("ResponseMetadata", {})
    status = int(meta.get("HTTPStatusCode", 0))
    said = f"{operation} of {name or 'everything'} in {url}: {_said(error.response, code)}"
    if code == "NoSuchBucket":
        return RemoteError(f"{url}: there is no such bucket", "check the remote's url and endpointurl")
    if code in _ABSENT:
        return ObjectMissing(f"{name} is not in {url}", "push it from where it was made, or make it anew")
    if status == _PRECONDITION:
        return changed(name, url)
    if code in _DENIED or status in {401, 403}:
        return Denied(said, _rights(operation, code))
    if code in _PASSING or status >= _SERVER or status == _TOO_MANY:
        request = meta.get("RequestId") or "not given"
        return Unavailable(
            f"{said} (request id {request})",
            "the storage is overloaded or out of order; try again later",
            after=seconds(meta.get("HTTPHeaders", {})),
        )
    region = "the bucket is in another region: set the remote's region"
    return RemoteError(
        said, region if code in _REGION else "the storage refused the request; check the remote's options"
    )


def _said(response: Mapping[str, object], code: str) -> str:
    """Give the server's code and words."""
    words = response.get("Error")
    text = words.get("Message", "") if isinstance(words, dict) else ""
    return f"{code}: {text}" if text and text != code else code


def _rights(operation: str, code: str) -> str:
    """Say what is missing; S3 answers 403 for 404 to those who may not list."""
    if code in {"ExpiredToken", "TokenRefreshRequired", "InvalidToken"}:
        return "the credentials have expired; get new ones, with a longer life if the run takes longer"
    if code in {"InvalidAccessKeyId", "SignatureDoesNotMatch"}:
        return "the access key or its secret is wrong"
    if code == "RequestTimeTooSkewed":
        return "the clock of this machine is wrong; set it"
    needed = f"the credentials need {_PERMISSION.get(operation, operation)}"
    if operation == "HeadObject" and code == "403":
        needed += ", are wrong or have expired, or the clock of this machine is wrong: S3 gives no reason here"
    if operation in {"GetObject", "HeadObject"}:
        return f"{needed}; without s3:ListBucket S3 says the same of an object that does not exist"
    return needed
