"""What a good record can ask for that gridai's model does not have: listed as unsupported, not refused as a fault.

A unit whose governor drives a second shaft, say, then runs without governor, as with a model that is not there; the
account names the line and the constant.
"""

from __future__ import annotations

GAPS: dict[str, tuple[str, ...]] = {
    "IEEEG1": ("jbus",),
    "CIM5BL": ("se1", "se2"),
    "CMLD": ("mtypa", "mtypb", "mtypc"),
}
"""Constants, by model, whose value may ask for what is not there."""

GROUPED = {
    "CMLDOWU2": "all loads of an owner",
    "CMLDZNU2": "all loads of a zone",
    "CMLDARU2": "all loads of an area",
    "CMLDALU2": "all loads of the case",
}
"""Records that begin with no bus number, by name, and what they stand for."""


class GapError(Exception):
    """A record asks for what the model does not have; the text says what."""


def raise_gaps(model: str, complaints: list[tuple[str, str]], values: dict[str, float]) -> None:
    """Raise GapError if all that a model complains of is a gap of its own."""
    gaps = GAPS.get(model, ())
    if complaints and all(name in gaps for name, _ in complaints):
        raise GapError("; ".join(f"{name} = {values.get(name, 0.0):g}: {text}" for name, text in complaints))
