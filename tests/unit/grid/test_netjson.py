"""pandapower's JSON as plain data: same tables, no code of the file, unknown things refused by name."""

import copy
import importlib
import json
import sys
import warnings
from functools import cache

import numpy as np
import pandapower
import pytest
from pandapower import networks

from gridai.errors import CaseError
from gridai.grid import read_pandapower_json, solve


@cache
def made(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return getattr(networks, name)()


def make(name):
    return copy.deepcopy(made(name))


@pytest.mark.parametrize("name", ["case9", "case39", "create_cigre_network_mv", "example_simple"])
def test_same_power_flow_as_the_net_that_was_written(name, tmp_path):
    net = make(name)
    pandapower.to_json(net, tmp_path / "net.json")
    again = read_pandapower_json(tmp_path / "net.json")
    assert (again.f_hz, again.sn_mva) == (net.f_hz, net.sn_mva)
    for table in ("bus", "line", "trafo", "load", "gen", "switch"):
        assert again[table].index.tolist() == net[table].index.tolist()
        assert again[table].dtypes.to_dict() == {**net[table].dtypes.to_dict(), **again[table].dtypes.to_dict()}
    point, expected = solve(again), solve(net)
    assert np.abs(point.v - expected.v).max() < 1e-12  # reached: 2e-14, from 15 digits in the file
    assert point.network.branches.name == expected.network.branches.name


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module that leaves a mark when it is imported, importable by name."""
    mark = tmp_path / "ran"
    (tmp_path / "gridai_trap.py").write_text(f"open({str(mark)!r}, 'w').close()\nclass Trap:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return mark


def written(tmp_path, change):
    pandapower.to_json(make("case9"), tmp_path / "net.json")
    content = json.loads((tmp_path / "net.json").read_text())
    change(content)
    (tmp_path / "net.json").write_text(json.dumps(content))
    return tmp_path / "net.json"


TRAP = {"_module": "gridai_trap", "_class": "Trap", "_object": {}}


def untouched(trap):
    return not trap.exists() and "gridai_trap" not in sys.modules


def test_the_trap_works(trap):
    """pandapower 3.5.6 springs it: its reader imports the module before it refuses the class."""
    assert not trap.exists()
    importlib.import_module("gridai_trap")
    assert trap.exists()
    del sys.modules["gridai_trap"]


def test_object_of_a_foreign_class_is_refused_by_name_and_not_imported(tmp_path, trap):
    file = written(tmp_path, lambda c: c["_object"].update(thing=TRAP))
    with pytest.raises(CaseError, match=r"thing: entry = 'gridai_trap.Trap'"):
        read_pandapower_json(file)
    assert untouched(trap)


def test_foreign_class_as_table_as_cell_and_as_the_net_itself(tmp_path, trap):
    def table(content):
        content["_object"]["load"] = TRAP

    def cell(content):
        inner = json.loads(content["_object"]["load"]["_object"])
        inner["data"][0][0] = TRAP
        content["_object"]["load"]["_object"] = json.dumps(inner)

    for change, text in ((table, "load: entry"), (cell, "a cell holds an object")):
        with pytest.raises(CaseError, match=text):
            read_pandapower_json(written(tmp_path, change))

    def whole(content):
        content["_module"], content["_class"] = "gridai_trap", "Trap"
        content["_object"]["bus"]["_module"] = "gridai_trap"
        content["_object"]["std_types"] = TRAP

    assert len(read_pandapower_json(written(tmp_path, whole)).bus) == 9
    assert untouched(trap)


def test_controllers_are_refused_when_solved(tmp_path):
    net = make("case9")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pandapower.control.ConstControl(net, "load", "p_mw", 0)
    pandapower.to_json(net, tmp_path / "net.json")
    with pytest.raises(CaseError, match="controller"):
        solve(read_pandapower_json(tmp_path / "net.json"))


def test_unknown_table_is_refused_with_near_names(tmp_path):
    file = written(tmp_path, lambda c: c["_object"].update(generators=c["_object"]["gen"]))
    with pytest.raises(CaseError, match="unknown table 'generators'"):
        read_pandapower_json(file)


def test_files_that_are_no_net(tmp_path):
    for text, expected in (("{", "is not JSON"), ("[1]", "must hold one JSON object"), ("{}", "no bus table")):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(CaseError, match=expected):
            read_pandapower_json(tmp_path / "bad.json")
    with pytest.raises(CaseError, match="cannot be read"):
        read_pandapower_json(tmp_path / "absent.json")


def test_bad_base_and_bad_number_are_named(tmp_path):
    with pytest.raises(CaseError, match="sn_mva = -1 must be a number above 0"):
        read_pandapower_json(written(tmp_path, lambda c: c["_object"].update(sn_mva=-1)))

    def text_in_number(content):
        inner = json.loads(content["_object"]["line"]["_object"])
        inner["data"][1][inner["columns"].index("x_ohm_per_km")] = "__import__('os')"
        content["_object"]["line"]["_object"] = json.dumps(inner)

    with pytest.raises(CaseError, match=r"line: x_ohm_per_km = .*: is not a number"):
        read_pandapower_json(written(tmp_path, text_in_number))
