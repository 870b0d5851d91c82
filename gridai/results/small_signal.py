"""What a small-signal study leaves in a Result: its modes and its frequency scan, as plain data under `meta`.

The Result of such a study holds the operating point as its one sample; `modes_of` and `scan_of` read the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridai.errors import ResultError
from gridai.results.result import Result


@dataclass(frozen=True)
class Mode:
    """One oscillatory mode.

    real, imag     its eigenvalue [1/s, rad/s]; imag > 0
    swing_share    part of the participation that is of machine angles and speeds
    participants   states `unit.MODEL.state` with the largest participation factors, and the factors
    shape          speed of each machine relative to the largest: size and phase [degrees]
    """

    real: float
    imag: float
    swing_share: float
    participants: tuple[tuple[str, float], ...]
    shape: Mapping[str, tuple[float, float]]

    @property
    def frequency_hz(self) -> float:
        """Damped frequency. [Hz]"""
        return self.imag / (2.0 * np.pi)

    @property
    def damping(self) -> float:
        """Damping ratio; negative: the mode grows."""
        return float(-self.real / np.hypot(self.real, self.imag))

    @property
    def electromechanical(self) -> bool:
        """True where machine angles and speeds make up at least half of the mode."""
        return self.swing_share >= 0.5

    def sides(self, least: float = 0.25) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Machines that swing with the largest one and those that swing against it, the largest first.

        least  machines with less of the largest one's size stand on neither side.
        """
        order = sorted(
            (name for name, (size, _) in self.shape.items() if size >= least), key=lambda n: -self.shape[n][0]
        )
        turn = {name: np.cos(np.radians(self.shape[name][1])) for name in order}
        return tuple(n for n in order if turn[n] >= 0.0), tuple(n for n in order if turn[n] < 0.0)


@dataclass(frozen=True)
class Scan:
    """Frequency response from power consumed at one place to many signals.

    source   what was moved, in words
    f_hz     float[nf]. [Hz]
    names    (kind, element, quantity) of each output, as in a Result
    units    unit of each output; gains are per MW
    gains    complex[nf, outputs]
    """

    source: str
    f_hz: NDArray[np.float64]
    names: tuple[tuple[str, str, str], ...]
    units: tuple[str, ...]
    gains: NDArray[np.complex128]

    def of(self, kind: str, quantity: str) -> tuple[tuple[str, ...], NDArray[np.complex128]]:
        """Elements that have this quantity, and their gains, complex[nf, elements]."""
        keep = [k for k, (one, _, q) in enumerate(self.names) if (one, q) == (kind, quantity)]
        return tuple(self.names[k][1] for k in keep), self.gains[:, keep]


def small_signal_meta(eigenvalues: Sequence[complex], modes: Sequence[Mode], scan: Scan | None) -> dict[str, Any]:
    """The entries of `Result.meta` that hold them, ready for JSON."""
    found: dict[str, Any] = {
        "eigenvalues": [[float(np.real(x)), float(np.imag(x))] for x in eigenvalues],
        "modes": [asdict(mode) for mode in modes],
    }
    if scan is not None:
        found["scan"] = {
            "source": scan.source,
            "f_hz": scan.f_hz.tolist(),
            "names": [list(name) for name in scan.names],
            "units": list(scan.units),
            "re": [_row(column) for column in scan.gains.real.T],
            "im": [_row(column) for column in scan.gains.imag.T],
        }
    return found


def _row(values: NDArray[np.float64]) -> str:
    """Numbers on one line, seven digits: a file of a large grid stays readable and small."""
    return " ".join(f"{x:.7g}" for x in values)


def has_modes(result: Result) -> bool:
    """Whether the result is of a small-signal study."""
    return "modes" in result.meta


def modes_of(result: Result) -> tuple[Mode, ...]:
    """The oscillatory modes of a small-signal study, by rising damping. Raises ResultError where there are none."""
    if not has_modes(result):
        raise ResultError("this result holds no modes; they come from the study modes")
    try:
        return tuple(_mode(held) for held in result.meta["modes"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultError(f"the modes of this result are damaged ({error!r}): run the study again") from error


def _mode(held: Mapping[str, Any]) -> Mode:
    return Mode(
        float(held["real"]),
        float(held["imag"]),
        float(held["swing_share"]),
        tuple((str(name), float(share)) for name, share in held["participants"]),
        {str(name): (float(size), float(phase)) for name, (size, phase) in held["shape"].items()},
    )


def eigenvalues_of(result: Result) -> NDArray[np.complex128]:
    """All eigenvalues of a small-signal study. complex[n] [1/s]"""
    if "eigenvalues" not in result.meta:
        raise ResultError("this result holds no eigenvalues; they come from the study modes")
    pairs = np.array(result.meta["eigenvalues"], dtype=float).reshape(-1, 2)
    return pairs[:, 0] + 1j * pairs[:, 1]


def scan_of(result: Result) -> Scan | None:
    """The frequency scan of a small-signal study; None where it made none. Raises ResultError where it is damaged."""
    held = result.meta.get("scan")
    if held is None:
        return None
    try:
        re, im = (np.array([row.split() for row in held[part]], dtype=float) for part in ("re", "im"))
        names = tuple((str(a), str(b), str(c)) for a, b, c in held["names"])
        f_hz, units = np.array(held["f_hz"], dtype=float), tuple(str(unit) for unit in held["units"])
        if not re.shape == im.shape == (len(names), f_hz.size) or len(units) != len(names):
            raise ValueError(f"{len(names)} outputs, {f_hz.size} frequencies, gains {re.shape}")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultError(f"the frequency scan of this result is damaged ({error!r}): run the study again") from error
    return Scan(str(held["source"]), f_hz, names, units, (re + 1j * im).T)


def peaks(size: NDArray[np.float64]) -> list[int]:
    """Places of the local maxima of a curve, the highest first. Its two ends do not count."""
    inner = np.flatnonzero((size[1:-1] > size[:-2]) & (size[1:-1] >= size[2:])) + 1
    return [int(k) for k in inner[np.argsort(-size[inner], kind="stable")]]
