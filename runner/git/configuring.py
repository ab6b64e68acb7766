"""Configuration that git finds in its environment, for one call: what is secret stands in no url, argument or file."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def configured(environ: Mapping[str, str], settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Give the environment with `settings`, names and values, after those that it has."""
    first = int(environ.get("GIT_CONFIG_COUNT") or 0)
    numbered = {
        f"GIT_CONFIG_{kind}_{number}": text
        for number, setting in enumerate(settings, first)
        for kind, text in zip(("KEY", "VALUE"), setting, strict=True)
    }
    return {**environ, **numbered, "GIT_CONFIG_COUNT": str(first + len(settings))}


def with_token(environ: Mapping[str, str], server: str, token: str) -> dict[str, str]:
    """Give the environment in which git shows a token to one host.

    What actions/checkout left in the repository's configuration is put aside: a header sent twice is refused.
    """
    name = f"http.{server.rstrip('/')}/.extraheader"
    return configured(environ, [(name, ""), (name, f"AUTHORIZATION: {basic(f'x-access-token:{token}')}")])


def basic(credentials: str) -> str:
    """Give a user's name and password, `name:password`, as HTTP's header `Authorization` has them."""
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"
