"""What the batched power flow does not model is refused by name, with the way out. Nothing is approximated."""

from __future__ import annotations

from typing import Any

from gridai.errors import CaseError, Problems

_ALONE = "run it through gridai.grid.solve or pandapower.runpp, one power flow at a time"
_FACTS = ("svc", "tcsc", "ssc", "vsc", "vsc_stacked", "vsc_bipolar")
_DC = ("line_dc", "load_dc", "source_dc")
# options a net carries for runpp that change what is solved
_OPTIONS = {
    "distributed_slack": "share the slack by dispatch instead",
    "tdpf": _ALONE,
    "consider_line_temperature": "write the resistance at that temperature into r_ohm_per_km",
    "enforce_q_lims": "say enforce_q_lims=True to the batch",
    "enforce_p_lims": "clip p_mw to its range first",
}


def check_batchable(net: Any, enforce_q_lims: bool = False, title: str = "batched power flow") -> None:
    """Raise one CaseError that lists every element and option which only a single power flow can take."""
    found = Problems(title)
    for table in (*_FACTS, *_DC):
        for index in _in_service(net, table):
            found.add(f"net.{table}", None, f"{table} {index}", None, f"is not part of the batch: {_ALONE}")
    if enforce_q_lims:
        _capability_curves(net, found)
    for option, way_out in _OPTIONS.items():
        if dict(net.get("user_pf_options", {})).get(option):
            found.add("net.user_pf_options", None, option, True, way_out)
    found.raise_if_any(CaseError)


def _capability_curves(net: Any, found: Problems) -> None:
    for table in ("gen", "sgen"):
        if "id_q_capability_characteristic" in net[table].columns:
            rows = net[table]
            for index in rows.index[rows["id_q_capability_characteristic"].notna().to_numpy()]:
                what = f"reactive capability curve of {table} {index}"
                found.add(f"net.{table}", None, what, None, f"only min_q_mvar and max_q_mvar are kept here: {_ALONE}")


def _in_service(net: Any, table: str) -> list[Any]:
    rows = net.get(table)
    if rows is None or not len(rows):
        return []
    if "in_service" not in rows.columns:
        return list(rows.index)
    return list(rows.index[rows["in_service"].to_numpy(dtype=bool)])
