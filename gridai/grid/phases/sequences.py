"""The three sequence networks of a pandapower net.

The positive sequence is pandapower's own conversion; the negative one differs from it in the sense of the transformers'
phase shift and in the impedance behind sources; the zero sequence is built from pandapower's zero-sequence columns.
All elements are alike in the three phases, so the networks meet at the loads only.
"""

from __future__ import annotations

import cmath
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gridai.errors import CaseError, Problems
from gridai.grid.batch.matrices import BranchTable, Complexes, Floats, Ints, Matrices, convert
from gridai.grid.names import element_names
from gridai.grid.phases.refuse import check_phases, in_service
from gridai.grid.phases.windings import checked_clock, parse, zero_pi

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

VOLTAGE_FACTOR = 1.1  # c of IEC 60909, by which pandapower has the impedance behind an external grid
NO_MAGNETISING = 1e9  # mag0_percent from which a transformer has no magnetising branch in the zero sequence
_LAWS = tuple(f"const_{law}_{letter}_percent" for law in "zi" for letter in "pq")
_TAP = 8  # column of pandapower's branch matrix: turns ratio on the hv side


@dataclass(frozen=True, eq=False)
class Sequences:
    """n nodes and m branches of a converted net, the first axis of arrays with 3: zero, positive, negative sequence.

    matrices  pandapower's positive sequence: base voltages, node_of_bus, branch table.
    node_kv   rated voltage, phase to phase. [kV]
    y         complex[3, m, 4]: y_ff, y_ft, y_tf, y_tt of the branches; 0 out of service. [pu]
    shunt     complex[3, n]: shunts and the impedance behind sources. [pu]
    admittance  csr[n, n] of each sequence.
    source    nodes that hold a voltage, with emf: its value in the base case. [pu]
    behind    complex[r]: admittance between emf and node; infinite where the emf stands at the node itself. [pu]
    own       complex[3, n]: what of `shunt` is the impedance behind sources. [pu]
    floating  nodes of each part of the zero sequence without a path to earth: its voltage there is set to 0.
    """

    matrices: Matrices
    y: Complexes
    shunt: Complexes
    admittance: tuple[csr_matrix, csr_matrix, csr_matrix]
    source: Ints
    emf: Complexes
    behind: Complexes
    own: Complexes
    floating: tuple[Ints, ...]

    @property
    def s_base_mva(self) -> float:
        """System base, of three phases together. [MVA]"""
        return self.matrices.s_base_mva

    @property
    def branches(self) -> BranchTable:
        """Names and ends of the branches."""
        return self.matrices.branches


def sequences(net: Any, source: str = "stiff", trafo_model: str = "t") -> tuple[Any, Sequences]:
    """The solved private copy of a net and its sequence networks. The net is not written to.

    source  "stiff": the positive sequence of an external grid's voltage is held at its bus, as in a balanced power
            flow; "behind": it is held behind the grid's impedance, as in OpenDSS and power-grid-model.

    Raises CaseError for what is not modelled and for missing data, PowerFlowError where the balanced power flow of the
    net as it stands has no solution.
    """
    check_phases(net)
    work, m = convert(_constant_power(net), trafo_model=trafo_model)
    work.load = net.load.copy()  # with the laws that the base case does without
    b = m.branches
    y = np.zeros((3, len(b.kind), 4), dtype=complex)
    y[1] = b.y[:, ::2] + 1j * b.y[:, 1::2]
    y[2] = y[1]
    turned = np.array([kind == "trafo" for kind in b.kind], dtype=bool)
    y[2, turned, 1], y[2, turned, 2] = y[1, turned, 2], y[1, turned, 1]
    found = Problems("unbalanced power flow")
    y[0] = _zero_branches(work, m, y[1], found)
    found.raise_if_any(CaseError)
    y[:, ~b.in_service] = 0.0
    shunt = np.repeat(_shunts(work, len(m.v))[None], 3, axis=0)
    shunt[0] -= _without_neutral(work, m)
    nodes, emf, behind, own = _sources(work, m, source)
    own[2] += _machines(work, m)
    shunt += own
    floating = _floating(y[0], shunt[0], b, len(m.v))
    for part in floating:
        shunt[0, part[0]] += 1.0  # no current flows there: it sets the voltage to 0
    built = [_admittance(y[k], shunt[k], b, len(m.v)) for k in range(3)]
    return work, Sequences(m, y, shunt, (built[0], built[1], built[2]), nodes, emf, behind, own, floating)


