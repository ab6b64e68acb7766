"""Real DVC as the oracle of params files in Python and TOML: what it reads we read, what it refuses we refuse."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given, settings

from runner.errors import ConfigError
from runner.pipeline import documents
from tests.interop.documents import PYTHON, TOML

if TYPE_CHECKING:
    from collections.abc import Callable

serialize: Any = pytest.importorskip("dvc.utils.serialize")

# An hour of UTC is of another class in DVC's reader; everything else is to have the same form, order of keys included.
THEIR_UTC, OUR_UTC = "datetime.timezone(datetime.timedelta(0), 'UTC')", "datetime.timezone.utc"


def _theirs(parse: Callable[[str, str], Any], text: str, name: str) -> str | None:
    """Give what DVC reads; `None` where it refuses the text, or fails on it with an error that it does not expect."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return repr(parse(text, name)).replace(THEIR_UTC, OUR_UTC)
    except Exception:  # noqa: BLE001 - DVC lets any error through
        return None


def _ours(text: str, name: str) -> str | None:
    try:
        return repr(documents.parse(name, text))
    except ConfigError as error:
        assert error.where  # noqa: PT017 - whether it raises is DVC's to say
        # Refused by us alone: a table that is there twice, with an array of tables between, and a value that no
        # Python could build, where DVC comes upon a part that is no literal first.
        assume("twice" not in error.message and "cannot be built" not in error.message)
        return None


@given(text=PYTHON)
@settings(deadline=None)
def test_any_python_module_gives_the_values_that_dvc_sees(text: str) -> None:
    assert _ours(text, "p.py") == _theirs(serialize.parse_py, text, "p.py")


@given(text=TOML)
@example(text="[b.x]\n[a]\n[b.y]\n")
@settings(deadline=None)
def test_any_toml_gives_the_values_that_dvc_sees(text: str) -> None:
    assert _ours(text, "p.toml") == _theirs(serialize.parse_toml, text, "p.toml")
