"""Result: one float array over time with a channel table, and accessors that cost nothing until they are used.

    result.bus.vm_pu["16"].min()        DataFrame: index t_s, one column a bus
    result.gen("G1")                    DataFrame: index t_s, one column a quantity of that unit
    result.values("bus", "vm_pu")       the same numbers without pandas: float[nt, n]; columns: result.names(...)

Raw quantities are what the engine recorded. Derived ones are computed on first use and kept:
    bus     vm_pu, va_degree (unwrapped in time), f_hz (see results/frequency.py)     from v_re_pu, v_im_pu
    system  f_hz, element "COI": centre of inertia                                   from gen speed_pu
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridai.errors import ResultError, UnknownNameError, near
from gridai.results.frequency import coi_frequency, voltage_frequency
from gridai.results.records import KINDS, Channel, EventRecord

if TYPE_CHECKING:
    import pandas as pd

    from gridai.results.formats import DataFormat

FloatArray = NDArray[np.float64]
COI = "COI"


class Result:
    """Time series of one run. Treat as read-only: accessors may share its memory.

    t_s       time of each sample, non-decreasing; a repeated time holds the instants before and after an event. [s]
    data      float[nt, nch]; physical value = data * channel.scale.
    channels  one Channel a column of data.
    events    what happened, in order of time.
    meta      f_hz, s_base_mva, inertia_mws by unit, units_off (time of trip by unit), case, step_s, versions, ...
    """

    def __init__(
        self,
        t_s: ArrayLike,
        data: ArrayLike,
        channels: tuple[Channel, ...],
        events: tuple[EventRecord, ...] = (),
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        self.t_s: FloatArray = np.asarray(t_s, dtype=float)
        self.data: FloatArray = np.asarray(data, dtype=float)
        self.channels = tuple(channels)
        self.events = tuple(events)
        self.meta: dict[str, Any] = dict(meta or {})
        _check(self.t_s, self.data, self.channels)
        self._columns = _table_of(self.channels)
        self._derived: dict[tuple[str, str], tuple[tuple[str, ...], FloatArray]] = {}

    @property
    def bus(self) -> Group:
        """Bus voltages and frequencies."""
        return Group(self, "bus")

    @property
    def gen(self) -> Group:
        """Generating units."""
        return Group(self, "gen")

    @property
    def load(self) -> Group:
        """Loads other than clusters."""
        return Group(self, "load")

    @property
    def cluster(self) -> Group:
        """GPU clusters, at the meter."""
        return Group(self, "cluster")

    @property
    def ups(self) -> Group:
        """UPS groups of clusters that have ride-through settings; `cluster` holds their sums."""
        return Group(self, "ups")

    @property
    def branch(self) -> Group:
        """Lines and transformers: flows at the from end."""
        return Group(self, "branch")

    @property
    def system(self) -> Group:
        """The system as a whole."""
        return Group(self, "system")

    @property
    def relay(self) -> Group:
        """Relays."""
        return Group(self, "relay")

    def quantities(self, kind: str) -> tuple[str, ...]:
        """Names of the quantities of a kind: recorded ones first, then derived ones."""
        recorded = tuple(self._columns.get(kind, {}))
        derived = tuple(q for (k, q), (source, _) in _DERIVED.items() if k == kind and self._can(k, source))
        return recorded + tuple(q for q in derived if q not in recorded)

    def names(self, kind: str, quantity: str) -> tuple[str, ...]:
        """Elements that have this quantity, in the order of the columns of `values`."""
        return self._get(kind, quantity)[0]

    def values(self, kind: str, quantity: str) -> FloatArray:
        """Physical values, float[nt, n], columns as in `names(kind, quantity)`."""
        return self._get(kind, quantity)[1]

    def series(self, kind: str, element: str, quantity: str) -> FloatArray:
        """Physical values of one element, float[nt]. An unknown element lists the near ones."""
        names, values = self._get(kind, quantity)
        if element not in names:
            raise UnknownNameError(near(element, names, kind))
        return values[:, names.index(element)]

    def save(self, folder: str | Path, name: str = "result", data: DataFormat = "npz") -> tuple[Path, Path]:
        """Write <name>.npz, .csv or .parquet (channels, as `data` says) and <name>.json (the rest).

        `gridai.results.load(folder)` reads them again. Parquet needs the extra gridai[parquet].
        """
        from gridai.results.store import save

        return save(self, folder, name, data)

    def __repr__(self) -> str:
        span = f"{self.t_s[0]:g} to {self.t_s[-1]:g} s" if len(self.t_s) else "empty"
        return f"Result({span}, {len(self.t_s)} samples, {len(self.channels)} channels, {len(self.events)} events)"

    def _can(self, kind: str, source: tuple[str, str]) -> bool:
        """True where a derived quantity can be computed; that of the system needs inertias."""
        return self._has(source) and (kind != "system" or bool(self.meta.get("inertia_mws")))

    def _has(self, source: tuple[str, str]) -> bool:
        return source[1] in self._columns.get(source[0], {})

    def _get(self, kind: str, quantity: str) -> tuple[tuple[str, ...], FloatArray]:
        recorded = self._columns.get(kind, {}).get(quantity)
        if recorded is not None:
            return recorded.names, self.data[:, recorded.columns] * recorded.scale
        if (kind, quantity) not in self._derived:
            source, compute = _DERIVED.get((kind, quantity), (None, None))
            if source is None or compute is None or not self._has(source):
                raise self._unknown(kind, quantity)
            names, values = compute(self)
            values.flags.writeable = False
            self._derived[kind, quantity] = names, values
        return self._derived[kind, quantity]

    def _unknown(self, kind: str, quantity: str) -> ResultError | UnknownNameError:
        if kind not in KINDS:
            return UnknownNameError(near(kind, KINDS, "kind of element"))
        if not self.quantities(kind):
            return ResultError(f"this result holds no quantity of kind '{kind}'; it was not recorded")
        return UnknownNameError(near(quantity, self.quantities(kind), f"{kind} quantity"))


class Group:
    """The elements of one kind. Attributes are quantities (DataFrame: index t_s, columns elements)."""

    __slots__ = ("_kind", "_result")

    def __init__(self, result: Result, kind: str) -> None:
        self._result = result
        self._kind = kind

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the quantities, each an attribute of this group."""
        return self._result.quantities(self._kind)

    @property
    def elements(self) -> tuple[str, ...]:
        """Names of the elements."""
        found = {name: None for q in self.quantities for name in self._result.names(self._kind, q)}
        return tuple(found)

    def __getattr__(self, quantity: str) -> pd.DataFrame:
        if quantity.startswith("_"):
            raise AttributeError(quantity)
        values = self._result.values(self._kind, quantity)
        return _frame(self._result.t_s, values, self._result.names(self._kind, quantity))

    def __call__(self, element: str) -> pd.DataFrame:
        """All quantities of one element: index t_s, one column a quantity. An unknown element lists the near ones."""
        if element not in self.elements:
            raise UnknownNameError(near(element, self.elements, self._kind))
        kind, result = self._kind, self._result
        own = [q for q in self.quantities if element in result.names(kind, q)]
        columns = np.column_stack([result.series(kind, element, q) for q in own])
        return _frame(result.t_s, columns, tuple(own))

    def __dir__(self) -> list[str]:
        return [*self.quantities, "elements", "quantities"]

    def __repr__(self) -> str:
        return f"{self._kind}: {len(self.elements)} elements, quantities {', '.join(self.quantities) or 'none'}"


