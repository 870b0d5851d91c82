"""Reading limits files: what is taken over, and every fault named with its line, all of a file at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridai.errors import CaseError
from gridai.limits import read_limits
from gridai.limits.amounts import AmountError, amount
from gridai.limits.checking import changed
from gridai.limits.records import Amount
from gridai.results.hashes import case_files, case_hash

HEAD = 'title = "one machine"\ncase = "smib"\n'
STUDY = '[[study]]\nstudy = "modes"\nreason = "a test"\n'
METRIC = '[[study.metric]]\nmetric = "swing_damping"\nunit = "%"\n'
LIMIT = "[[study.limit]]\n"
PAUSE = '[[study]]\nstudy = "pause"\nreason = "a test"\ncluster = { bus = "16" }\n'


def faults(tmp_path: Path, text: str, head: str = HEAD) -> str:
    """What is said of a faulty file."""
    path = tmp_path / "bad.limits.toml"
    path.write_text(head + text, encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        read_limits(path)
    return str(caught.value)


def test_a_file_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "all.limits.toml"
    path.write_text(
        HEAD.replace("smib", "ieee39")
        + """[[study]]
name = "pause-16"
study = "pause"
reason = "of the study"
cluster = { bus = "16", hardware = "B200", count = 1000, pue = 1.1, balance = "slack" }
parameters = { pause_mw = 1, at_s = 2 }
[[study.limit]]
profile = "nerc-eastern"
criterion = "frequency_nadir"
margin = "0.3 Hz"
[[study.metric]]
metric = "nadir"
unit = "Hz"
expected = 59.9
tolerance = "0.1 % of value"
element = "COI"
t_s = 3.5
t_tolerance = "0.2 s"
low = 59.5
xfail = "not built yet"
reason = "its own"
"""
    )
    limits = read_limits(path)
    block = limits.blocks[0]
    limit, metric = block.entries
    assert (limits.case.name, block.name, block.run, block.study.pause_mw, block.study.at_s) == (
        "ieee39", "pause-16", "pause", 1, 2,
    )  # fmt: skip
    assert block.cluster == {"bus": "16", "hardware": "B200", "count": 1000, "pue": 1.1, "balance": "slack"}
    assert (limit.name, limit.margin, limit.reason) == (
        "nerc-eastern/frequency_nadir", Amount(0.3, "Hz"), "of the study",
    )  # fmt: skip
    assert (metric.tolerance, metric.t_tolerance_s, metric.reason, metric.line) == (
        Amount(0.001, "", True), 0.2, "its own", 13,
    )  # fmt: skip
    assert metric.tolerance is not None
    assert metric.tolerance.of(metric.expected or 0.0) == pytest.approx(0.0599)


def test_the_case_counts_from_the_files_folder(tmp_path: Path, case_copy: object) -> None:
    folder = Path(case_copy("smib"))  # type: ignore[operator]
    path = folder / "own.limits.toml"
    path.write_text('case = "."\n' + STUDY + METRIC + 'tolerance = "0.1 %"\n')
    assert read_limits(path).case == folder.resolve()
    above = folder.parent / "above.limits.toml"
    above.write_text('case = "./smib"\n' + STUDY + METRIC + 'tolerance = "0.1 %"\n')
    assert read_limits(above).case == folder.resolve()


BAD = {
    "no study": ("", "add [[study]]"),
    "unknown study": ('[[study]]\nstudy = "mods"\n' + METRIC + "low = 1\n", "did you mean 'modes'"),
    "unknown parameter": (STUDY + "parameters = { f_mx_hz = 3 }\n" + METRIC + "low = 1\n", "did you mean 'f_max_hz'"),
    "parameter out of range": (STUDY + "parameters = { most = 0 }\n" + METRIC + "low = 1\n", "most = 0"),
    "parameter of another type": (STUDY + 'parameters = { most = "a" }\n' + METRIC + "low = 1\n", "whole number"),
    "required parameter": ('[[study]]\nstudy = "cct"\nreason="x"\n' + METRIC + "low = 1\n", "missing 1 required"),
    "study without a case": ('[[study]]\nstudy = "fit"\nreason="x"\n' + METRIC + "low = 1\n", "takes no case"),
    "nothing judged": (STUDY, "judges nothing"),
    "unknown key": (STUDY + METRIC + 'low = 1\ntolerence = "1 %"\n', "did you mean 'tolerance'"),
    "unknown profile": (STUDY + LIMIT + 'profile = "ercto"\n', "did you mean 'ercot'"),
    "unknown criterion": (
        STUDY + LIMIT + 'profile = "ercot"\ncriterion = "mode_dampin"\n', "did you mean 'mode_damping'",
    ),
    "criterion of another condition": (
        STUDY + LIMIT + 'profile = "ercot"\ncriterion = "frequency_nadir"\n', "study modes judges mode_damping",
    ),
    "no unit": (STUDY + '[[study.metric]]\nmetric = "swing_damping"\nexpected = 1.0\ntolerance = "1 %"\n',
                "unit: is missing: expected needs one"),
    "tolerance without unit": (STUDY + METRIC + "expected = 1.0\ntolerance = 0.1\n", "the unit is missing"),
    "tolerance as text without unit": (STUDY + METRIC + 'expected = 1.0\ntolerance = "0.1"\n', "the unit is missing"),
    "tolerance in another unit": (STUDY + METRIC + 'expected = 1.0\ntolerance = "1 Hz"\n', "the figure is in %"),
    "percent of a figure in Hz": (
        STUDY + '[[study.metric]]\nmetric = "x"\nunit = "Hz"\nexpected = 1.0\ntolerance = "1 %"\n',
        'is written "1 % of value"',
    ),
    "share of zero": (STUDY + METRIC + 'expected = 0.0\ntolerance = "1 % of value"\n', "a share of 0 is 0"),
    "no tolerance": (STUDY + METRIC + "expected = 1.0\n", "say how far the value may move"),
    "nothing asked of a metric": (STUDY + METRIC, "give tolerance"),
    "no reason": ('[[study]]\nstudy = "modes"\n' + METRIC + "low = 1\n", "say why the number matters"),
    "empty xfail": (STUDY + METRIC + 'low = 1\nxfail = ""\n', "say why the limit fails"),
    "margin without limit": (
        STUDY + METRIC + 'expected = 1.0\ntolerance = "1 %"\nmargin = "1 %"\n', "give low or high",
    ),
    "relative margin": (STUDY + METRIC + 'low = 1.0\nmargin = "1 % of value"\n', "in the unit of the figure"),
    "NaN": (STUDY + METRIC + 'expected = nan\ntolerance = "1 %"\n', "finite number"),
    "word of a series": (
        STUDY + '[[study.metric]]\nmetric = "lowst bus/1/vm_pu"\nunit = "pu"\nlow = 1\n', "did you mean 'lowest'",
    ),
    "low above high": (STUDY + METRIC + "low = 3\nhigh = 2\n", "conflicting limits: nothing lies above 3"),
    "margins that overlap": (
        STUDY + METRIC + 'low = 1\nhigh = 2\nmargin = "0.6 %"\n', "conflicting limits: with a margin",
    ),
    "expected beyond its limit": (
        STUDY + METRIC + 'expected = 1.0\ntolerance = "0.1 %"\nlow = 2\n', "the expected value lies below low = 2",
    ),
    "the same figure twice": (STUDY + METRIC + "low = 1\n" + METRIC + "high = 2\n", "is limited already in row 6"),
    "two that exclude each other": (
        STUDY + METRIC + "low = 5\n" + STUDY.replace("study =", 'name = "b"\nstudy =') + METRIC + "high = 4\n",
        "conflicting limits: at most 4 % here and at least 5 % in row 6",
    ),
    "two studies of one name": (2 * (STUDY + METRIC + "low = 1\n"), "is the name of two studies"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_faults_are_named(tmp_path: Path, what: str) -> None:
    text, said = BAD[what]
    assert said in faults(tmp_path, text)


def test_faults_of_the_head(tmp_path: Path) -> None:
    assert "did you mean 'ieee39'" in faults(tmp_path, STUDY + METRIC + "low = 1\n", 'case = "iee39"\n')
    assert "name the case" in faults(tmp_path, STUDY + METRIC + "low = 1\n", "")
    assert "not a TOML file" in faults(tmp_path, "case = \n", "")
    assert "did you mean 'title'" in faults(tmp_path, STUDY + METRIC + "low = 1\n", HEAD.replace("title", "titel"))


def test_faults_of_the_cluster(tmp_path: Path) -> None:
    head = 'case = "ieee39"\n'
    entry = '[[study.metric]]\nmetric = "nadir"\nunit = "Hz"\nlow = 59\n'
    assert "did you mean 'H100', 'H200'" in faults(
        tmp_path, PAUSE.replace('"16"', '"16", hardware = "H10"') + entry, head
    )
    assert "count" in faults(tmp_path, PAUSE.replace('"16"', '"16", count = -5') + entry, head)
    assert "did you mean 'headroom'" in faults(
        tmp_path, PAUSE.replace('"16"', '"16", balance = "headrom"') + entry, head
    )
    assert "study pause needs one" in faults(tmp_path, PAUSE.replace('cluster = { bus = "16" }\n', "") + entry, head)


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    text = (
        STUDY.replace("modes", "mods") + METRIC + "low = 1\n" + STUDY + METRIC + "expected = 1.0\ntolerance = 0.1\n"
        "colour = 1\n" + LIMIT + 'profile = "ercto"\n'
    )  # fmt: skip
    said = faults(tmp_path, text)
    assert "4 faults" in said
    for part in ("row 3: study", "row 13: colour", "row 13: tolerance = 0.1", "row 19: profile", "'modes'", "'ercot'"):
        assert part in said


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("0.002 Hz", "Hz", Amount(0.002, "Hz")),
        ("2e-3 Hz", "Hz", Amount(0.002, "Hz")),
        ("1 % of value", "Hz", Amount(0.01, "", True)),
        ("0.5 %", "%", Amount(0.5, "%")),
        ("0.01", "1", Amount(0.01, "1")),
        ("1 MW/0.1 Hz", "MW/0.1 Hz", Amount(1.0, "MW/0.1 Hz")),
    ],
)
def test_amounts(text: str, unit: str, expected: Amount) -> None:
    assert amount(text, unit) == expected


@pytest.mark.parametrize("text", ["", "Hz", "-1 Hz", "1e999 Hz", True, None, 3])
def test_no_amounts(text: object) -> None:
    with pytest.raises(AmountError):
        amount(text, "Hz")


def test_the_hash_of_a_case_counts_data_only(tmp_path: Path, case_copy: object) -> None:
    folder = Path(case_copy("smib"))  # type: ignore[operator]
    before = case_files(folder)
    (folder / "README.md").write_text("other words")
    (folder / "smib.limits.toml").write_text("")
    bus = folder / "network" / "bus.csv"
    bus.write_bytes(bus.read_bytes().replace(b"\n", b"\r\n"))
    assert case_files(folder) == before
    bus.write_bytes(bus.read_bytes().replace(b"400", b"380"))
    (folder / "network" / "line.csv").unlink()
    (folder / "network" / "shunt.csv").write_text("name\n")
    (folder / "clusters").mkdir()
    (folder / "clusters" / "hall.toml").write_text("")
    after = case_files(folder)
    assert case_hash(after) != case_hash(before)
    assert changed(before, after) == [
        "clusters/hall.toml (new)", "network/bus.csv", "network/line.csv (gone)", "network/shunt.csv (new)",
    ]  # fmt: skip


def test_files_count_from_the_limits_file_and_belong_to_its_data(tmp_path: Path) -> None:
    import gridai as ga
    from gridai.cluster import save_cluster
    from gridai.limits.checking import data_files

    save_cluster(ga.Cluster.of("H100", count=1000), tmp_path / "hall.toml")
    (tmp_path / "own.toml").write_text(
        'title = "own"\nf_hz = 60.0\n[[limit]]\ncriterion = "frequency_nadir"\nlow = 59.0\nunit = "Hz"\nclause = "1"\n'
        'source = "this test"\nconfidence = "V"\n'
    )
    entry = '[[study.limit]]\nprofile = "own.toml"\ncriterion = "frequency_nadir"\n'
    head = 'case = "ieee39"\n'
    path = tmp_path / "one.limits.toml"
    path.write_text(head + PAUSE.replace('bus = "16"', 'bus = "16", file = "hall.toml"') + entry)
    limits = read_limits(path)
    assert limits.blocks[0].inputs == (tmp_path / "hall.toml", tmp_path / "own.toml")
    before = data_files(limits)
    (tmp_path / "hall.toml").write_text((tmp_path / "hall.toml").read_text() + "# larger\n")
    assert changed(before, data_files(limits)) == ["input hall.toml"]
    both = PAUSE.replace('bus = "16"', 'bus = "16", file = "hall.toml", count = 5')
    assert "leave out hardware, count" in faults(tmp_path, both + entry, head)
    assert "No such file" in faults(tmp_path, PAUSE.replace('"16"', '"16", file = "hal.toml"') + entry, head)
