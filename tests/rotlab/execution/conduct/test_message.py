"""What a worker's messages are as results of Tune."""

from typing import Any

import pytest

from rotlab.execution.conduct.message import Message, Point, from_result, to_result


def test_a_message_survives_a_tune_result() -> None:
    message = Message(
        "FAILED", (Point(3, 1.5, {"loss": 0.1}),), {"accuracy": 0.25}, 9.0, "no", "bug"
    )
    assert from_result({**to_result(message, "1"), "trial_id": "x"}) == ("1", message)
    assert from_result({"trial_id": "x"}) is None


@pytest.mark.parametrize(
    ("state", "is_last", "ends"),
    [
        ("FINISHED", True, True),
        ("FINISHED", False, False),
        ("HELD", False, False),
        ("KILLED", False, True),
        ("FAILED", True, False),  # the error is still to be raised
        ("RUNNING", True, False),
    ],
)
def test_a_trial_ends_with_the_last_of_its_stages_or_when_it_is_stopped(
    state: Any, *, is_last: bool, ends: bool
) -> None:
    assert to_result(Message(state), "1", is_last=is_last)["done"] is ends
