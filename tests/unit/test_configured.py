"""DVC's configuration, the later layer the stronger, and the remotes that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError
from tests.support.pipelines import CONFIG, Workshop

if TYPE_CHECKING:
    from pathlib import Path


def remote_url(made: Workshop, name: str = "", **flags: str) -> str:
    with made.opened(**flags) as opened:
        remote = opened.project.remote(name)
        assert remote
        return remote.url


def test_layers_of_configuration_are_read_in_dvcs_order(made: Workshop, tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("system", "user")}
    for name, place in places.items():
        place.mkdir()
        (place / "config").write_text(f"['remote \"storage\"']\n    url = /of/{name}\n")
    environ = {
        **made.environ,
        "DVC_SYSTEM_CONFIG_DIR": str(places["system"]),
        "DVC_GLOBAL_CONFIG_DIR": str(places["user"]),
    }
    other = Workshop(made.root, environ)
    assert remote_url(other) == str(tmp_path / "remote")
    made.put({".dvc/config": "[core]\n    remote = storage\n"})
    assert remote_url(other) == "/of/user"
    (places["user"] / "config").unlink()
    assert remote_url(other) == "/of/system"
    made.put({".dvc/config.local": "['remote \"storage\"']\n    url = /of/local\n"})
    assert remote_url(other) == "/of/local"


def test_a_remote_is_chosen_by_name_and_an_unknown_name_is_refused_at_once(made: Workshop) -> None:
    made.put({".dvc/config": f"{CONFIG}['remote \"other\"']\n    url = /other\n"})
    assert remote_url(made, remote="other") == "/other"
    assert remote_url(made, "other") == "/other"
    with pytest.raises(ConfigError, match="nowhere"):
        made.open(remote="nowhere")


def test_without_a_default_remote_there_is_none(made: Workshop) -> None:
    made.put({".dvc/config": ""})
    with made.opened() as opened:
        assert opened.project.remote("") is None
