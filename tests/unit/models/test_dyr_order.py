"""Every model of a PSS/E record says the record's order, and names only parameters that it has."""

from importlib import import_module

import pytest

from gridai.models import catalog

WITH_ORDER = {key: name for key, name in catalog.model_files().items() if hasattr(import_module(name), "DYR")}
NOT_RECORDED = {
    "gencls": {"ra_pu", "xd1_pu"},
    "genroe": {"ra_pu"},
    "genrou": {"ra_pu"},
    "gensae": {"ra_pu"},
    "gensal": {"ra_pu"},
    "ieeest": {"tmeas_s"},
    "pss2a": {"tmeas_s"},
    "pss2b": {"tmeas_s"},
    "vtgtpat": {"tv_s"},
    "frqtpat": {"tf_s"},
    "repca1": {"t_freq_s"},
    "regfm_a1": {"re_pu", "xe_pu"},
    "dera1": {"xe_pu"},
    "cim5bl": {"rate_max_per_s"},
    "cmld": {"rate_max_per_s"},
    "lvshbl": {"vo_pu", "to_s", "fraco", "tv_s"},
    "ldshbl": {"fo_hz", "to_s", "fraco", "tf_s"},
}
"""Parameters that no record gives: from the RAW file, or gridai's own."""
LINKS = {"remote_bus", "remote_bus2", "branch_from", "branch_to", "branch_circuit"}
"""Fields of a record that name buses and a branch: not parameters, but the table's columns for what a unit reads."""


@pytest.mark.parametrize("key", WITH_ORDER)
def test_order_names_each_parameter_once(key: str) -> None:
    order = [name for name in import_module(WITH_ORDER[key]).DYR if name is not None]
    given = {q.name for q in catalog.model(key).params if not q.solved}
    assert len(order) == len(set(order))
    assert set(order) - LINKS == given - NOT_RECORDED.get(key, set())


def test_the_first_models_have_an_order() -> None:
    assert {*NOT_RECORDED, "sexs", "ieeet1", "tgov1", "hygov"} <= set(WITH_ORDER)
