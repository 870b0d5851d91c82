"""Errors: exit statuses, near names, the collector of faults."""

import pickle

import numpy as np
import pytest

from gridai import errors
from gridai.errors import CaseError, ConvergenceError, Problems, UnknownNameError, near


def test_exit_status_by_kind():
    assert CaseError("x").exit_status == 2
    assert UnknownNameError("x").exit_status == 2
    assert errors.PowerFlowError("x").exit_status == 2
    assert ConvergenceError(1.0, "16", 0.1).exit_status == 3


def test_every_error_is_a_gridai_error():
    kinds = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, Exception)]
    assert len(kinds) >= 8
    assert all(issubclass(c, errors.GridaiError) for c in kinds)


def test_near_lists_close_names_whatever_the_case_of_letters():
    assert "did you mean 'H100'" in near("h10", ["A100", "H100", "GB200"], "hardware")
    assert near("ieee39", ["IEEE39"], "case") == "unknown case 'ieee39'; did you mean 'IEEE39'?"


def test_near_lists_all_when_few_and_some_when_many():
    assert "known: 'a', 'b'" in near("zzz", ["b", "a"], "bus")
    many = near("zzz", [f"bus {k}" for k in range(100)], "bus")
    assert "known are 100" in many
    assert "'bus 0'" in many
    assert near("x", [], "bus") == "unknown bus 'x': there are none"


def test_near_leaves_far_names_out():
    """No name is like 'banana'; of several that are like, those much farther than the nearest are left out."""
    names = ["battery", "capacitor", "condenser", "statcom", "supercapacitor"]
    assert near("banana", names, "remedy").startswith("unknown remedy 'banana'; known:")
    assert near("condensor", names, "remedy").endswith("did you mean 'condenser'?")


def test_near_says_what_else_may_be_given():
    assert near("9", ["19"], "bus", "an index") == "unknown bus '9'; did you mean '19'? Or give an index"
    assert near("zzz", ["b", "a"], "bus", "an index") == "unknown bus 'zzz'; known: 'a', 'b'; or give an index"


def test_problems_collects_all_and_raises_once():
    found = Problems("case smib")
    found.raise_if_any(CaseError)
    found.add("gen.csv", np.int64(3), "sn_mva", np.float64(-5.0), "give a rating above 0 MVA")
    found.add("bus.csv", None, "column vn_kv", None, "add the column")
    with pytest.raises(CaseError) as caught:
        found.raise_if_any(CaseError)
    text = str(caught.value)
    assert text.startswith("case smib: 2 faults")
    assert "gen.csv, row 3: sn_mva = -5.0: give a rating above 0 MVA" in text
    assert "bus.csv: column vn_kv: add the column" in text


def test_convergence_error_keeps_its_fields_across_processes():
    error = pickle.loads(pickle.dumps(ConvergenceError(1.25, "16", 0.03, result=[1], text="step too long")))
    assert (error.time_s, error.bus, error.residual, error.result) == (1.25, "16", 0.03, [1])
    assert str(error) == "lost convergence at t = 1.25 s, worst bus '16', residual 0.03 pu: step too long"
