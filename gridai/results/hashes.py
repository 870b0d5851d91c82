"""What a case's data are, as one hash and one for each file, so that a report names what it was computed from.

Counted are case.toml, clusters/*.toml and every .csv below the folder; text with CR LF counts as with LF, so a
checkout on Windows has the same hash. READMEs, pictures and limits files do not count: they change no result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

SHORT = 12
"""Hexadecimal digits kept of each file's hash."""


def case_files(folder: Path) -> dict[str, str]:
    """Path within the case (with /) to the first digits of its SHA-256, sorted; empty without such files."""
    files = [folder / "case.toml", *(folder / "clusters").glob("*.toml"), *folder.rglob("*.csv")]
    names = {file.relative_to(folder).as_posix(): file for file in files if file.is_file()}
    return {name: _digest(names[name].read_bytes())[:SHORT] for name in sorted(names)}


def case_hash(files: Mapping[str, str]) -> str:
    """One hash of all files: "sha256:" and 64 digits."""
    return "sha256:" + _digest("\n".join(f"{name} {files[name]}" for name in sorted(files)).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
