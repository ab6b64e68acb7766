"""What a comment asks for: found only where it is meant, read as a shell reads words, refused with a reason."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ConfigError
from runner.forge import slash


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("/retrain", "/retrain"),
        ("/retrain train lr=0.1", "/retrain train lr=0.1"),
        ("\n\n  /retrain train  \nbecause the data changed", "/retrain train"),
        ("/retrain\r\nthanks", "/retrain"),
        ("/retrain\ttrain", "/retrain\ttrain"),
        ("please /retrain", ""),
        ("thanks\n/retrain", ""),
        ("> /retrain", ""),
        ("`/retrain`", ""),
        ("/retraining", ""),
        ("/retrain=1", ""),
        ("/Retrain", ""),
        ("", ""),
        ("\n \n", ""),
    ],
)
def test_a_command_is_the_first_line_that_says_something(body: str, line: str) -> None:
    assert slash.find(body) == line


@pytest.mark.parametrize(
    ("line", "stages", "params"),
    [
        ("/retrain", (), ()),
        ("/retrain\ttrain\t", ("train",), ()),
        ("/retrain train evaluate@eu", ("train", "evaluate@eu"), ()),
        ("/retrain lr=0.1 train epochs=3", ("train",), ("lr=0.1", "epochs=3")),
        ("/retrain models/dvc.yaml:train conf/p.yaml:a.b=1", ("models/dvc.yaml:train",), ("conf/p.yaml:a.b=1",)),
        ("/retrain note=\"two words\" 'a b'", ("a b",), ("note=two words",)),
        ("/retrain a=", (), ("a=",)),
        ("/retrain a=b=c", (), ("a=b=c",)),
        ("/retrain #1", ("#1",), ()),
        ("/retrain `x` ;y $z", ("`x`", ";y", "$z"), ()),
    ],
)
def test_words_are_stages_and_those_with_an_equals_sign_are_params(
    line: str, stages: tuple[str, ...], params: tuple[str, ...]
) -> None:
    assert slash.parse(line) == slash.Command(line, stages, params)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/retrain --force", "--force is an option"),
        ("/retrain -f train", "-f is an option"),
        ("/retrain $(rm -rf)", "-rf) is an option"),
        ('/retrain "" train', "an empty word"),
        ('/retrain note="two', "never closed"),
        ("/retrain " + "x" * 1000, "1,009 characters is too long"),
        ("/retrain tr\u202eain", "cannot be seen"),
        ("/retrain a\x1b[0m", "cannot be seen"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_reason(line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        slash.parse(line)
    assert said in caught.value.message
    assert caught.value.hint


WORD = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cf", "Cn", "Co", "Zs", "Zl", "Zp"]), min_size=1, max_size=9
)


@given(st.lists(WORD.filter(lambda word: not word.startswith("-")), max_size=6))
def test_every_word_arrives_as_it_was_meant_and_none_is_lost(words: list[str]) -> None:
    command = slash.parse(shlex.join(["/retrain", *words]))
    assert [*command.stages] == [word for word in words if "=" not in word]
    assert [*command.params] == [word for word in words if "=" in word]


@given(st.text(max_size=60))
def test_any_text_is_a_command_or_refused_or_nothing(text: str) -> None:
    for body in (text, f"/retrain {text}"):
        line = slash.find(body)
        assert "\n" not in line
        try:
            command = slash.parse(line) if line else None
        except ConfigError:
            continue
        for word in (*command.stages, *command.params) if command else ():
            assert word
            assert word.isprintable()
            assert not word.startswith("-")
