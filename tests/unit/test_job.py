"""What the code host says of its job."""

from __future__ import annotations

from runner.settings import resolve


def test_without_the_word_of_github_there_is_no_job() -> None:
    environ = {"GITHUB_EVENT_NAME": "push", "GITHUB_OUTPUT": "out"}
    assert resolve({}, environ, {}).actions is None
    actions = resolve({}, {**environ, "GITHUB_ACTIONS": "true"}, {}).actions
    assert actions
    assert (actions.event, actions.output, actions.summary) == ("push", "out", "")
    assert actions.api_url == "https://api.github.com"