def _constant_power(net: Any) -> Any:
    """A net whose loads are constant power, for the balanced base case; the same tables otherwise."""
    if not any(law in net.load.columns and (net.load[law] != 0).any() for law in _LAWS):
        return net
    work = copy.copy(net)
    work.load = net.load.copy()
    for law in _LAWS:
        if law in work.load.columns:
            work.load[law] = 0.0
    return work


def _shunts(net: Any, size: int) -> Complexes:
    bus = net._ppc["bus"][:size]
    return np.asarray((bus[:, 4] + 1j * bus[:, 5]) / float(net.sn_mva), dtype=complex)


def _without_neutral(net: Any, m: Matrices) -> Complexes:
    """What the zero sequence does not see: shunts whose column `type` is delta."""
    out = np.zeros(len(m.v), dtype=complex)
    rows = net.shunt
    if not len(rows) or "type" not in rows.columns:
        return out
    if "step_dependency_table" in rows.columns and rows["step_dependency_table"].fillna(False).any():
        raise CaseError("shunts with a step table and a column type: state p_mw and q_mvar of the step instead")
    for index, on in zip(rows.index, in_service(net, "shunt"), strict=True):
        row = rows.loc[index]
        node = m.node_of_bus.get(int(row["bus"]), -1)
        if on and node >= 0 and row["type"] == "delta":
            kv = row["vn_kv"] if row["vn_kv"] == row["vn_kv"] else m.node_kv[node]
            power = complex(row["p_mw"], -row["q_mvar"]) * float(row["step"]) * (m.node_kv[node] / kv) ** 2
            out[node] += power / m.s_base_mva
    return out


def _sources(net: Any, m: Matrices, source: str) -> tuple[Ints, Complexes, Complexes, Complexes]:
    """Nodes of external grids and slack gens, emf, admittance behind, and complex[3, n] what the sequences see."""
    if source not in ("stiff", "behind"):
        raise CaseError(f"source = '{source}': must be stiff or behind")
    y_source = np.zeros((3, len(m.v)), dtype=complex)
    emf: dict[int, complex] = {}
    for index, on in zip(net.ext_grid.index, in_service(net, "ext_grid"), strict=True):
        row = net.ext_grid.loc[index]
        node = m.node_of_bus.get(int(row["bus"]), -1)
        if not on or node < 0:
            continue
        z = VOLTAGE_FACTOR * m.s_base_mva / float(row["s_sc_max_mva"])
        x = z / np.hypot(1.0, float(row["rx_max"]))
        x0 = float(row["x0x_max"]) * x
        if not (x > 0.0 and x0 > 0.0):
            raise CaseError(f"ext_grid {index}: s_sc_max_mva and x0x_max must be above 0")
        z1, z0 = complex(float(row["rx_max"]) * x, x), complex(float(row["r0x0_max"]) * x0, x0)
        y_source[:, node] += np.array([1.0 / z0, 1.0 / z1, 1.0 / z1])
        emf.setdefault(node, cmath.rect(float(row["vm_pu"]), np.radians(float(row["va_degree"]))))
    for slack in np.flatnonzero(m.reference).tolist():
        emf.setdefault(slack, complex(m.v[slack]))  # a slack gen: its impedance is among the machines
    own = y_source * np.array([1.0, 0.0, 1.0])[:, None]
    nodes = np.array(sorted(emf), dtype=np.int64)
    behind = np.full(len(nodes), np.inf, dtype=complex)
    if source == "behind":
        behind = np.where(y_source[1, nodes] != 0, y_source[1, nodes], np.inf)
        finite = np.isfinite(behind)
        own[1, nodes[finite]] = behind[finite]
    return nodes, np.array([emf[int(n)] for n in nodes], dtype=complex), behind, own


