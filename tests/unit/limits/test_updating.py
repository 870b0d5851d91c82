"""Updating: what is rewritten, what is left alone, and that files are written all or none."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gridai.errors import CaseError
from gridai.limits import Runner, check, read_limits, update, write
from gridai.limits.checking import other_versions, staleness

HEAD = (
    'case = "."\n[[study]]\nname = "ct"\nstudy = "cct"\nreason = "a test"\nparameters = { bus = "HT", tol_s = 0.01 }\n'
)
CCT = '[[study.metric]]\nmetric = "cct"\nunit = "s"\n'
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def limits_in(case_copy: Callable[[str], Path]) -> Callable[..., Path]:
    """Write limits files into one copy of smib."""
    folder = case_copy("smib")

    def make(text: str, name: str = "new.limits.toml") -> Path:
        path = folder / name
        path.write_text(HEAD + text)
        return path

    return make


def proposed(path: Path, **settings: Any) -> dict[str, Any]:
    """The first metric or limit of the file as update proposes it."""
    data = tomllib.loads(update(read_limits(path), now=NOW, **settings).new)
    study = data["study"][0]
    return dict((study.get("metric") or study["limit"])[0])


def test_a_first_value_is_recorded_with_provenance(limits_in: Callable[..., Path]) -> None:
    path = limits_in(CCT + 'tolerance = "0.02 s"\n')
    before = path.read_text()
    found = update(read_limits(path), now=NOW)
    assert path.read_text() == before
    assert "+[provenance]" in found.diff
    assert write([found]) == [path]
    data = tomllib.loads(path.read_text())
    assert 0.09 < data["study"][0]["metric"][0]["expected"] < 0.11
    stated = data["provenance"]
    assert (stated["written"], stated["command"]) == ("2026-01-02T03:04:05Z", "gridai limits update --write")
    assert stated["versions"]["gridai"]
    assert "network/line.csv" in stated["files"]
    again = update(read_limits(path), now=NOW)
    assert (again.diff, again.changed, write([again])) == ("", (), [])
    assert check(read_limits(path)).passed


def test_only_values_that_moved_are_rewritten(limits_in: Callable[..., Path]) -> None:
    near = limits_in(CCT + 'expected = 0.1\ntolerance = "0.02 s"\n', "near.limits.toml")
    far = limits_in(CCT + 'expected = 0.2\ntolerance = "0.02 s"\n', "far.limits.toml")
    assert proposed(near)["expected"] == 0.1
    assert proposed(near, everything=True)["expected"] != 0.1
    assert proposed(far)["expected"] == proposed(near, everything=True)["expected"]


def test_a_violated_limit_is_not_laundered(limits_in: Callable[..., Path]) -> None:
    path = limits_in(CCT + 'expected = 0.2\ntolerance = "0.02 s"\nlow = 0.15\n')
    found = update(read_limits(path))
    assert proposed(path)["expected"] == 0.2
    assert "violates a limit" in found.kept[0][1]


def test_expected_failures_stay(limits_in: Callable[..., Path]) -> None:
    path = limits_in(CCT + 'expected = 0.2\ntolerance = "0.02 s"\nxfail = "known"\n')
    assert proposed(path)["expected"] == 0.2
    passes = limits_in(CCT + 'low = 0.05\nxfail = "known"\n')
    assert update(read_limits(passes)).kept[0][1] == "take xfail out of the file"


def test_nothing_is_proposed_when_a_run_fails(limits_in: Callable[..., Path]) -> None:
    path = limits_in(CCT + 'tolerance = "0.02 s"\n')
    path.write_text(path.read_text().replace('"HT"', '"HTT"'))
    with pytest.raises(CaseError, match="nothing is written: ct::cct: unknown bus 'HTT'"):
        update(read_limits(path))


def test_files_are_written_all_or_none(limits_in: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first = limits_in(CCT + 'tolerance = "0.02 s"\n', "a.limits.toml")
    second = limits_in(CCT + 'tolerance = "0.02 s"\n', "b.limits.toml")
    runner = Runner()
    updates = [update(read_limits(path), runner) for path in (first, second)]
    texts = [first.read_text(), second.read_text()]
    from gridai.limits import updating

    real = updating._write

    def fails_at_b(path: Path, text: str) -> None:
        if path == second:
            raise OSError("disk full")
        real(path, text)

    monkeypatch.setattr(updating, "_write", fails_at_b)
    with pytest.raises(OSError, match="disk full"):
        write(updates)
    assert [first.read_text(), second.read_text()] == texts
    monkeypatch.undo()
    second.write_text(texts[1] + "# another hand\n")
    with pytest.raises(CaseError, match="has changed since it was read"):
        write(updates)
    assert first.read_text() == texts[0]
    assert sorted(p.name for p in first.parent.glob("*.part")) == []


def test_a_stale_baseline_names_the_changed_file(limits_in: Callable[..., Path]) -> None:
    path = limits_in(CCT + 'tolerance = "0.02 s"\n')
    assert "no provenance" in staleness(read_limits(path))
    write([update(read_limits(path), now=NOW)])
    assert staleness(read_limits(path)) == ""
    assert other_versions(read_limits(path)) == ""
    table = path.parent / "network" / "line.csv"
    table.write_text(table.read_text() + "# a remark\n")
    said = staleness(read_limits(path))
    assert "not those of 2026-01-02T03:04:05Z" in said
    assert said.endswith(": network/line.csv")
    path.write_text(path.read_text().replace('numpy = "', 'numpy = "0.'))
    assert "numpy 0." in other_versions(read_limits(path))


def test_a_value_that_is_only_shown_follows_its_digits(limits_in: Callable[..., Path]) -> None:
    text = '[[study]]\nname = "m"\nstudy = "modes"\nreason = "r"\n[[study.limit]]\nprofile = "ercot"\n'
    text += 'criterion = "mode_damping"\nxfail = "undamped"\nunit = "%"\nexpected = EXPECTED\n'
    path = limits_in("")
    for written, new in (("2.0", 0.0), ("1e-9", 1e-9)):
        path.write_text('case = "."\n' + text.replace("EXPECTED", written))
        assert proposed(path)["expected"] == pytest.approx(new, abs=1e-9)


def test_ends_of_lines_and_permissions_stay(limits_in: Callable[..., Path]) -> None:
    path = limits_in(CCT + 'tolerance = "0.02 s"\n')
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    path.chmod(0o640)
    write([update(read_limits(path))])
    content = path.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") > 20
    assert path.stat().st_mode & 0o777 == 0o640
    assert update(read_limits(path)).diff == ""
