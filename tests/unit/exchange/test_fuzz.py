"""No input crashes or hangs the readers: a file gives a case or an error of gridai's own."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridai.engine import compile_system, simulate
from gridai.errors import GridaiError, Problems
from gridai.exchange import import_case
from gridai.exchange.dyr import parse_dyr
from gridai.exchange.dyr_tables import dynamics_tables
from gridai.grid.raw import read_raw
from gridai.grid.raw_matpower import read_matpower

from ..grid.raw_samples import raw_text, small
from .test_dyr import MACHINES
from .test_write import CASE, everything

USUAL = settings(
    max_examples=40,
    deadline=2000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
BYTES = st.binary(max_size=400)
TEXT = st.text(alphabet="0123456789.,'\"/-+eE QABC\n\t=[]{};%mpc()@!", max_size=400)
ODD = ("", "nan", "inf", "-1", "0", "1e400", "9" * 40, "'", '"', "/", "x", "1e-320", "Ⅷ", "1_0", "\x1a", "0x10", "-0.0")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("fuzz") / "case.raw"
    path.write_text(raw_text(33, **small(33)))
    return read_raw(path).net


def survives(reader: Callable[[Path], object], path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        reader(path)
    except GridaiError:
        return


def read_dyr(path: Path, net: Any) -> None:
    found = Problems("DYR")
    dynamics_tables([parse_dyr(path, found)], net, found)
    found.raise_if_any(GridaiError)


@USUAL
@given(content=st.one_of(BYTES, TEXT.map(str.encode)))
def test_noise(content: bytes, tmp_path: Path, net: Any) -> None:
    survives(read_raw, tmp_path / "a.raw", content)
    survives(read_raw, tmp_path / "a.raw", b"0, 100.0, 33, 0, 1, 60.0\n\n\n" + content)
    survives(lambda path: read_dyr(path, net), tmp_path / "a.dyr", content)
    survives(read_matpower, tmp_path / "a.m", content)
    survives(read_matpower, tmp_path / "a.m", b"mpc.baseMVA = 100;\nmpc.bus = [" + content + b"];\nmpc.branch = [];")


def broken(text: str, seed: int) -> bytes:
    """A good file with a few things wrong: fields replaced, lines doubled, dropped or cut."""
    chance = random.Random(seed)
    lines = text.split("\n")
    for _ in range(chance.randint(1, 6)):
        k = chance.randrange(len(lines))
        kind = chance.random()
        if kind < 0.6:
            parts = re.split(r"([,\s]+)", lines[k])
            parts[chance.randrange(len(parts))] = chance.choice(ODD)
            lines[k] = "".join(parts)
        elif kind < 0.75:
            lines.insert(k, lines[chance.randrange(len(lines))])
        elif kind < 0.9:
            lines[k] = lines[k][: chance.randrange(len(lines[k]) + 1)]
        else:
            del lines[k]
            lines = lines or [""]
    return "\n".join(lines).encode("utf-8")


@pytest.mark.parametrize("version", [32, 33, 34, 35])
def test_broken_raw_files(version: int, tmp_path: Path) -> None:
    good = everything() if version == 33 else raw_text(version, **small(version))
    for seed in range(50):
        survives(read_raw, tmp_path / "a.raw", broken(good, 1000 * version + seed))


def test_broken_dyr_files(tmp_path: Path, net: Any) -> None:
    good = (
        MACHINES + "3 'SEXS' G1 0.1 10 100 0.1 0 6 /\n3, 'IEEEST', G1, 1, 0,\n1,0,0,0,1,0,0,0,0,0,1,1,3,0.1,-0.1,0,0/\n"
    )
    good += "77 'VTGTPAT' 3 3 'G1' 0.5 1.2 0.1 0.05 /\n2 'USRLOD' 1 'CMLDBLU2' 1 2 3 /\n"
    for seed in range(120):
        survives(lambda path: read_dyr(path, net), tmp_path / "a.dyr", broken(good, seed))


def test_broken_matpower_files(tmp_path: Path) -> None:
    for seed in range(120):
        survives(read_matpower, tmp_path / "a.m", broken(CASE, seed))


VALUES = ("0", "-1", "1e6", "1e-9", "0.5", "2", "100", "-0.3", "7", "99999", "1e12", "-1e9")
NUMBER = re.compile(r"-?[\d.]+(?:e-?\d+)?")
CONTROLS = (
    "3 'SEXS' G1 0.1 10 100 0.1 0 6 /\n3 'TGOV1' G1 0.05 0.5 1.2 0.0 1.0 3.0 0 /\n3 'SEXS' G2 0.1 10 100 0.1 0 6 /\n"
    "77 'VTGTPAT' 3 3 'G1' 0.5 1.2 0.1 0.05 /\n2 'LVSHBL' 1 2 0.9 0.2 0.1 0.85 0.3 0.2 0.8 0.4 0.3 0.05 /\n"
)


def odd_number(text: str, seed: int) -> str:
    """A good file with one number replaced by another."""
    chance = random.Random(seed)
    places = [m.span() for m in NUMBER.finditer(text)]
    first, last = chance.choice(places)
    return text[:first] + chance.choice(VALUES) + text[last:]


@pytest.mark.parametrize("seed", range(16))
def test_one_odd_number_runs_or_is_refused(seed: int, tmp_path: Path) -> None:
    """From both files to a run of 0.1 s: power flow, start, step. Of 220 such files none crashed or took 5 s."""
    raw, dyr = raw_text(33, **small(33)), MACHINES + CONTROLS
    (tmp_path / "a.raw").write_text(odd_number(raw, seed) if seed % 2 else raw)
    (tmp_path / "a.dyr").write_text(dyr if seed % 2 else odd_number(dyr, seed))
    assert len(outcome(tmp_path)) > 20


def outcome(folder: Path) -> str:
    """The report of an import that runs, or the text of its error."""
    try:
        case, report = import_case(folder / "a.raw", folder / "a.dyr")
        simulate(compile_system(case), until_s=0.1)
    except GridaiError as error:
        return str(error)
    return str(report)