def _machines(net: Any, m: Matrices) -> Complexes:
    """Admittance of gens in the negative sequence: their subtransient reactance. The neutral is not earthed. [pu]"""
    out = np.zeros(len(m.v), dtype=complex)
    for index, on in zip(net.gen.index, in_service(net, "gen"), strict=True):
        row = net.gen.loc[index]
        node = m.node_of_bus.get(int(row["bus"]), -1)
        if on and node >= 0:
            kv = float(row.get("vn_kv", np.nan))
            turns = 1.0 if kv != kv else (kv / m.node_kv[node]) ** 2
            out[node] += float(row["sn_mva"]) / m.s_base_mva / (1j * float(row["xdss_pu"]) * turns)
    return out


def _zero_branches(net: Any, m: Matrices, positive: Complexes, found: Problems) -> Complexes:
    """complex[m, 4] of the zero sequence."""
    out = np.zeros_like(positive)
    kinds = np.array(m.branches.kind, dtype=object)
    for table, make in (("line", _line), ("trafo", _trafo), ("impedance", _impedance)):
        rows = np.flatnonzero((kinds == table) & m.branches.in_service)
        if len(rows):
            out[rows] = make(net, m, rows, found)
    out[kinds == "switch"] = positive[kinds == "switch"]
    return out


def _values(net: Any, table: str, elements: Ints, *columns: str, default: float = 0.0) -> list[Floats]:
    rows = net[table].loc[elements]
    return [
        rows[c].to_numpy(dtype=float, na_value=np.nan) if c in rows.columns else np.full(len(rows), default)
        for c in columns
    ]


def _line(net: Any, m: Matrices, rows: Ints, found: Problems) -> Complexes:
    element, kv = m.branches.element[rows], m.node_kv[m.branches.from_node[rows]]
    r, x, c, length, parallel = _values(
        net, "line", element, "r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km", "length_km", "parallel"
    )
    g = np.nan_to_num(_values(net, "line", element, "g0_us_per_km")[0])
    base = kv**2 / m.s_base_mva
    z = (r + 1j * x) * length / parallel / base
    for k in np.flatnonzero(z == 0):
        found.add("net.line", None, f"r0_ohm_per_km and x0_ohm_per_km of line {element[k]}", 0.0, "must not both be 0")
    shunt = (1e-6 * g + 2j * np.pi * float(net.f_hz) * 1e-9 * c) * length * parallel * base
    series = 1.0 / np.where(z == 0, 1.0, z)
    return np.stack([series + shunt / 2, -series, -series, series + shunt / 2], axis=1)


def _impedance(net: Any, m: Matrices, rows: Ints, found: Problems) -> Complexes:
    element = m.branches.element[rows]
    columns = _values(net, "impedance", element, "rft0_pu", "xft0_pu", "rtf0_pu", "xtf0_pu", "sn_mva")
    rft, xft, rtf, xtf, sn = columns
    gf, bf, gt, bt = map(np.nan_to_num, _values(net, "impedance", element, "gf0_pu", "bf0_pu", "gt0_pu", "bt0_pu"))
    scale = m.s_base_mva / sn
    ft, tf = (1.0 / ((r + 1j * x) * scale) for r, x in ((rft, xft), (rtf, xtf)))
    return np.stack([ft + (gf + 1j * bf) / scale, -ft, -tf, tf + (gt + 1j * bt) / scale], axis=1)


def _trafo(net: Any, m: Matrices, rows: Ints, found: Problems) -> Complexes:
    from pandapower.build_branch import _calc_tap_from_dataframe

    element = m.branches.element[rows]
    table = net.trafo.loc[element]
    lv_kv = _calc_tap_from_dataframe(net, table)[1]
    ratio = np.real(net._ppc["branch"][_positions(net, element), _TAP])
    names = dict(zip(net.trafo.index, element_names(net)["trafo"], strict=True))
    out = np.zeros((len(rows), 4), dtype=complex)
    for k, (index, row) in enumerate(table.iterrows()):
        node_hv, node_lv = m.branches.from_node[rows[k]], m.branches.to_node[rows[k]]
        text = str(row["vector_group"])
        try:
            group = parse(text)
            clock = checked_clock(group, text, float(row["shift_degree"]))
            z_k, y_m, part = _core(row, group, float(lv_kv[k]) / m.node_kv[node_lv], m.s_base_mva)
        except CaseError as error:
            found.add("net.trafo", None, f"trafo '{names[index]}'", None, str(error))
            continue
        zn = 3.0 * complex(_number(row, "rn_ohm"), _number(row, "xn_ohm")) * m.s_base_mva
        at_hv = group.hv in ("YN", "ZN")
        zn_hv, zn_lv = (zn / m.node_kv[node_hv] ** 2, 0j) if at_hv else (0j, zn / m.node_kv[node_lv] ** 2)
        out[k] = zero_pi(group, clock, z_k, y_m, part, float(ratio[k]), zn_hv, zn_lv)
    return out


