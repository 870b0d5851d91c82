"""A bench for one controller alone: its kernels as plain Python on its own records, driven by stated inputs."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from gridai.kernel.contract import ENGINE_PARAMS, Model, Start, argument_names


class Bench:
    """One unit of a model. `start` initialises it, `play` integrates it (RK4), `response` linearises it."""

    def __init__(self, model: Model, **params: float) -> None:
        known = {q.name for q in model.params if not q.solved}
        assert params.keys() <= known, f"{model.name} has no {params.keys() - known}"
        given = {q.name: q.default for q in (*model.params, *ENGINE_PARAMS)} | params
        missing = [name for name in known if given[name] is None]
        assert not missing, f"{model.name} needs {missing}"
        self.model = model
        self.p = SimpleNamespace(**given)
        self.x = SimpleNamespace(**{s.name: 0.0 for s in model.states})
        self.d = SimpleNamespace(**{s.name: 0.0 for s in model.states})
        self.z = SimpleNamespace(on=1.0, **{s.name: s.start for s in model.memory})
        self.u = SimpleNamespace(**{i.name: i.default or 0.0 for i in model.inputs})
        self.y = SimpleNamespace(**{o.name: 0.0 for o in model.outputs})

    def call(self, name: str) -> None:
        """Run one kernel; it must not invent names."""
        kernel = self.model.kernels[name]
        fields = {r: set(vars(getattr(self, r))) for r in "pxzuyd"}
        kernel(*[getattr(self, a) for a in argument_names(kernel)])
        assert all(fields[r] == set(vars(getattr(self, r))) for r in "pxzuyd")

    def put(self, **values: float) -> None:
        """Set inputs; `v` is the bus voltage as a complex number."""
        if "v" in values:
            v = complex(values.pop("v"))
            values |= {"v_re": v.real, "v_im": v.imag}
        assert values.keys() <= vars(self.u).keys(), f"{self.model.name} has no input {values.keys()}"
        vars(self.u).update(values)

    def start(self, v: complex = 1.0, target: dict[str, float] | None = None, **inputs: float) -> Bench:
        """Initialise at a bus voltage, with inputs and target outputs given."""
        self.put(**inputs)
        if "v_re" in vars(self.u):
            self.put(v=v)
        vars(self.y).update(target or {})
        self.model.initialise(self.p, self.x, self.z, self.u, self.y, Start(complex(v), 0.0, 0.0))
        return self

    def rates(self) -> dict[str, float]:
        """Outputs are brought up to date; the derivatives by state name."""
        self.call("outputs")
        self.call("derivatives")
        return dict(vars(self.d))

    def play(self, inputs: Callable[[float], dict], until_s: float, watch: str, step_s: float = 1e-3) -> tuple:
        """Integrate with inputs(t), which must be constant within a step or smooth: (t, watched output or state)."""
        count = round(until_s / step_s)
        seen = np.empty(count + 1)
        for k in range(count + 1):
            t = k * step_s
            self.put(**inputs(t + 1e-9 * step_s))
            self.call("outputs")
            seen[k] = getattr(self.y, watch, None) if hasattr(self.y, watch) else getattr(self.x, watch)
            if k < count:
                self._step(inputs, t, step_s)
        return np.arange(count + 1) * step_s, seen

    def _step(self, inputs: Callable[[float], dict], t: float, h: float) -> None:
        x0, total = dict(vars(self.x)), dict.fromkeys(vars(self.x), 0.0)
        for part, weight in ((0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
            if part:
                vars(self.x).update({k: x0[k] + part * h * vars(self.d)[k] for k in x0})
            self.put(**inputs(t + h * min(max(part, 1e-9), 1.0 - 1e-9)))
            self.rates()
            total = {k: total[k] + weight * vars(self.d)[k] for k in x0}
        vars(self.x).update({k: x0[k] + h / 6.0 * total[k] for k in x0})
        if "clamp" in self.model.kernels:
            self.call("clamp")

    def response(self, source: str, watch: str, omega: np.ndarray, size: float = 1e-5) -> np.ndarray:
        """Transfer function from an input to an output at j omega, by central differences about the present point."""
        states = list(vars(self.x))

        def probe(group: SimpleNamespace, name: str) -> tuple[np.ndarray, float]:
            base, ends = getattr(group, name), []
            for sign in (1.0, -1.0):
                setattr(group, name, base + sign * size)
                rates = self.rates()
                ends.append((np.array([rates[s] for s in states]), getattr(self.y, watch)))
            setattr(group, name, base)
            return (ends[0][0] - ends[1][0]) / (2 * size), (ends[0][1] - ends[1][1]) / (2 * size)

        columns = [probe(self.x, s) for s in states]
        a, c = np.array([q[0] for q in columns]).T, np.array([q[1] for q in columns])
        b, d = probe(self.u, source)
        return np.array([c @ np.linalg.solve(1j * w * np.eye(len(states)) - a, b) + d for w in omega])
