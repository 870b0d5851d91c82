"""What a unit reads away from its own bus: the voltage of a remote bus, the flow into a branch, its area's controller.

A model asks through inputs with source `remote.*`, `branch.*` or `area.*` (see kernel.contract.Input); its table then
has the optional columns `remote_bus`, `branch` and `from_bus`, and `area`. A model with several numbers them:
`branch2.*` reads columns `branch2` and `from_bus2`, `remote2.*` column `remote_bus2`. Nothing is computed here: an
input of the unit is tied to the place where the signal stands already, or to a constant. Only `branch.on` changes, when
the branch is switched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridai.errors import Problems, near
from gridai.kernel.contract import Model

BRANCH_SIGNALS = ("v_re", "v_im", "w_re", "w_im", "ys_re", "ys_im", "ym_re", "ym_im", "on")


@dataclass(frozen=True)
class Links:
    """Where a unit reads; -1 stands for nothing.

    remotes       by column (`remote_bus`, `remote_bus2`): node
    branches      by column (`branch`, `branch2`, ...): index of the branch, and its end: 0 from, 1 to
    area          name of the area's controller; empty: none
    """

    remotes: Mapping[str, int] = field(default_factory=dict)
    branches: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    area: str = ""

    @property
    def branch(self) -> int:
        """Index of the branch in column `branch`; -1: none."""
        return self.branches.get("branch", (-1, 0))[0]


def is_branch(role: str) -> bool:
    """True for the sources `branch`, `branch2`, ..."""
    return role.rstrip("0123456789") == "branch"


def is_remote(role: str) -> bool:
    """True for the sources `remote`, `remote2`, ..."""
    return role.rstrip("0123456789") == "remote"


def link_columns(model: Model) -> set[str]:
    """The text columns that a model's table may have besides its parameters."""
    asked = {s.source.partition(".")[0] for s in model.inputs}
    columns = {name for role in asked if is_branch(role) for name in (role, role.replace("branch", "from_bus"))}
    columns -= {"branch"} if model.on_branch else set()
    columns |= {_bus_column(role) for role in asked if is_remote(role)}
    return columns | ({"area"} if "area" in asked else set())


def read_links(model: Model, record: dict[str, Any], net: Any, file: str, row: int, problems: Problems) -> Links:
    """The links of one row; what does not exist goes to `problems` with the near names."""
    text = {c: _text(record.get(c)) for c in link_columns(model)}
    if model.on_branch:
        text["branch"] = str(record["unit"])
    buses = [c for c in text if c.startswith(("remote_bus", "from_bus")) and text[c]]
    unknown = [c for c in buses if text[c] not in net.node_of_bus]
    for column in unknown:
        problems.add(file, row, column, text[column], near(text[column], net.node_of_bus, "bus"))
    if unknown:
        return Links()
    remotes = {c: int(net.node_of_bus[text[c]]) for c in buses if c.startswith("remote_bus")}
    found = {c: _branch(net, c, text, file, row, problems) for c in sorted(text) if is_branch(c)}
    return Links(remotes, {c: at for c, at in found.items() if at[0] >= 0}, text.get("area", ""))


def _branch(net: Any, column: str, text: dict[str, str], file: str, row: int, problems: Problems) -> tuple[int, int]:
    """Index and end of the branch in this column; -1 where none is given."""
    where, names = column.replace("branch", "from_bus"), list(net.branches.name)
    if not text[column]:
        if text[where]:
            problems.add(file, row, where, text[where], f"has no meaning without a branch: fill column {column} too")
        return -1, 0
    if text[column] not in names:
        problems.add(file, row, column, text[column], near(text[column], names, "branch"))
        return -1, 0
    branch = names.index(text[column])
    return branch, _end(net, branch, text[where], file, row, problems)


def _end(net: Any, branch: int, bus: str, file: str, row: int, problems: Problems) -> int:
    """0 or 1: the end of the branch at this bus; empty is the first end."""
    if not bus:
        return 0
    ends = [int(net.branches.from_node[branch]), int(net.branches.to_node[branch])]
    node = int(net.node_of_bus[bus])
    if node not in ends:
        names = " and ".join(f"'{net.nodes[k]}'" for k in ends)
        text = f"is not an end of branch '{net.branches.name[branch]}': give one of {names}"
        problems.add(file, row, "from_bus", bus, text)
        return 0
    return ends.index(node)


def _text(cell: Any) -> str:
    """A cell as a name; empty for None, NaN and NA. A whole number is written without a decimal point."""
    if cell is None or cell != cell or type(cell).__name__ == "NAType":
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def remote_place(links: Links, own_node: int, role: str, name: str) -> int:
    """The place in the signals of `v_re` or `v_im` of the source `remote`, `remote2`, ..."""
    return 2 * links.remotes.get(_bus_column(role), own_node) + (name == "v_im")


def _bus_column(role: str) -> str:
    return role.replace("remote", "remote_bus")


def branch_signal(links: Links, net: Any, column: str, name: str) -> tuple[int, float]:
    """Place and value of a `branch.*` signal: (place, -) for a voltage, (-1, value) for a constant."""
    if name not in BRANCH_SIGNALS:
        raise ValueError(f"{column}.{name}: {near(name, BRANCH_SIGNALS, 'signal of a branch')}")
    k, end = links.branches.get(column, (-1, 0))
    if k < 0:
        return -1, 0.0
    b = net.branches
    here, there = (b.from_node[k], b.to_node[k]) if end == 0 else (b.to_node[k], b.from_node[k])
    if name[0] in "vw":
        return 2 * int(here if name[0] == "v" else there) + (name[-2:] == "im"), 0.0
    if name == "on":
        return -1, float(b.in_service[k])
    y = {"ys": (b.y_ff, b.y_tt), "ym": (b.y_ft, b.y_tf)}[name[:2]][end][k]
    return -1, float(y.imag if name[-2:] == "im" else y.real)