def _positions(net: Any, element: Ints) -> Ints:
    """Rows of pandapower's branch matrix."""
    start = net._pd2ppc_lookups["branch"]["trafo"][0]
    return np.asarray(start + net.trafo.index.get_indexer(element), dtype=np.int64)


def _number(row: Any, column: str, default: float = 0.0) -> float:
    value = row.get(column, default)
    return default if value is None or value != value else float(value)


def _core(row: Any, group: Any, turns: float, s_base_mva: float) -> tuple[complex, complex, float]:
    """Short-circuit impedance, magnetising admittance [pu of the lv side] and the share of the hv winding."""
    vk, vkr = _number(row, "vk0_percent"), _number(row, "vkr0_percent")
    if vk == 0.0:
        vk, vkr = float(row["vk_percent"]), float(row["vkr_percent"])  # as pandapower
    if abs(vkr) > abs(vk):
        raise CaseError(f"vkr0_percent = {vkr:g} is above vk0_percent = {vk:g}")
    base = turns**2 * s_base_mva / float(row["sn_mva"]) / float(row["parallel"]) / 100.0
    z_k = complex(vkr, np.sqrt(vk**2 - vkr**2)) * base
    if "YN" not in (group.hv, group.lv):
        return z_k, 0j, 0.5
    missing = [c for c in ("mag0_percent", "mag0_rx", "si0_hv_partial") if row.get(c) is None or row[c] != row[c]]
    if missing:
        raise CaseError(
            f"{', '.join(missing)} missing: the magnetising branch of an earthed star (mag0_percent 100 z_m0 / z_k0; "
            "1e9 for none)"
        )
    if not float(row["mag0_percent"]) > 0.0:
        raise CaseError(f"mag0_percent = {row['mag0_percent']:g}: must be above 0 (1e9 for no magnetising branch)")
    if float(row["mag0_percent"]) >= NO_MAGNETISING:
        return z_k, 0j, float(row["si0_hv_partial"])
    z_m = float(row["mag0_percent"]) / 100.0 * vk * base
    x_m = z_m / np.hypot(1.0, float(row["mag0_rx"]))
    return z_k, 1.0 / complex(float(row["mag0_rx"]) * x_m, x_m), float(row["si0_hv_partial"])


def _floating(y: Complexes, shunt: Complexes, b: BranchTable, size: int) -> tuple[Ints, ...]:
    """Parts of the zero sequence that nothing ties to earth."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    joined = y[:, 1] != 0
    links = coo_matrix((np.ones(joined.sum()), (b.from_node[joined], b.to_node[joined])), shape=(size, size))
    count, part = connected_components(links, directed=False)
    to_earth = np.abs(shunt)
    both = y[:, 0] * y[:, 3]  # equal to the product of the transfers where a branch only joins its ends
    ties = np.where(joined, np.abs(both - y[:, 1] * y[:, 2]) > 1e-12 * np.abs(both), np.abs(y).sum(axis=1) > 0.0)
    np.add.at(to_earth, b.from_node, ties & (y[:, 0] != 0))
    np.add.at(to_earth, b.to_node, ties & (y[:, 3] != 0))
    tied = np.zeros(count)
    np.add.at(tied, part, to_earth)
    return tuple(np.flatnonzero(part == k) for k in np.flatnonzero(tied == 0.0))


def _admittance(y: Complexes, shunt: Complexes, b: BranchTable, size: int) -> csr_matrix:
    from scipy.sparse import coo_matrix

    f, t, own = b.from_node, b.to_node, np.arange(size)
    row, col = np.concatenate([f, f, t, t, own]), np.concatenate([f, t, f, t, own])
    matrix = coo_matrix((np.concatenate([y[:, 0], y[:, 1], y[:, 2], y[:, 3], shunt]), (row, col)), shape=(size, size))
    return matrix.tocsr()
