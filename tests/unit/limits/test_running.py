"""Runs are shared, profiles judge the run that suits them, and a run that fails fails its own entries only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridai.errors import ConvergenceError
from gridai.limits import Runner, check, exit_status, find_files, read_all, read_limits
from gridai.limits.running import jobs_of
from gridai.limits.studies import CONDITIONS
from gridai.limits.workers import check_files
from gridai.studies import STUDIES
from gridai.studies.cct import Cct
from gridai.studies.modes import Modes

MODES = '[[study]]\nname = "NAME"\nstudy = "modes"\nreason = "a test"\n'
DAMPING = '[[study.metric]]\nmetric = "swing_damping"\nunit = "%"\nlow = -1\n'
ERCOT = '[[study.limit]]\nprofile = "ercot"\ncriterion = "mode_damping"\nxfail = "undamped"\n'
TWICE = ERCOT.replace("xfail", 'name = "twice"\nmargin = "1 %"\nxfail')
CCT = '[[study]]\nstudy = "cct"\nreason = "a test"\nparameters = { bus = "HT", tol_s = 0.1 }\n'

Write = Callable[..., Path]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The studies `modes` that were run."""
    done: list[Any] = []
    real = Modes.run

    def counted(self: Modes, case: Any) -> Any:
        done.append(self)
        return real(self, case)

    monkeypatch.setattr(Modes, "run", counted)
    return done


def test_studies_that_share_a_run_are_run_once(write: Write, runs: list[Any]) -> None:
    text = MODES.replace("NAME", "a") + DAMPING + ERCOT + TWICE + MODES.replace("NAME", "b") + DAMPING
    checked = check(read_limits(write(text)))
    assert [o.status for o in checked.outcomes] == ["pass", "xfail", "xfail", "pass"]
    assert len(runs) == 1
    other = MODES.replace("NAME", "c") + "parameters = { f_max_hz = 4.0 }\n" + DAMPING
    check(read_limits(write(text + other)))
    assert len(runs) == 3


def test_files_share_runs_and_cases_of_one_runner(write: Write, runs: list[Any]) -> None:
    runner = Runner()
    for name in ("a", "b"):
        assert check(read_limits(write(MODES.replace("NAME", name) + DAMPING, f"{name}.limits.toml")), runner).passed
    assert len(runs) == 1


def test_a_run_without_convergence_leaves_the_others(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(self: Cct, case: Any) -> Any:
        raise ConvergenceError(1.5, "HT", 0.1)

    monkeypatch.setattr(Cct, "run", lost)
    cct = CCT + '[[study.metric]]\nmetric = "cct"\nunit = "s"\nlow = 0\n'
    checked = check(read_limits(write(cct + MODES.replace("NAME", "a") + DAMPING)))
    assert [o.status for o in checked.outcomes] == ["error", "pass"]
    assert "lost convergence at t = 1.5 s" in checked.outcomes[0].said[0]
    assert exit_status([checked]) == 3


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (DAMPING, 0),
        (DAMPING.replace("low = -1", "low = 1"), 1),
        (DAMPING.replace("swing_damping", "swing_dampng"), 2),
        (DAMPING.replace('"%"', '"1"'), 2),
        ('[[study.metric]]\nmetric = "lowest gen/G7/speed_pu"\nunit = "pu"\nlow = 0.9\n', 2),
        ('[[study.metric]]\nmetric = "lowest gen/G1/speed_pu"\nunit = "pu"\nlow = 0.9\n', 0),
        ('[[study.metric]]\nmetric = "final bus/HT/vm_pu"\nunit = "pu"\nlow = 0.9\nhigh = 1.1\n', 0),
        ('[[study.limit]]\nprofile = "eirgrid"\nxfail = "x"\n', 2),
    ],
)
def test_exit_status(write: Write, text: str, status: int) -> None:
    if "eirgrid" in text:
        text = text.replace("eirgrid", "continental-europe")
    checked = check(read_limits(write(MODES.replace("NAME", "a") + text)))
    assert exit_status([checked]) == status, checked.outcomes[0].said


def test_a_profile_of_another_frequency_is_refused(write: Write) -> None:
    text = MODES.replace("NAME", "a") + '[[study.limit]]\nprofile = "continental-europe"\n'
    said = check(read_limits(write(text))).outcomes[0].said[0]
    assert "written for 50 Hz and the case has 60 Hz" in said


def test_a_study_whose_run_depends_on_the_profile_runs_once_for_each(write: Write) -> None:
    text = (
        '[[study]]\nstudy = "largest-loss"\nreason = "a test"\n'
        '[[study.limit]]\nprofile = "nerc-eastern"\n[[study.limit]]\nprofile = "wecc"\n'
    )  # fmt: skip
    jobs = list(jobs_of(read_limits(write(text, head='case = "ieee39"\n'))).values())
    assert [job.study.profile for job in jobs] == ["nerc-eastern", "wecc"]


RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "pause": ("ieee39", {"pause_mw": 1.0, "until_s": 2.0}),
    "oscillate": ("ieee39", {"until_s": 12.0}),
    "fault": ("smib", {"bus": "HT", "clear_s": 1.01, "until_s": 2.0}),
    "trip": ("smib", {"branch": "CCT 1", "until_s": 1.1}),
    "modes": ("smib", {}),
    "flicker": ("ieee39", {"scr": 10.0}),
    "ride-through": ("ireland", {"until_s": 2.0}),
    "recover": ("ireland", {"policies": "hand", "return_s": 2.0, "until_s": 3.0}),
    "cascade": ("ireland", {"shares": "1", "until_s": 2.0}),
}


@pytest.mark.parametrize("name", [*CONDITIONS])
def test_conditions_are_those_of_the_reports(name: str) -> None:
    import gridai as ga
    from gridai.criteria import load_profile

    case, parameters = RUNS[name]
    made = ga.load_case(case)
    kind: Any = STUDIES[name]
    if kind.needs_cluster:
        made = made.with_cluster(ga.Cluster.of("H100", count=10_000), bus="16")
    profile = {"ieee39": "wecc", "smib": "wecc", "ireland": "eirgrid"}[case] if name != "flicker" else "ieee-1453"
    report = kind(profile=profile, **parameters).run(made)
    assert report.limits == load_profile(profile, made.f_hz).of(CONDITIONS[name])


HELPING = (
    ("mitigate", 'remedies = "battery", unit = "none"', "best_speed", "mHz"),
    ("size", "range_mw = 5.0", "battery_energy", "MJ"),
    ("regulate", "hour_s = 0.0", "score_4s", "1"),
    ("respond", "delays_s = [0.1], steeper = 1.0", "gained", "mHz"),
)


def test_studies_of_help_take_limits(write: Write) -> None:
    """Each by a metric; `respond` by a profile too, judged by the run with the answer."""
    blocks = [
        f'[[study]]\nname = "{study}"\nstudy = "{study}"\nreason = "a test"\nparameters = {{ {values} }}\n'
        'cluster = { bus = "16", hardware = "H100", count = 200_000 }\n'
        f'[[study.metric]]\nmetric = "{metric}"\nunit = "{unit}"\nlow = 0\n'
        for study, values, metric, unit in HELPING
    ]
    judged = '[[study.limit]]\nprofile = "nerc-eastern"\ncriterion = "settling_frequency"\n'
    head = 'title = "a test"\ncase = "ieee39"\n'
    outcomes = check(read_limits(write("".join(blocks) + judged, head=head))).outcomes
    assert [o.status for o in outcomes] == ["pass"] * (len(HELPING) + 1), [o.said for o in outcomes]


@pytest.mark.slow
def test_two_processes_give_the_same(write: Write) -> None:
    paths = [
        write(MODES.replace("NAME", name) + DAMPING.replace("-1", low), f"{name}.limits.toml")
        for name, low in (("a", "-1"), ("b", "1"))
    ]
    files = read_all(paths)
    told = []
    for jobs in (1, 2):
        with check_files(files, jobs) as results:
            told.append([[(o.name, o.status, o.said) for o in checked.outcomes] for checked in results])
    assert told[0] == told[1]
    assert [outcome[0][1] for outcome in told[0]] == ["pass", "fail"]


def test_files_are_found_once(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from gridai.errors import CaseError

    one = write("", "a.limits.toml")
    (tmp_path / "deep").mkdir()
    two = write("", "deep/b.limits.toml")
    for hidden in (".git", "build", "venv"):
        (tmp_path / hidden).mkdir()
        write("", f"{hidden}/c.limits.toml")
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    assert find_files([tmp_path, one, tmp_path / "deep"]) == [one, two]
    monkeypatch.chdir(tmp_path)
    assert find_files([]) == [Path("a.limits.toml"), Path("deep/b.limits.toml")]
    assert [path.name for path in find_files(["smib"])] == ["smib.limits.toml"]
    with pytest.raises(CaseError, match=r"smibb: no \*.limits.toml there"):
        find_files(["smibb"])


def test_the_faults_of_all_files_come_at_once(write: Write) -> None:
    from gridai.errors import CaseError

    paths = [write('[[study]]\nstudy = "mods"\n', f"{name}.limits.toml") for name in ("a", "b")]
    with pytest.raises(CaseError, match=r"(?s)a\.limits\.toml.*b\.limits\.toml"):
        read_all(paths)