def _frame(t_s: FloatArray, values: FloatArray, columns: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(values, index=pd.Index(t_s, name="t_s"), columns=list(columns), copy=False)


def _check(t_s: FloatArray, data: FloatArray, channels: tuple[Channel, ...]) -> None:
    if t_s.ndim != 1 or data.shape != (len(t_s), len(channels)):
        raise ResultError(f"t_s {t_s.shape}, data {data.shape}, {len(channels)} channels: shapes do not fit together")
    if np.isnan(t_s).any() or (np.diff(t_s) < 0.0).any():
        raise ResultError("t_s must not decrease and must hold no NaN")


class _Columns(NamedTuple):
    """Where a recorded quantity stands: element names, columns of data, scales."""

    names: tuple[str, ...]
    columns: slice | list[int]
    scale: FloatArray | float


_LAST: list[tuple[tuple[Channel, ...], dict[str, dict[str, _Columns]]]] = []
"""The table made last, for runs of one system after another."""


def _table_of(channels: tuple[Channel, ...]) -> dict[str, dict[str, _Columns]]:
    """The column table of the channels, made once for the very same tuple."""
    if not _LAST or _LAST[0][0] is not channels:
        _LAST[:] = [(channels, _column_table(channels))]
    return _LAST[0][1]


def _column_table(channels: tuple[Channel, ...]) -> dict[str, dict[str, _Columns]]:
    """kind -> quantity -> where it stands."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for k, channel in enumerate(channels):
        if channel.kind not in KINDS:
            raise ResultError(near(channel.kind, KINDS, "kind of channel"))
        elements = found.setdefault(channel.kind, {}).setdefault(channel.quantity, {})
        if channel.element in elements:
            raise ResultError(f"channel {channel.key} appears twice")
        elements[channel.element] = k
    return {
        kind: {quantity: _columns(channels, elements) for quantity, elements in of_kind.items()}
        for kind, of_kind in found.items()
    }


def _columns(channels: tuple[Channel, ...], elements: dict[str, int]) -> _Columns:
    """Evenly spaced columns become a slice, so that an accessor copies once at most."""
    index = list(elements.values())
    step = index[1] - index[0] if len(index) > 1 else 1
    even = step > 0 and index == list(range(index[0], index[0] + step * len(index), step))
    scales = np.array([channels[k].scale for k in index])
    scale: FloatArray | float = 1.0 if (scales == 1.0).all() else scales
    return _Columns(tuple(elements), slice(index[0], index[-1] + 1, step) if even else index, scale)


def _voltage(result: Result) -> tuple[tuple[str, ...], NDArray[np.complex128]]:
    names, re = result._get("bus", "v_re_pu")
    return names, re + 1j * result._get("bus", "v_im_pu")[1]


def _vm_pu(result: Result) -> tuple[tuple[str, ...], FloatArray]:
    names, re = result._get("bus", "v_re_pu")
    return names, np.hypot(re, result._get("bus", "v_im_pu")[1])


def _va_degree(result: Result) -> tuple[tuple[str, ...], FloatArray]:
    names, v = _voltage(result)
    return names, np.degrees(np.unwrap(np.angle(v), axis=0))


def _bus_f_hz(result: Result) -> tuple[tuple[str, ...], FloatArray]:
    names, v = _voltage(result)
    return names, voltage_frequency(result.t_s, v, _nominal(result))


def _system_f_hz(result: Result) -> tuple[tuple[str, ...], FloatArray]:
    names, speed = result._get("gen", "speed_pu")
    inertia = result.meta.get("inertia_mws")
    if not inertia:
        raise ResultError(
            "no machine has inertia (meta['inertia_mws'], MWs by unit, is empty): the frequency is that of the source"
        )
    off = result.meta.get("units_off", {})
    return (COI,), coi_frequency(speed, names, inertia, _nominal(result), result.t_s, off)[:, None]


def _nominal(result: Result) -> float:
    if "f_hz" not in result.meta:
        raise ResultError("a frequency needs meta['f_hz'], the nominal one in Hz")
    return float(result.meta["f_hz"])


_Derive = Callable[[Result], tuple[tuple[str, ...], FloatArray]]
_DERIVED: dict[tuple[str, str], tuple[tuple[str, str], _Derive]] = {
    ("bus", "vm_pu"): (("bus", "v_re_pu"), _vm_pu),
    ("bus", "va_degree"): (("bus", "v_re_pu"), _va_degree),
    ("bus", "f_hz"): (("bus", "v_re_pu"), _bus_f_hz),
    ("system", "f_hz"): (("gen", "speed_pu"), _system_f_hz),
}
"""(kind, quantity) -> (the raw quantity it needs, how to compute it)."""
