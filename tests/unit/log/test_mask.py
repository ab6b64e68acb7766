"""Secrets are found in every spelling in which programs print them."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.log.mask import Mask

SECRET = "p@ss/w0rd+é=?"  # noqa: S105


@pytest.mark.parametrize(
    "printed",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        urlencode({"token": SECRET}),
        json.dumps({"token": SECRET}),
        json.dumps({"token": SECRET}, ensure_ascii=False),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
    ],
)
def test_a_secret_is_masked_in_every_spelling(printed: str) -> None:
    masked = Mask([SECRET])(f"before {printed} after")
    assert masked.startswith("before ")
    assert "***" in masked
    assert "w0rd" not in masked
    assert SECRET.encode().hex() not in masked.lower()


@given(st.binary(max_size=9), st.text(min_size=8, max_size=40), st.binary(max_size=9))
def test_a_secret_inside_a_base64_value_is_masked_wherever_it_starts(before: bytes, secret: str, after: bytes) -> None:
    secret = secret.strip()
    if len(secret.encode("utf-8", "replace")) < 8 or any("\ud800" <= char <= "\udfff" for char in secret):
        return
    whole = before + secret.encode() + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        masked = Mask([secret])(encode(whole).decode())
        assert "***" in masked
        assert len(masked.replace("***", "")) <= len(encode(before + after)) + 8


def test_each_line_of_a_secret_with_several_lines_is_masked() -> None:
    mask = Mask(["-----BEGIN KEY-----\nabcdefgh\nij\n-----END KEY-----"])
    assert mask("x abcdefgh y ij") == "x *** y ij"


def test_the_longest_of_two_secrets_wins() -> None:
    assert Mask(["token", "token-and-more"])("token-and-more token") == "*** ***"


@pytest.mark.parametrize("short", ["", " ", "abc", "\n"])
def test_what_is_too_short_to_be_a_secret_masks_nothing(short: str) -> None:
    assert Mask([short])("abc  d\n") == "abc  d\n"


def test_a_mask_never_shows_what_it_hides() -> None:
    assert SECRET not in repr(Mask([SECRET]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("remote 'https://user:sekrit@h/x': no", "remote 'https://***@h/x': no"),
        ("https://token@h", "https://***@h"),
        ("a s3://u:p@ss@h:1/x and ssh://v:w@i", "a s3://***@h:1/x and ssh://***@i"),
        ("https://h/@name?a=b@c", "https://h/@name?a=b@c"),
        ('"https://h", "a@b"', '"https://h", "a@b"'),
        ("mail a:b@c", "mail a:b@c"),
    ],
)
def test_the_user_and_the_password_in_a_url_are_never_shown(text: str, shown: str) -> None:
    assert Mask(())(text) == shown
    assert Mask(["unlike"])(text) == shown
