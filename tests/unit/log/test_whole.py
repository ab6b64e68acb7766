"""All that a command printed, kept in a compressed file."""

from __future__ import annotations

import gzip
import io
import logging
from typing import TYPE_CHECKING

import pytest

from runner import log
from runner.log.stage import LINE_LIMIT, SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    shown = io.StringIO()
    log.setup(shown, actions=True, verbosity=0, secrets=["s3cr3t-value"])
    yield shown
    logging.getLogger("retrain").handlers.clear()


def kept(folder: Path, title: str = "train") -> str:
    return gzip.decompress((folder / log.file_of(title)).read_bytes()).decode()


def test_it_holds_every_line_without_secrets_and_without_commands(stream: io.StringIO, tmp_path: Path) -> None:
    with log.stage_output("train", tmp_path) as output:
        output(b"one s3cr3t-")
        output(b"value\n::error::forged\n10%\r20%\rdone\nlast")
    assert kept(tmp_path) == "one ***\n\\::error::forged\ndone\nlast\n"
    assert "s3cr3t" not in stream.getvalue()


def test_what_is_too_much_to_show_is_kept_and_the_end_is_shown(stream: io.StringIO, tmp_path: Path) -> None:
    line = "x" * 99 + "\n"
    count = 3 * SHOWN // len(line)
    with log.stage_output("train", tmp_path) as output:
        for _ in range(count // 100):
            output(line.encode() * 100)
        output(b"the end\n")
    shown = stream.getvalue()
    assert len(shown) < 1.2 * SHOWN
    assert f"characters are left out; all of it is in {tmp_path}/train.log.gz; the last lines:]" in shown
    assert shown.splitlines()[-3:-2] == ["the end"]
    assert kept(tmp_path) == line * (count // 100 * 100) + "the end\n"


def test_a_line_without_end_is_kept_whole_and_shown_in_part(stream: io.StringIO, tmp_path: Path) -> None:
    with log.stage_output("train", tmp_path) as output:
        for number in range(2000):
            output(f"{number} {'y' * 1000} s3cr3t-value ".encode())
        output(b"end\nnext\n")
    whole = kept(tmp_path)
    assert whole == "".join(f"{number} {'y' * 1000} *** " for number in range(2000)) + "end\nnext\n"
    assert len(stream.getvalue()) < 2 * LINE_LIMIT
    assert "next\n" in stream.getvalue()


@pytest.mark.parametrize("title", ["sub/dvc.yaml:train@a", "../x", "a" * 300, "\u00e9", "a\udcff", "..", "CON:"])
def test_every_address_has_a_file_of_its_own_in_the_folder(stream: io.StringIO, tmp_path: Path, title: str) -> None:
    with log.stage_output(title, tmp_path) as output:
        output(b"x\n")
    assert stream.getvalue()
    (found,) = tmp_path.iterdir()
    assert found.name == log.file_of(title)
    assert not set('<>:"|?*\r\n\\/') & set(found.name)
    assert log.file_of("a" * 300) != log.file_of("a" * 301)


def test_a_log_that_cannot_be_written_costs_a_warning(stream: io.StringIO, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with log.stage_output("train", tmp_path / "file") as output:
        output(b"x\n" * 1_000_000)
    assert stream.getvalue().count("::warning::the log") == 1


def test_a_disk_that_is_full_when_the_log_ends_costs_a_warning_and_leaves_the_log_before(
    stream: io.StringIO, tmp_path: Path
) -> None:
    with log.stage_output("train", tmp_path) as output:
        output(b"one\n")
    (tmp_path / ".train.log.gz.tmp").symlink_to("/dev/full")
    with log.stage_output("train", tmp_path) as output:
        output(b"two\n")
    assert stream.getvalue().count("::warning::the log") == 1
    assert kept(tmp_path) == "one\n"
    assert [place.name for place in tmp_path.iterdir()] == ["train.log.gz"]


def test_the_next_run_replaces_it(stream: io.StringIO, tmp_path: Path) -> None:
    for text in (b"one\n", b"two\n"):
        with log.stage_output("train", tmp_path) as output:
            output(text)
    assert kept(tmp_path) == "two\n"
    assert [place.name for place in tmp_path.iterdir()] == ["train.log.gz"]
    assert stream.getvalue()
