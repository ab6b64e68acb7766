"""The event of a job, and what stands in its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError
from tests.support.pipelines import Workshop, pull_request

if TYPE_CHECKING:
    from pathlib import Path


def test_an_event_that_cannot_be_read_is_an_error_and_not_a_laptop(made: Workshop, tmp_path: Path) -> None:
    job = pull_request(made, tmp_path)
    (tmp_path / "event.json").write_text("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        job.open()


@pytest.mark.parametrize("payload", ["[]", "1", "null", '{"pull_request": 1}', "{}"])
def test_an_event_of_another_shape_gives_no_rights(payload: str, made: Workshop, tmp_path: Path) -> None:
    job = pull_request(made, tmp_path)
    (tmp_path / "event.json").write_text(payload)
    with job.opened() as opened:
        assert opened.asked.event.kind == "fork"
        assert not opened.asked.event.may_push
