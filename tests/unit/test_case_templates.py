"""Typical dynamic data for a bare pandapower net, and that every case with them says so."""

import warnings

import numpy as np
import pandapower as pp
import pandas as pd
import pytest
from pandapower import networks

from gridai import casetemplates as templates
from gridai.case import Case, load_case
from gridai.engine import check_start, compile_system
from gridai.models import catalog


def case39():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return Case.from_pandapower(networks.case39())


def test_templates_are_stated_in_notes_and_provenance(tmp_path):
    case = case39()
    assert case.notes[0].startswith("dynamic data are TEMPLATES")
    assert case.provenance["dynamics"].startswith("TEMPLATES")
    again = load_case(case.save(tmp_path / "copy"))
    assert again.notes == case.notes
    assert again.provenance["dynamics"] == case.provenance["dynamics"]


def test_every_gen_has_machine_exciter_and_governor():
    case = case39()
    gens = case.net.gen["name"].tolist()
    assert case.dynamics["genrou"]["unit"].tolist() == gens
    assert case.dynamics["sexs"]["unit"].tolist() == gens
    assert case.dynamics["tgov1"]["unit"].tolist() == [*gens, "ext_grid 31"]
    assert case.dynamics["gencls"]["h_s"].tolist() == [5.0]
    point = case.solve()
    units = point.network.units
    # the turbine of every template contains the operating point
    assert (units.p_mw <= units.sn_mva * templates.TGOV1["vmax_pu"]).all()
    assert any("ratings in MVA estimated" in note for note in case.notes)


def test_ext_grid_alone_is_an_infinite_bus():
    case = Case.from_pandapower(networks.create_cigre_network_mv())
    row = case.dynamics["gencls"].iloc[0]
    assert row["h_s"] == 0.0
    # pandapower states 5000 MVA there
    sn = case.net.ext_grid["sn_mva"].iloc[0]
    assert sn / row["xd1_pu"] == pytest.approx(5000.0)
    assert any("infinite bus" in note for note in case.notes)


def test_hydro_small_and_idle_units():
    net = networks.case9()
    net.gen["type"] = ["hydro", None]
    net.gen["sn_mva"] = [200.0, 95.0]
    net.gen.loc[1, "p_mw"] = 0.0
    case = Case.from_pandapower(net)
    assert case.dynamics["gensal"]["unit"].tolist() == ["gen 2"]
    assert case.dynamics["hygov"]["unit"].tolist() == ["gen 2"]
    assert case.dynamics["genrou"]["h_s"].tolist() == [templates.SMALL_STEAM["h_s"]]
    assert "gen 3" not in case.dynamics["tgov1"]["unit"].tolist()
    assert any("no governor" in note and "gen 3" in note for note in case.notes)


def test_sgens_of_a_feeder_are_inverters_and_the_flow_stays():
    with_pv = networks.create_cigre_network_mv(with_der="pv_wind")
    before = Case.from_pandapower(with_pv, dynamics={}).solve()
    case = Case.from_pandapower(with_pv)
    after = case.solve()
    assert abs(before.v - after.v).max() < 1e-12
    table = case.dynamics["dera1"]
    assert table["unit"].tolist() == case.net.sgen["name"].tolist()
    assert len(table) == 9
    # a grid of 50 Hz, where the model's own thresholds of frequency would not do
    assert (table["fl_hz"] == 47.5).all()
    assert (table["fh_hz"] == 51.5).all()
    assert any("9 sgens at up to 36 kV are inverters (DERA1" in note and "2016/631" in note for note in case.notes)
    assert not any("negative loads" in note for note in case.notes)


def test_which_sgens_are_inverters():
    """Sun, wind, stores and what says nothing, up to 36 kV; the others are negative loads. A store may take power."""
    net = networks.case9()
    net.bus.loc[:, "vn_kv"] = 345.0
    mv = pp.create_bus(net, 20.0, name="mv")
    pp.create_transformer_from_parameters(net, 4, mv, 40.0, 345.0, 20.0, 0.3, 10.0, 0.0, 0.0)
    kinds = {
        "sun": ("PV", 2.0), "wind park": ("Wind-onshore", 1.0), "store": ("BESS", -1.0), "plain": ("wye", 1.0),
        "diesel": ("CHP diesel", 1.0), "odd": ("PV", -0.5), "idle": ("solar", 0.0),
    }  # fmt: skip
    for name, (kind, p_mw) in kinds.items():
        pp.create_sgen(net, mv, p_mw, 0.2 if p_mw else 0.0, name=name, type=kind, sn_mva=1.5)
    pp.create_sgen(net, 4, 5.0, 0.0, name="above", type="PV")
    case = Case.from_pandapower(net)
    table = case.dynamics["dera1"].set_index("unit")
    assert table.index.tolist() == ["sun", "wind park", "store", "plain", "idle"]
    assert table["type_flag"].tolist() == [1.0, 1.0, 0.0, 1.0, 1.0]
    assert table["pf_flag"].tolist() == [1.0, 1.0, 1.0, 1.0, 0.0]
    assert "fl_hz" not in table.columns  # 60 Hz: the model's own
    others = ["diesel", "odd", "above"]
    assert case.net.load["name"].tolist()[-3:] == others
    ratings = case.net.sgen.set_index("name")["sn_mva"]
    assert ratings["sun"] == pytest.approx(np.hypot(2.0, 0.2))  # more than it states
    assert ratings["wind park"] == 1.5
    assert check_start(compile_system(case)).worst < 1e-6
    assert any("3 sgens stand as negative loads" in note for note in case.notes)


def test_template_values_are_parameters_of_their_models():
    case = case39()
    hydro = {"gensal": templates.HYDRO, "hygov": templates.HYGOV}
    tables = {m: set(t.columns) - {"unit"} for m, t in case.dynamics.items()} | {m: set(v) for m, v in hydro.items()}
    for model, columns in tables.items():
        known = {p.name: p for p in catalog.model(model).params if not p.solved}
        assert columns <= set(known), model
        assert {n for n, p in known.items() if p.default is None} <= columns, model


def test_machine_values_are_consistent():
    for machine in (templates.STEAM, templates.SMALL_STEAM, templates.HYDRO):
        assert machine["xl_pu"] < machine["xd2_pu"] < machine["xd1_pu"] < machine["xd_pu"]
        assert machine["xq_pu"] <= machine["xd_pu"]
        assert 0 < machine["td20_s"] < machine["td10_s"]
    assert isinstance(case39().dynamics["genrou"], pd.DataFrame)
