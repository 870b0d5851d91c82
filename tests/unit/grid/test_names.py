"""One unique key for every bus and element."""

import math

import pytest

from gridai.errors import AmbiguousNameError, UnknownNameError
from gridai.grid.names import bus_keys, resolve, text_of


def test_names_as_text():
    assert [text_of(n) for n in (None, math.nan, " A ", 17.0, 5, "")] == ["", "", "A", "17", "5", ""]


def test_unique_names_stay_and_missing_names_become_numbers():
    assert bus_keys(["A", None, 3.0], [0, 1, 2], [110.0, 110.0, 20.0]) == ("A", "1", "3")


def test_equal_names_get_kv_else_number():
    keys = bus_keys(["N", "N", "X", "X"], [0, 1, 2, 3], [230.0, 18.0, 230.0, 230.0])
    assert keys == ("N (230 kV)", "N (18 kV)", "X (bus 2)", "X (bus 3)")


def test_a_made_up_number_that_is_a_name_too():
    keys = bus_keys([None, "0"], [0, 1], [110.0, 110.0])
    assert len(set(keys)) == 2


def test_keys_are_kept_when_made_again():
    names, index, kv = ["N", "N", None, "N (230 kV)"], [0, 1, 2, 3], [230.0, 18.0, 230.0, 230.0]
    keys = bus_keys(names, index, kv)
    assert len(set(keys)) == 4
    assert bus_keys(keys, index, kv) == keys


def test_resolve_by_key_and_index():
    keys = {0: "1", 15: "16", 16: "17"}
    assert resolve("16", keys) == "16"
    assert resolve(16, keys) == "17"


def test_resolve_lists_near_names_and_candidates():
    keys = {0: "Pine (230 kV)", 1: "Pine (18 kV)", 2: "Oak"}
    with pytest.raises(AmbiguousNameError, match=r"fits 2 buses: 'Pine \(230 kV\)', 'Pine \(18 kV\)'"):
        resolve("Pine", keys)
    with pytest.raises(UnknownNameError, match="did you mean 'Oak'"):
        resolve("Oka", keys)
    with pytest.raises(UnknownNameError, match="pandapower index 2 is bus 'Oak'"):
        resolve("2", keys)
    with pytest.raises(UnknownNameError, match="index from 0 to 2"):
        resolve(9, keys)
