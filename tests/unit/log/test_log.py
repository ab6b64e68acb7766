"""The log as the code host reads it and as a person reads it."""

from __future__ import annotations

import io
import itertools
import logging
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import log
from runner.errors import Location
from tests.support import actions
from tests.support.actions import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGER = logging.getLogger("retrain")


@pytest.fixture(autouse=True)
def _log_as_found() -> Iterator[None]:
    yield
    LOGGER.handlers.clear()


class Watched(io.StringIO):
    def isatty(self) -> bool:
        return True


def started(*, on: bool = True, verbosity: int = 0, secrets: tuple[str, ...] = ()) -> io.StringIO:
    stream = io.StringIO()
    log.setup(stream, actions=on, verbosity=verbosity, secrets=secrets)
    return stream


def test_a_terminal_gets_plain_words() -> None:
    stream = started(on=False)
    LOGGER.info("reading %s", "dvc.yaml")
    LOGGER.warning("careful")
    log.annotation("error", "too low", where=Location("retrain.yaml", 3, 5), title="accuracy")
    log.annotation("notice", "as it was")
    LOGGER.debug("not asked for")
    assert stream.getvalue() == (
        "reading dvc.yaml\nwarning: careful\nerror: retrain.yaml:3:5: accuracy: too low\nas it was\n"
    )


@pytest.mark.parametrize(
    ("verbosity", "expected"),
    [(-1, ["error: e", "warning: w"]), (0, ["error: e", "warning: w", "i"]), (1, ["error: e", "warning: w", "i", "d"])],
)
def test_verbosity_chooses_what_a_terminal_shows(verbosity: int, expected: list[str]) -> None:
    stream = started(on=False, verbosity=verbosity)
    for level, message in ((40, "e"), (30, "w"), (20, "i"), (10, "d")):
        LOGGER.log(level, message)
    assert stream.getvalue().splitlines() == expected


def test_the_code_host_gets_commands_that_mean_what_was_said() -> None:
    stream = started()
    LOGGER.warning("50%\r\nof it")
    log.annotation("error", "a::b", where=Location("a,b:c.yaml", 7), title="x: 100%")
    log.annotation("notice", "fine", where=Location("metrics.json"))
    LOGGER.info("just a line")
    LOGGER.debug("detail")
    read = actions.read(stream.getvalue())
    assert read.commands == [
        Command("warning", "50%\r\nof it"),
        Command("error", "a::b", {"file": "a,b:c.yaml", "line": "7", "title": "x: 100%"}),
        Command("notice", "fine", {"file": "metrics.json"}),
        Command("debug", "detail"),
    ]
    assert read.lines == ["just a line", ""]


def test_details_asked_for_are_lines_and_not_hidden_debug_commands() -> None:
    stream = started(verbosity=1)
    LOGGER.debug("detail")
    assert actions.read(stream.getvalue()).lines[0] == "detail"


def test_a_traceback_becomes_one_annotation() -> None:
    stream = started()
    try:
        raise ValueError("a\nb")  # noqa: EM101, TRY003, TRY301
    except ValueError:
        LOGGER.exception("it broke")
    (command,) = actions.read(stream.getvalue()).commands
    assert command.name == "error"
    assert "ValueError: a\nb" in command.message


@pytest.mark.parametrize(
    "hostile",
    [
        "::error::x",
        "  ::add-mask::a",
        "\u3000::debug::a",
        "x ##[error]y",
        "a\n::warning::b",
        "a\r::set-output name=a::b",
    ],
)
def test_a_line_of_ours_that_quotes_the_repository_is_no_command(hostile: str) -> None:
    stream = started()
    LOGGER.info(hostile)
    with log.stage_output() as output:
        output(hostile.encode())
    assert actions.read(stream.getvalue()).commands == []


def test_a_group_is_folded_by_the_code_host_and_a_heading_elsewhere() -> None:
    stream = started()
    with log.group("stage train\n::error::x"):
        LOGGER.info("inside")
    assert actions.read(stream.getvalue()).commands == [
        Command("group", "stage train\n::error::x"),
        Command("endgroup", ""),
    ]
    stream = started(on=False)
    with log.group("stage train"):
        LOGGER.info("inside")
    assert stream.getvalue() == "stage train\ninside\n"


def test_a_group_is_closed_when_the_work_in_it_fails() -> None:
    stream = started()

    def fail() -> None:
        with log.group("stage"):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [command.name for command in actions.read(stream.getvalue()).commands] == ["group", "endgroup"]


def test_a_message_that_cannot_be_formatted_does_not_end_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    stream = started()
    LOGGER.info("%d", "not a number")
    assert stream.getvalue() == ""
    assert "Logging error" in capsys.readouterr().err


def test_before_setup_a_stage_can_still_write(capsys: pytest.CaptureFixture[str]) -> None:
    with log.stage_output() as output:
        output(b"hello")
    assert capsys.readouterr().err == "hello\n"


def test_setup_again_replaces_what_was_set_up() -> None:
    first, second = started(), started(on=False)
    LOGGER.info("once")
    assert (first.getvalue(), second.getvalue()) == ("", "once\n")


def test_secrets_are_masked_in_messages_groups_stage_output_and_posted_text() -> None:
    stream = started(secrets=("s3cr3t-value", ""))
    LOGGER.warning("with s3cr3t-value")
    with log.group("s3cr3t-value"), log.stage_output() as output:
        output(b"echo s3cr3t-")
        output(b"value\n")
    assert "s3cr3t" not in stream.getvalue()
    assert output.tail == ("echo ***",)
    assert log.masked("a s3cr3t-value b") == "a *** b"


