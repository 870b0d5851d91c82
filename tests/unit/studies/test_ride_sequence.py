"""Sequences of events as text: what they mean, and their faults."""

from __future__ import annotations

import pytest

from gridai.errors import SettingError
from gridai.studies.sequence import disturbances, events, last_s, read


def test_a_sequence_in_words():
    lines = read('1 fault F r=0.001; 1.05 open "A-F 1"; 16 close "A-F 1"; 5 clear F; 40 return DC parts=4 every=60')
    assert [x.at_s for x in lines] == [1.0, 1.05, 5.0, 16.0, 40.0]
    made = events(lines)
    assert [type(e).__name__ for e in made] == ["BusFault", "BranchTrip", "BranchClose", "ReturnLoad"]
    assert (made[0].clear_s, made[0].r_pu) == (5.0, 0.001)
    assert made[1].branch == "A-F 1"
    assert (made[3].parts, made[3].every_s) == (4, 60.0)
    assert disturbances(lines) == [1.0, 16.0]
    assert last_s(lines) == 280.0


def test_a_list_of_lines_and_every_verb():
    lines = read(["1 fault A for=0.1", "2 trip G1", "3 load L p=50 q=5", "4 leave DC share=0.5", "5 fault A"])
    made = events(lines)
    assert [type(e).__name__ for e in made] == ["BusFault", "GeneratorTrip", "LoadStep", "ForceAway", "BusFault"]
    assert made[0].clear_s == pytest.approx(1.1)
    assert made[4].clear_s is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no event"),
        ("1 fault", "time, verb and element"),
        ("x fault A", "time, verb and element"),
        ("1 falt A", "fault"),
        ("-1 fault A", "0 s or more"),
        ("1 fault A radius=2", "option"),
        ("1 fault A r=two", "number"),
        ("1 load L q=2", "p=100"),
        ("1 fault 'A", "time, verb"),
        ("1 falt A; 2 opn B", r"(?s)falt.*opn"),
    ],
)
def test_faults(text, words):
    with pytest.raises(SettingError, match=words):
        read(text)
