"""How fast states decay by themselves, and what step and method of integration they allow.

For a decay rate r Heun's method is stable while r h < 2, Adams and Bashforth's of order 2 while r h < 1. Here r is the
diagonal of the Jacobian, -df_k/dx_k, found for one state of all units of a model at once. A rate from a loop through
several states can be higher (the largest eigenvalue is 1.26 times the largest r on ieee39, 1.12 times on kundur), and
so can one at a limit or in a fault: hence the margin. Where it is not enough the run ends with "a state is no longer a
number", and a shorter step or Heun's method is the remedy.
"""

from fractions import Fraction

import numpy as np

from gridai.engine.run import Run
from gridai.engine.system import System
from gridai.errors import SettingError

STABLE = 1.8
"""Largest product of rate and step that is let through; Heun's own limit is 2."""
ADAMS_STABLE = 0.4
"""Largest product of rate and step that is integrated by Adams and Bashforth's method; its own limit is 1."""
MOST_HALVINGS = 6


def decay_rates(system: System) -> np.ndarray:
    """-df_k/dx_k of every state at the start, found once for a compiled system. float[n] [1/s]"""
    known = system.networks.rates
    if known is None or known[0] is not system.p:
        known = system.networks.rates = (system.p, _decay_rates(system))
    return known[1]


def _decay_rates(system: System) -> np.ndarray:
    run = Run(system)
    f, x0 = run.rhs(), system.x0
    base = f(0.0, x0)
    rates = np.zeros(x0.size)
    for g in system.groups:
        width = g.width("x")
        for j in range(len(g.model.states)):
            places = g.x + j + width * np.arange(len(g.devices))
            x = x0.copy()
            x[places] += 1e-6
            rates[places] = -(f(0.0, x)[places] - base[places]) / (x[places] - x0[places])
    return rates


def adams_is_stable(system: System, step_s: float) -> bool:
    """True if the fastest state leaves a margin for Adams and Bashforth's method at this step."""
    return bool(decay_rates(system).max(initial=0.0) * step_s <= ADAMS_STABLE)


def stable_step(system: System, step_s: float) -> tuple[Fraction, str]:
    """The step, halved as often as the fastest state asks for, and a sentence that names that state if it was.

    Raises SettingError when more than MOST_HALVINGS would be needed: such a time constant is usually a slip.
    """
    step = Fraction(step_s).limit_denominator(10**7)
    rates = decay_rates(system)
    k = int(np.argmax(rates)) if rates.size else 0
    fastest = float(rates[k]) if rates.size else 0.0
    halvings = 0
    while fastest * float(step) / 2**halvings > STABLE:
        halvings += 1
    if halvings == 0:
        return step, ""
    name = system.state_names[k]
    text = f"state {name} decays with {1e3 / fastest:.3g} ms, too fast for a step of {1e3 * step_s:.4g} ms"
    if halvings > MOST_HALVINGS:
        raise SettingError(f"{text}: check its time constant, or set it to zero where the model allows that")
    return step / 2**halvings, f"{text}: the step is {1e3 * step_s / 2**halvings:.4g} ms"