def test_commands_in_stage_output_are_not_obeyed_and_ours_are_obeyed_afterwards() -> None:
    stream = started()
    with log.stage_output() as output:
        output(b"::error::forged\n::stop-commands::x\n::x::\n##[error]forged")
    LOGGER.warning("ours")
    read = actions.read(stream.getvalue())
    assert read.commands == [Command("warning", "ours")]
    assert not read.deaf


def test_every_silence_has_its_own_unguessable_token() -> None:
    stream = started()
    for _ in range(2):
        with log.stage_output() as output:
            output(b"x")
    tokens = {line.rpartition("::")[2] for line in stream.getvalue().splitlines() if "::stop-commands::" in line}
    assert len(tokens) == 2
    assert all(len(token) == 64 for token in tokens)


def shown(stream: io.StringIO) -> list[str]:
    return [line for line in actions.read(stream.getvalue()).lines if line]


def test_of_stages_side_by_side_the_first_is_shown_live_and_the_others_each_as_one_group_when_their_turn_comes() -> (
    None
):
    stream = started()
    with log.stage_output("train") as train:
        train(b"a\n")
        with log.stage_output("evaluate") as evaluate:
            evaluate(b"x\n")
            train(b"b\n")
            assert shown(stream) == ["a", "b"]
            evaluate(b"::error::forged\ny\n")
        train(b"c\n")
    read = actions.read(stream.getvalue())
    assert shown(stream) == ["a", "b", "c", "x", "\\::error::forged", "y"]
    assert [command.name for command in read.commands] == ["group", "endgroup"] * 2
    assert [command.message for command in read.commands if command.name == "group"] == ["train", "evaluate"]


def test_a_stage_that_is_still_running_when_its_turn_comes_goes_on_live() -> None:
    stream = started()
    with ExitStack() as later:
        with log.stage_output("train"):
            evaluate = later.enter_context(log.stage_output("evaluate"))
            evaluate(b"kept\n")
            assert "kept" not in stream.getvalue()
        assert shown(stream) == ["kept"]
        evaluate(b"live\n")
        assert shown(stream) == ["kept", "live"]
    assert not actions.read(stream.getvalue()).deaf


def test_what_we_say_while_stages_run_is_heard_at_once_and_what_they_say_is_not() -> None:
    stream = started()
    with log.stage_output("train") as train:
        LOGGER.warning("meanwhile")
        LOGGER.info("plain")
        train(b"::error::forged\n")
        with log.group("no group inside a group"):
            pass
        assert Command("warning", "meanwhile") in actions.read(stream.getvalue()).commands
    read = actions.read(stream.getvalue())
    assert read.commands == [Command("group", "train"), Command("warning", "meanwhile"), Command("endgroup", "")]
    assert shown(stream) == ["plain", "\\::error::forged", "no group inside a group"]
    tokens = [line for line in stream.getvalue().splitlines() if "stop-commands" in line]
    assert len(set(tokens)) == len(tokens) == 2


def test_threads_that_write_at_once_never_share_a_line_nor_a_group() -> None:
    stream = started()

    def stage(name: str) -> None:
        with log.stage_output(name) as output:
            for number in range(200):
                output(f"{name} {number}\n".encode())
                LOGGER.warning("%s says %d", name, number)

    threads = [threading.Thread(target=stage, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = actions.read(stream.getvalue())
    names = [line.split()[0] for line in shown(stream)]
    assert [line for line in shown(stream) if line.startswith("a ")] == [f"a {number}" for number in range(200)]
    assert [name for name, _ in itertools.groupby(names)] == list(dict.fromkeys(names))
    assert sum(command.name == "warning" for command in read.commands) == 800
    assert not read.deaf


@given(st.lists(st.sampled_from(["::", "##[", "error", "stop-commands", "]", " ", "\r", "\n", "\u00a0", "x", "%0A"])))
def test_no_stage_output_whatever_issues_a_command(parts: list[str]) -> None:
    stream = started()
    printed = "".join(parts)
    with log.stage_output() as output:
        for at in range(0, len(printed), 3):
            output(printed[at : at + 3].encode())
    after_the_wall = actions.read("".join(stream.getvalue().splitlines(keepends=True)[1:-1]))
    assert after_the_wall.commands == []
    assert actions.read(stream.getvalue()).commands == []


def test_a_watched_terminal_sees_progress_as_it_happens() -> None:
    stream = Watched()
    log.setup(stream, actions=False, verbosity=0, secrets=())
    with log.stage_output() as output:
        output(b"10%\r")
        assert stream.getvalue() == "10%\r"
        output(b"100%\n")
    assert output.tail == ("100%",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain \u00e9", "plain \u00e9"),
        ("::error::x", "\\::error::x"),
        ("  ::error::x", "  \\::error::x"),
        ("a\n::error::x", "a\\n::error::x"),
        ("a\r::error::x", "a\\r::error::x"),
        ("a\u2028b\x85c\x1b[2J", "a\\u2028b\\x85c\\x1b[2J"),
        ("##[error]x", "##\\[error]x"),
        ("half \udc80", "half \\udc80"),
        ("the secret-word", "the ***"),
    ],
)
def test_what_is_printed_is_one_line_without_commands_and_secrets(text: str, shown: str) -> None:
    started(secrets=("secret-word",))
    assert log.printed(text) == shown
    assert actions.read(f"{shown}\n").commands == []


def test_outside_of_actions_only_newlines_and_secrets_go() -> None:
    started(on=False, secrets=("secret-word",))
    assert log.printed("::x\n##[y secret-word") == "::x\\n##[y ***"
    assert log.block("::x\nsecret-word\n") == "::x\n***\n"
