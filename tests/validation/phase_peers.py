"""A pandapower net in OpenDSS and in power-grid-model, for the unbalanced power flow: the same data in their terms.

Not modelled here, because the two cannot: the magnetising branch of the zero sequence. Transformers must have
mag0_percent = 1e9 and vk0 = vk; OpenDSS and power-grid-model have one leakage impedance for all sequences.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NONE = 1e9  # mag0_percent of a transformer without magnetising branch in the zero sequence
FACTOR = 1.1  # c of IEC 60909, by which pandapower has the impedance behind an external grid


def source_ohm(net: Any) -> tuple[complex, complex]:
    """Positive- and zero-sequence impedance behind the first external grid. [ohm]"""
    row = net.ext_grid.iloc[0]
    z = FACTOR * net.bus.at[row["bus"], "vn_kv"] ** 2 / row["s_sc_max_mva"]
    x = z / np.hypot(1.0, row["rx_max"])
    x0 = row["x0x_max"] * x
    return complex(row["rx_max"] * x, x), complex(row["r0x0_max"] * x0, x0)


def by_phase(net: Any) -> list[tuple[int, str, str, float, float]]:
    """(bus, wye or delta, phase, MW, MVAr) of all loads less sgens."""
    out = []
    for table, sign in (("load", 1.0), ("sgen", -1.0)):
        for _, row in net[table][net[table].in_service].iterrows():
            kind = "delta" if row["type"] == "delta" else "wye"
            power = [sign * row[c] * row["scaling"] / 3.0 for c in ("p_mw", "q_mvar")]
            out += [(row["bus"], kind, phase, *power) for phase in "abc"]
        by = net[f"asymmetric_{table}"]
        for _, row in by[by.in_service].iterrows():
            for phase in "abc":
                power = [sign * row[f"{c}"] * row["scaling"] for c in (f"p_{phase}_mw", f"q_{phase}_mvar")]
                out.append((row["bus"], row["type"], phase, *power))
    return [row for row in out if row[3] or row[4]]


def clock(row: Any) -> int:
    return round(row["shift_degree"] / 30.0) % 12


def tapped(row: Any) -> tuple[float, float]:
    """Rated voltages at the present tap. [kV]"""
    kv = {"hv": row["vn_hv_kv"], "lv": row["vn_lv_kv"]}
    if row["tap_side"] in kv:
        kv[row["tap_side"]] *= 1.0 + (row["tap_pos"] - row["tap_neutral"]) * row["tap_step_percent"] / 100.0
    return kv["hv"], kv["lv"]


# --- OpenDSS -----------------------------------------------------------------------------------------------------

# order of the lv terminals' phases that turns Dyn1, Dyn11, Yy0 into another clock number
_TURNS = {0: (1, 2, 3), 4: (3, 1, 2), 8: (2, 3, 1)}


def opendss(net: Any) -> Any:
    """Voltages complex[buses, 3] by OpenDSS, rows as net.bus. [pu]"""
    import opendssdirect as dss

    write_opendss(net, dss)
    for tolerance in (1e-13, 1e-12, 1e-11, 1e-10):  # the finest that its rounding allows on this net
        dss.Text.Command(f"set tolerance={tolerance} maxiterations=200")
        dss.Solution.Solve()
        if dss.Solution.Converged():
            return read_opendss(net, dss)
    raise AssertionError("OpenDSS does not converge")


def write_opendss(net: Any, dss: Any) -> None:
    """Build the circuit in OpenDSS."""
    run = dss.Text.Command
    grid, (z1, z0) = net.ext_grid.iloc[0], source_ohm(net)
    kv = net.bus["vn_kv"]
    run("clear")
    run(f"set defaultbasefrequency={net.f_hz}")
    run(
        f"new circuit.net bus1=b{grid.bus} basekv={kv[grid.bus]:.17g} pu={grid.vm_pu:.17g} angle={grid.va_degree:.17g} "
        f"z1=[{z1.real:.17g}, {z1.imag:.17g}] z2=[{z1.real:.17g}, {z1.imag:.17g}] z0=[{z0.real:.17g}, {z0.imag:.17g}]"
    )
    for k, row in net.line[net.line.in_service].iterrows():
        n = row["parallel"]
        run(
            f"new line.l{k} bus1=b{row.from_bus} bus2=b{row.to_bus} phases=3 units=km length={row.length_km:.17g} "
            f"r1={row.r_ohm_per_km / n:.17g} x1={row.x_ohm_per_km / n:.17g} c1={row.c_nf_per_km * n:.17g} "
            f"r0={row.r0_ohm_per_km / n:.17g} x0={row.x0_ohm_per_km / n:.17g} c0={row.c0_nf_per_km * n:.17g}"
        )
    for k, row in net.trafo[net.trafo.in_service].iterrows():
        _opendss_trafo(run, k, row)
    for k, (bus, kind, phase, p, q) in enumerate(by_phase(net)):
        a = "abc".index(phase) + 1
        nodes, level = (f"{a}", kv[bus] / np.sqrt(3.0)) if kind == "wye" else (f"{a}.{a % 3 + 1}", kv[bus])
        run(
            f"new load.p{k} bus1=b{bus}.{nodes} phases=1 conn={kind} kv={level:.17g} kw={1e3 * p:.17g} "
            f"kvar={1e3 * q:.17g} model=1 vminpu=0.01 vmaxpu=100"
        )
    for k, row in net.shunt[net.shunt.in_service].iterrows():
        scale = row["step"] * (kv[row.bus] / row["vn_kv"]) ** 2
        what, kvar = "reactor" if row.q_mvar > 0 else "capacitor", 1e3 * abs(row.q_mvar) * scale
        run(f"new {what}.s{k} bus1=b{row.bus} phases=3 kv={kv[row.bus]:.17g} kvar={kvar:.17g}")
    run(f"set voltagebases=[{' '.join(str(float(v)) for v in sorted(set(kv)))}]")
    run("calcvoltagebases")


def _opendss_trafo(run: Any, k: int, row: Any) -> None:
    group = row["vector_group"].upper()
    hv = "delta" if group.startswith("D") else "wye"
    lv = "delta" if group.rstrip("0123456789").endswith("D") else "wye"
    hour = clock(row)
    mixed = hv != lv
    first = (1 if hour in (1, 5, 9) else 11) if mixed else (0 if hour in (0, 4, 8) else 6)
    order = _TURNS[(hour - first) % 12]
    assert first != 6, "OpenDSS has no Yy6"
    hv_nodes = ".1.2.3" + (".0" if group.startswith("YN") else ".4" if hv == "wye" else "")
    rest = group[2:] if group.startswith("YN") else group[1:]
    lv_nodes = "." + ".".join(str(n) for n in order) + (".0" if rest.startswith("YN") else ".4" if lv == "wye" else "")
    kv_hv, kv_lv = tapped(row)
    r = row["vkr_percent"]
    x, kva = np.sqrt(row["vk_percent"] ** 2 - r**2), 1e3 * row["sn_mva"] * row["parallel"]
    run(
        f"new transformer.t{k} phases=3 windings=2 buses=[b{row.hv_bus}{hv_nodes} b{row.lv_bus}{lv_nodes}] "
        f"conns=[{hv} {lv}] kvs=[{kv_hv:.17g} {kv_lv:.17g}] kvas=[{kva:.17g} {kva:.17g}] xhl={x:.17g} "
        f"%rs=[{r / 2:.17g} {r / 2:.17g}] %noloadloss=0 %imag=0 ppm_antifloat=0 "
        f"leadlag={'lead' if first == 11 else 'lag'}"
    )


def read_opendss(net: Any, dss: Any) -> Any:
    """Voltages complex[buses, 3] of the present solution. [pu]"""
    names = [name.lower() for name in dss.Circuit.AllNodeNames()]
    volts = np.array(dss.Circuit.AllBusVolts()).view(complex)
    at = {name: k for k, name in enumerate(names)}
    out = np.full((len(net.bus), 3), np.nan, dtype=complex)
    for k, (bus, kv) in enumerate(zip(net.bus.index, net.bus["vn_kv"], strict=True)):
        for phase in range(3):
            if f"b{bus}.{phase + 1}" in at:
                out[k, phase] = volts[at[f"b{bus}.{phase + 1}"]] * np.sqrt(3.0) / (1e3 * kv)
    return out


# --- power-grid-model --------------------------------------------------------------------------------------------


def grid_model(net: Any) -> tuple[Any, list[int]]:
    """The PowerGridModel and the row of net.asymmetric_load of each of its asymmetric loads."""
    import power_grid_model as pgm

    index = {int(b): k for k, b in enumerate(net.bus.index)}
    count = iter(range(len(net.bus), 10**9))

    def table(name: str, rows: list[dict[str, Any]]) -> Any:
        data = pgm.initialize_array("input", name, len(rows))
        for k, row in enumerate(rows):
            data["id"][k] = next(count)
            for column, value in row.items():
                data[column][k] = value
        return data

    node = pgm.initialize_array("input", "node", len(net.bus))
    node["id"], node["u_rated"] = list(index.values()), 1e3 * net.bus["vn_kv"].to_numpy()
    lines = [
        {
            "from_node": index[r.from_bus], "to_node": index[r.to_bus], "from_status": 1, "to_status": 1,
            **{f"{q}{s}": getattr(r, f"{q}{'' if s else '0'}_ohm_per_km") * r.length_km / r.parallel
               for q in "rx" for s in (1, 0)},
            "c1": r.c_nf_per_km * 1e-9 * r.length_km * r.parallel,
            "c0": r.c0_nf_per_km * 1e-9 * r.length_km * r.parallel,
            "tan1": 0.0, "tan0": 0.0, "i_n": 1e3,
        }
        for r in net.line[net.line.in_service].itertuples()
    ]  # fmt: skip
    trafos = [_pgm_trafo(row, index) for _, row in net.trafo[net.trafo.in_service].iterrows()]
    grid, (z1, z0) = net.ext_grid.iloc[0], source_ohm(net)
    assert np.isclose(z1.real / z1.imag, z0.real / z0.imag), "power-grid-model has one R/X for both sequences"
    source = {
        "node": index[grid.bus], "status": 1, "u_ref": grid.vm_pu, "sk": 1e6 * grid.s_sc_max_mva / FACTOR,
        "rx_ratio": grid.rx_max, "z01_ratio": abs(z0 / z1), "u_ref_angle": np.radians(grid.va_degree),
    }  # fmt: skip
    loads = []
    for bus, kind, phase, p, q in by_phase(net):
        assert kind == "wye", "power-grid-model has no delta loads"
        own = np.array([phase == x for x in "abc"], dtype=float)
        loads.append({"node": index[bus], "status": 1, "type": 0, "p_specified": 1e6 * p * own,
                      "q_specified": 1e6 * q * own})  # fmt: skip
    data = {
        "node": node, "line": table("line", lines), "transformer": table("transformer", trafos),
        "source": table("source", [source]), "asym_load": table("asym_load", loads),
    }  # fmt: skip
    data = {name: rows for name, rows in data.items() if len(rows)}
    return pgm.PowerGridModel(data, system_frequency=float(net.f_hz)), data["asym_load"]["id"].tolist()


def _pgm_trafo(row: Any, index: dict[int, int]) -> dict[str, Any]:
    group = row["vector_group"].upper().rstrip("0123456789")
    codes = {"Y": 0, "YN": 1, "D": 2, "Z": 3, "ZN": 4}
    hv = next(name for name in ("YN", "ZN", "Y", "D", "Z") if group.startswith(name))
    kv_hv, kv_lv = tapped(row)
    return {
        "from_node": index[row.hv_bus], "to_node": index[row.lv_bus], "from_status": 1, "to_status": 1,
        "u1": 1e3 * kv_hv, "u2": 1e3 * kv_lv, "sn": 1e6 * row.sn_mva * row.parallel, "uk": row.vk_percent / 100.0,
        "pk": row.vkr_percent * 1e4 * row.sn_mva * row.parallel, "i0": 0.0, "p0": 0.0, "winding_from": codes[hv],
        "winding_to": codes[group[len(hv):]], "clock": clock(row), "tap_side": 0, "tap_pos": 0, "tap_min": 0,
        "tap_max": 0, "tap_nom": 0, "tap_size": 0.0,
    }  # fmt: skip


def power_grid_model(net: Any) -> Any:
    """Voltages complex[buses, 3] by power-grid-model, rows as net.bus. [pu]"""
    model, _ = grid_model(net)
    out = model.calculate_power_flow(symmetric=False, error_tolerance=1e-10, max_iterations=100)
    return out["node"]["u_pu"] * np.exp(1j * out["node"]["u_angle"])
