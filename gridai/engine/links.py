"""What a unit reads away from its own bus: the voltage of a remote bus, the flow into a branch.

A model asks through inputs with source `remote.*` or `branch.*` (see kernel.contract.Input); its table then has the
optional columns `remote_bus`, `branch` and `from_bus`. Nothing is computed here: an input of the unit is tied to the
place where the signal stands already, or to a constant. Only `branch.on` changes, when the branch is switched.
"""

from dataclasses import dataclass
from typing import Any

from gridai.errors import Problems, near
from gridai.kernel.contract import Model

BRANCH_SIGNALS = ("v_re", "v_im", "w_re", "w_im", "ys_re", "ys_im", "ym_re", "ym_im", "on")


@dataclass(frozen=True)
class Links:
    """Where a unit reads; -1 stands for nothing.

    remote_node   node of `remote_bus`
    branch, end   index of the branch, and the end where it is measured: 0 from, 1 to
    """

    remote_node: int = -1
    branch: int = -1
    end: int = 0


def link_columns(model: Model) -> set[str]:
    """The text columns that a model's table may have besides its parameters."""
    asked = {s.source.partition(".")[0] for s in model.inputs}
    return ({"remote_bus"} if "remote" in asked else set()) | ({"branch", "from_bus"} if "branch" in asked else set())


def read_links(model: Model, record: dict[str, Any], net: Any, file: str, row: int, problems: Problems) -> Links:
    """The links of one row; what does not exist goes to `problems` with the near names."""
    text = {c: _text(record.get(c)) for c in link_columns(model)}
    remote, branch, end = -1, -1, 0
    for column in ("remote_bus", "from_bus"):
        if text.get(column) and text[column] not in net.node_of_bus:
            problems.add(file, row, column, text[column], near(text[column], net.node_of_bus, "bus"))
            return Links()
    if text.get("remote_bus"):
        remote = int(net.node_of_bus[text["remote_bus"]])
    if text.get("branch"):
        names = list(net.branches.name)
        if text["branch"] not in names:
            problems.add(file, row, "branch", text["branch"], near(text["branch"], names, "branch"))
            return Links(remote)
        branch = names.index(text["branch"])
        end = _end(net, branch, text["from_bus"], file, row, problems)
    elif text.get("from_bus"):
        problems.add(file, row, "from_bus", text["from_bus"], "has no meaning without a branch: fill that column too")
    return Links(remote, branch, end)


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


def remote_place(links: Links, own_node: int, name: str) -> int:
    """The place in the signals of `remote.v_re` or `remote.v_im`."""
    node = own_node if links.remote_node < 0 else links.remote_node
    return 2 * node + (name == "v_im")


def branch_signal(links: Links, net: Any, name: str) -> tuple[int, float]:
    """Place and value of a `branch.*` signal: (place, -) for a voltage, (-1, value) for a constant."""
    if name not in BRANCH_SIGNALS:
        raise ValueError(f"branch.{name}: {near(name, BRANCH_SIGNALS, 'signal of a branch')}")
    if links.branch < 0:
        return -1, 0.0
    b, k, end = net.branches, links.branch, links.end
    here, there = (b.from_node[k], b.to_node[k]) if end == 0 else (b.to_node[k], b.from_node[k])
    if name[0] in "vw":
        return 2 * int(here if name[0] == "v" else there) + (name[-2:] == "im"), 0.0
    if name == "on":
        return -1, float(b.in_service[k])
    y = {"ys": (b.y_ff, b.y_tt), "ym": (b.y_ft, b.y_tf)}[name[:2]][end][k]
    return -1, float(y.imag if name[-2:] == "im" else y.real)
