"""The client of Google Cloud Storage from DVC's options of a remote and the environment.

Credentials come from the remote's options, else from Google's own chain (GOOGLE_APPLICATION_CREDENTIALS, gcloud's
files, workload identity, the metadata server), which reads the environment of the process itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import google.auth
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from google.oauth2 import credentials as user
from google.oauth2 import service_account
from requests.adapters import HTTPAdapter

from runner.errors import ConfigError, Denied
from runner.store.remote import refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.auth.credentials import Credentials

CONNECTIONS: Final = 64
_SCOPES: Final = ("https://www.googleapis.com/auth/devstorage.read_write",)
_KNOWN: Final = frozenset({"projectname", "credentialpath", "endpointurl", "allow_anonymous_login"})


def connect(url: str, options: Mapping[str, object], environ: Mapping[str, str]) -> storage.Client:
    """Give a client; whoever calls it decides about another try.

    Raises:
        ConfigError: an option that is not supported, or a file of credentials that is none.
        Denied: no credentials were found anywhere.

    """
    refuse_unknown(url, options, _KNOWN)
    address = endpoint(options, environ)
    credentials, project = _credentials(url, options, environ)
    session = AuthorizedSession(credentials)
    session.mount("https://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    session.mount("http://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    return storage.Client(
        project=str(options.get("projectname") or environ.get("GOOGLE_CLOUD_PROJECT") or project or "none"),
        credentials=credentials,
        client_options={"api_endpoint": address} if address else None,
        _http=session,
    )


def endpoint(options: Mapping[str, object], environ: Mapping[str, str]) -> str:
    """Give the address of what speaks Google's JSON API instead of Google; empty: Google itself."""
    return str(options.get("endpointurl") or environ.get("STORAGE_EMULATOR_HOST") or "")


def credentials_of(client: storage.Client) -> Credentials:
    """Give the credentials that `connect` gave a client."""
    found: Credentials = client._http.credentials  # noqa: SLF001 - it shows them in no other way
    return found


def _credentials(url: str, options: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Any, str | None]:
    """Give the credentials, and the project that they belong to, if they say so."""
    if options.get("allow_anonymous_login") or environ.get("STORAGE_EMULATOR_HOST"):
        return AnonymousCredentials(), None
    if path := options.get("credentialpath"):
        return _from_file(url, str(path))
    try:
        found, project = google.auth.default(scopes=_SCOPES)
    except DefaultCredentialsError as error:
        message = f"{url}: no usable credentials: {error}"
        hint = "set GOOGLE_APPLICATION_CREDENTIALS, or the remote's credentialpath or allow_anonymous_login"
        raise Denied(message, hint) from error
    return found, project


def _from_file(url: str, path: str) -> tuple[Any, str | None]:
    """Read the key file of a service account, or what `gcloud auth` leaves of a user."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        kind = document.get("type") if isinstance(document, dict) else None
        if kind == "authorized_user":
            return user.Credentials.from_authorized_user_info(document, scopes=_SCOPES), None
        if kind == "service_account":
            found = service_account.Credentials.from_service_account_info(document, scopes=_SCOPES)
            return found, document.get("project_id")
    except (OSError, ValueError, GoogleAuthError) as error:
        message = f"remote {url!r}: {path} holds no credentials of Google: {error}"
        raise ConfigError(message, "name a service account's key file") from error
    message = f"remote {url!r}: {path} holds no service account and no user, but {kind!r}"
    raise ConfigError(message, "for other kinds set GOOGLE_APPLICATION_CREDENTIALS")
