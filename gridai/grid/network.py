"""The network as the engine sees it: nodes, branches, loads and units as arrays, and the admittance matrix.

Everything is in pu on `s_base_mva` unless the name carries a unit. Nodes are numbered 0..n-1 in the order
of pandapower's internal matrices, so `ybus(network)` equals pandapower's own Ybus element by element.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Complexes = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Branches:
    """m two-port branches between nodes; i_from = y_ff v_from + y_ft v_to, i_to = y_tf v_from + y_tt v_to.

    name        unique over all kinds; a three-winding transformer is three branches to its star point.
    kind        "line", "trafo", "trafo3w", "impedance" or "switch".
    from_node   int[m]; for transformers the high-voltage side.
    y_ff ...    complex[m] as if in service, also for branches that are out. [pu on s_base_mva]
    in_service  bool[m]. A branch with both ends de-energised is not listed.
    rating_mva  float[m], nan where unstated. [MVA]
    """

    name: tuple[str, ...]
    kind: tuple[str, ...]
    from_node: Ints
    to_node: Ints
    y_ff: Complexes
    y_ft: Complexes
    y_tf: Complexes
    y_tt: Complexes
    in_service: Bools
    rating_mva: Floats


@dataclass(frozen=True, eq=False)
class Loads:
    """k loads in service (loads, storages, motors and the constant-power part of wards), load sign.

    p_mw, q_mvar  as consumed at the solved voltage. [MW, MVAr]
    pz, pi, pp    share of the consumed P that is of constant impedance, current and power; sum 1.
    qz, qi, qp    the same for Q.
    """

    name: tuple[str, ...]
    node: Ints
    p_mw: Floats
    q_mvar: Floats
    pz: Floats
    pi: Floats
    pp: Floats
    qz: Floats
    qi: Floats
    qp: Floats


@dataclass(frozen=True, eq=False)
class Units:
    """Generating units in service, generator sign.

    kind          "gen", "ext_grid" or "sgen".
    p_mw, q_mvar  as generated in the solved power flow. [MW, MVAr]
    sn_mva        machine base; nan if unstated; the system base for an ext_grid that states none. [MVA]
    min_p_mw ...  turbine range, nan if unstated. [MW]
    vm_pu         voltage set point, nan for an sgen. [pu]
    """

    name: tuple[str, ...]
    kind: tuple[str, ...]
    node: Ints
    p_mw: Floats
    q_mvar: Floats
    sn_mva: Floats
    min_p_mw: Floats
    max_p_mw: Floats
    vm_pu: Floats


@dataclass(frozen=True, eq=False)
class Network:
    """A solved network without its voltages.

    nodes        n node names: the bus key (of the first bus where several are fused by closed switches),
                 or a made-up key for star points and open line ends.
    node_of_bus  bus key to node, for all energised buses; fused buses share a node.
    bus_index    bus key to pandapower index, for all buses.
    shunt_pu     complex[n], all fixed shunts and constant-impedance parts of wards. [pu]
    off          names of units and loads that are out of service or stand at a de-energised bus.
    """

    s_base_mva: float
    f_hz: float
    nodes: tuple[str, ...]
    node_kv: Floats
    node_of_bus: dict[str, int]
    bus_index: dict[str, int]
    branches: Branches
    shunt_pu: Complexes
    loads: Loads
    units: Units
    off: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, eq=False)
class OperatingPoint:
    """The answer of a power flow.

    v             complex[n] node voltages, angles against the slack reference. [pu]
    mismatch_mva  largest power left over at a node, computed again from v, loads and units. [MVA]
    iterations    of the last Newton run.
    """

    network: Network
    v: Complexes
    mismatch_mva: float
    iterations: int

    def vm_pu(self, bus: str) -> float:
        """Voltage magnitude at a bus key. [pu]"""
        return float(abs(self.v[self.network.node_of_bus[bus]]))

    def va_degree(self, bus: str) -> float:
        """Voltage angle at a bus key. [degree]"""
        return float(np.degrees(np.angle(self.v[self.network.node_of_bus[bus]])))


def ybus(network: Network, in_service: Bools | None = None) -> csc_matrix:
    """Bus admittance matrix, shape (n, n). [pu on s_base_mva]

    in_service  bool[m], which branches are in; None: as in the network. Shunts are always in; loads are not part of it.
    """
    from scipy.sparse import coo_matrix

    b = network.branches
    on = b.in_service if in_service is None else np.asarray(in_service, dtype=bool)
    f, t = b.from_node[on], b.to_node[on]
    diagonal = np.arange(len(network.nodes))
    rows = np.concatenate([f, f, t, t, diagonal])
    columns = np.concatenate([f, t, f, t, diagonal])
    values = np.concatenate([b.y_ff[on], b.y_ft[on], b.y_tf[on], b.y_tt[on], network.shunt_pu])
    size = len(network.nodes)
    return coo_matrix((values, (rows, columns)), shape=(size, size)).tocsc()


def injection_mva(network: Network) -> Complexes:
    """Power that units and loads put into each node, generator sign, complex[n]. [MVA]"""
    out = np.zeros(len(network.nodes), dtype=complex)
    np.add.at(out, network.units.node, network.units.p_mw + 1j * network.units.q_mvar)
    np.subtract.at(out, network.loads.node, network.loads.p_mw + 1j * network.loads.q_mvar)
    return out


def mismatch(network: Network, v: Complexes) -> Complexes:
    """Power balance left over at each node, complex[n]: zero at a solved operating point. [MVA]"""
    flow = v * np.conj(ybus(network) @ v) * network.s_base_mva
    result: Complexes = injection_mva(network) - flow
    return result


def frozen(values: Any, dtype: Any) -> Any:
    """A read-only array: a solved network is shared between runs and never written."""
    out = np.array(values, dtype=dtype)
    out.setflags(write=False)
    return out
