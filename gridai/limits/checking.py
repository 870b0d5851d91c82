"""Check limits files: run what they ask for, judge every entry, say what is stale."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridai.errors import CaseError
from gridai.limits.judge import Outcome, judge
from gridai.limits.read import read_limits
from gridai.limits.records import SUFFIX, LimitsFile
from gridai.limits.running import Runner, jobs_of
from gridai.results.hashes import SHORT, case_files, case_hash

SKIPPED = ("__pycache__", "node_modules", "build", "dist")
"""Folders that a search does not enter, besides hidden ones and virtual environments."""


@dataclass(frozen=True)
class Checked:
    """One file, checked.

    outcomes  in the order of the file.
    stale     what of the case has changed since the values were written; empty for nothing.
    """

    limits: LimitsFile
    outcomes: tuple[Outcome, ...]
    stale: str

    @property
    def passed(self) -> bool:
        """Whether every limit passes, or fails as expected."""
        return all(outcome.good for outcome in self.outcomes)


def check(limits: LimitsFile, runner: Runner | None = None) -> Checked:
    """Run the studies of a file, each distinct run once, and judge every entry.

    A run that fails (no convergence, an unknown bus) makes its entries "error" and leaves the others alone.
    """
    own, jobs = runner or Runner(), jobs_of(limits)
    outcomes = tuple(judge(b, e, own.find(jobs[b.name, e.name])) for b, e in limits.entries)
    return Checked(limits, outcomes, staleness(limits))


def exit_status(checked: Sequence[Checked]) -> int:
    """0 all pass, 1 a limit is violated or moved, 3 a run did not converge, 2 bad input; the gravest counts."""
    found = {outcome.exit_status for one in checked for outcome in one.outcomes}
    return next((status for status in (2, 3, 1) if status in found), 0)


def staleness(limits: LimitsFile) -> str:
    """What of the case has changed since the values were written, file by file. Empty for nothing."""
    old = limits.provenance
    if old is None:
        return "no provenance: gridai limits update --write notes the case's hash, so that changed data can be told"
    files = data_files(limits)
    if case_hash(files) == old.case_hash:
        return ""
    names = ", ".join(changed(old.files, files)) or "not known which file"
    return f"stale baseline: the case's data are not those of {old.written}, when the values were written: {names}"


def data_files(limits: LimitsFile) -> dict[str, str]:
    """Short hash of each file that the values depend on: the case's, and what its studies read besides."""
    files = case_files(limits.case)
    for block in limits.blocks:
        for path in block.inputs:
            content = path.read_bytes().replace(b"\r\n", b"\n")
            beside = path.is_relative_to(limits.path.parent)
            name = path.relative_to(limits.path.parent).as_posix() if beside else path.name
            files[f"input {name}"] = hashlib.sha256(content).hexdigest()[:SHORT]
    return files


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Names of the files that differ by their hashes, each with (new) or (gone) where it is that."""
    found = []
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            found.append(name + (" (new)" if name not in old else " (gone)" if name not in new else ""))
    return found


def other_versions(limits: LimitsFile) -> str:
    """Which versions differ from those that the values were written with. Empty for none."""
    from gridai.studies.provenance import versions

    old = limits.provenance.versions if limits.provenance else {}
    found = [f"{name} {old[name]} -> {now}" for name, now in versions().items() if old.get(name, now) != now]
    return f"other versions: {', '.join(found)}" if found else ""


def find_files(paths: Sequence[str | Path], bundled: bool = False) -> list[Path]:
    """The limits files that paths mean: a file, a folder (searched), or a bundled case's name; each once.

    Raises CaseError for a path without any, and where nothing is found at all.
    """
    from gridai.casefile import bundled_cases

    files: list[Path] = []
    cases = bundled_cases()
    asked: list[str | Path] = [*paths, *(sorted(cases.values()) if bundled else ())]
    for path in asked or ["."]:
        place = Path(path).expanduser()
        if not place.exists() and str(path) in cases:
            place = cases[str(path)]
        found = sorted(_walk(place)) if place.is_dir() else [place] if place.name.endswith(SUFFIX) else []
        if not found or not place.exists():
            raise CaseError(f"{path}: no *{SUFFIX} there; begin one with: gridai limits new --case NAME")
        files += [file for file in found if file.resolve() not in {f.resolve() for f in files}]
    return files


def _walk(folder: Path) -> Iterator[Path]:
    """Limits files below a folder, without hidden folders, caches and virtual environments."""
    for root, folders, names in os.walk(folder):
        folders[:] = [f for f in sorted(folders) if not _skipped(Path(root) / f)]
        yield from (Path(root) / name for name in names if name.endswith(SUFFIX))


def _skipped(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in SKIPPED or (folder / "pyvenv.cfg").is_file()


def read_all(paths: Sequence[Path]) -> list[LimitsFile]:
    """Read files; the faults of all of them come in one CaseError."""
    read, faults = [], []
    for path in paths:
        try:
            read.append(read_limits(path))
        except CaseError as error:
            faults.append(str(error))
    if faults:
        raise CaseError("\n".join(faults))
    return read
