"""RAW files written out by hand for the tests, the same small system in every version."""

from __future__ import annotations

SECTIONS = {
    32: "BUS,LOAD,FIXED SHUNT,GENERATOR,BRANCH,TRANSFORMER,AREA,TWO-TERMINAL DC,VSC DC LINE,IMPEDANCE CORRECTION,"
    "MULTI-TERMINAL DC,MULTI-SECTION LINE,ZONE,INTER-AREA TRANSFER,OWNER,FACTS DEVICE,SWITCHED SHUNT,GNE",
    34: "SYSTEM-WIDE,BUS,LOAD,FIXED SHUNT,GENERATOR,BRANCH,SYSTEM SWITCHING DEVICE,TRANSFORMER,AREA,TWO-TERMINAL DC,"
    "VSC DC LINE,IMPEDANCE CORRECTION,MULTI-TERMINAL DC,MULTI-SECTION LINE,ZONE,INTER-AREA TRANSFER,OWNER,"
    "FACTS DEVICE,SWITCHED SHUNT,GNE,INDUCTION MACHINE,SUBSTATION",
}
RATES = ", ".join(["0.0"] * 12)
RATED = "150.0, " + ", ".join(["0.0"] * 11)


def raw_text(version: int = 33, header: str = "", named: bool = True, comments: bool = False, **records: str) -> str:
    """A RAW file of the sections given (`fixed_shunt="..."`), the others empty. named: BEGIN words in the 0 lines."""
    order = SECTIONS[34 if version >= 34 else 32].split(",")
    lines = [header or f"0, 100.0, {version}, 0, 1, 60.0 / written by hand", "first title", "second title"]
    for name, following in zip(order, [*order[1:], ""], strict=True):
        if comments:
            lines.append(f"@! fields of {name}, 'quoted")
        body = records.pop(name.lower().replace(" ", "_").replace("-", "_"), "")
        lines += [line for line in body.strip("\n").split("\n") if line.strip()]
        words = f"0 / END OF {name} DATA" + (f", BEGIN {following} DATA" if following else "")
        lines.append(words if named else "0")
    assert not records, f"unknown sections {list(records)}"
    return "\n".join([*lines, "Q", ""])


def small(version: int) -> dict[str, str]:
    """Three buses, two machines, a line, a transformer, a load of all laws, shunts: sections for raw_text."""
    limits = ", 1.1, 0.9, 1.1, 0.9" if version >= 33 else ""
    one = "1, 1.0" if version < 34 else "1,1.0, 0,1.0, 0,1.0, 0,1.0, 0, 1.0"
    rates = RATED if version >= 34 else "150.0, 0.0, 0.0"
    none = RATES if version >= 34 else "0.0, 0.0, 0.0"
    name = ", '                    '" if version >= 34 else ""
    node = " 0," if version >= 35 else ""
    end = (", 0, " if version >= 35 else ", ") + one
    step_up = "0.0, 0.0, 1.0"
    ident = " '1'," if version >= 35 else ""
    regulated = " 0," if version >= 35 else ""
    load_end = {32: "1, 1", 33: "1, 1, 0", 34: "1, 1, 0, 5.0, 1.0, 1", 35: "1, 1, 0, 5.0, 1.0, 1, 'x'"}[version]
    power = "35.0, 11.0" if version >= 34 else "30.0, 10.0"
    return {
        "bus": f"""
            1, 'NORTH', 138.0, 3, 1, 7, 1, 1.02, 0.0{limits}
            2, 'SOUTH', 138.0, 1, 1, 7, 1, 1.00, -2.0{limits}
            3, 'SOUTH', 13.8, 2, 2, 8, 1, 1.01, 1.0{limits}""",
        "load": f"2, '1', 1, 1, 1, {power}, 20.0, 6.0, 10.0, -4.0, {load_end}",
        "fixed_shunt": "2, 'A', 1, 0.5, 12.0",
        "generator": f"""
            1, '1', 20.0, 5.0, 50.0, -50.0, 1.02, 0,{regulated} 120.0, 0.0, 0.2, {step_up}, 1, 100.0, 90.0, 5.0{end}
            3, 'G1', 25.0, 6.0, 30.0, -30.0, 1.01, 0,{regulated} 60.0, 0.003, 0.25, {step_up}, 1, 100.0, 50.0, 0.0{end}
            3, 'G2', 15.0, 3.0, 20.0, -20.0, 1.01, 0,{regulated} 40.0, 0.003, 0.25, {step_up}, 1, 100, 35, 0.0{end}""",
        "branch": f"1, 2, '1', 0.01, 0.1, 0.05{name}, {rates}, 0.0, 0.0, 0.0, 0.0, 1, 1, 0.0, 1, 1.0",
        "transformer": f"""
            2, 3, 0, '1', 1, 2, 1, 0.0, 0.0, 2, '            ', 1, 1, 1.0
            0.004, 0.08, 80.0
            1.05, 0.0, 30.0, {none}, 0, 0,{node} 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0
            1.0, 0.0""",
        "switched_shunt": f"2,{ident} 1, 0, 1, 1.5, 0.5, 0,{node} 100.0, '', 8.0, 2, 8.0",
        "zone": "7, 'VALLEY'",
    }
