"""Two people's changes of one document in one: nothing of either is lost where they changed different things."""

from typing import Any

import pytest

from server.office.merging import merged

CLERKS = [{"id": "a", "name": "A", "roles": ["clerk"]}, {"id": "b", "name": "B", "roles": ["clerk"]}]


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "both"),
    [
        (1, 2, 1, 2),
        (1, 1, 3, 3),
        (1, 2, 3, 2),
        ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3}, {"a": 2, "b": 3}),
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 1, "c": 3}, {"a": 1, "b": 2, "c": 3}),
        ({"a": 1, "b": 1}, {"b": 1}, {"a": 1, "b": 2}, {"b": 2}),
        ({"a": 1, "b": 1}, {"a": 1, "b": 2}, {"b": 1}, {"b": 2}),
        ({"a": {"x": 1}}, {}, {"a": {"x": 2}}, {}),
        (["x", "y"], ["x", "y", "mine"], ["x", "y", "theirs"], ["x", "y", "mine", "theirs"]),
        (["x", "y"], ["y"], ["x", "y", "z"], ["y", "z"]),
        (["x", "y"], ["x", "y", "z"], ["x"], ["x", "z"]),
        ([], ["a"], ["a", "b"], ["a", "b"]),
    ],
)
def test_what_only_one_of_two_changed_is_as_that_one_wrote_it(base: Any, mine: Any, theirs: Any, both: Any):
    assert merged(base, mine, theirs) == both


def test_things_with_names_are_known_again_wherever_they_stand():
    mine = [{"id": "b", "name": "B", "roles": ["clerk"]}, {"id": "a", "name": "Anh", "roles": ["clerk"]}]
    theirs = [*CLERKS[:1], {**CLERKS[1], "roles": ["clerk", "helper"]}, {"id": "c", "name": "C", "roles": []}]
    assert merged(CLERKS, mine, theirs) == [
        {"id": "b", "name": "B", "roles": ["clerk", "helper"]},
        {"id": "a", "name": "Anh", "roles": ["clerk"]},
        {"id": "c", "name": "C", "roles": []},
    ]


def test_somebody_whom_i_took_out_stays_out_and_one_whom_they_took_out_does_too():
    assert merged(CLERKS, CLERKS[:1], [CLERKS[0], {**CLERKS[1], "name": "Bình"}]) == CLERKS[:1]
    assert merged(CLERKS, CLERKS, CLERKS[1:]) == CLERKS[1:]
