"""The report in a real browser: read whole, nothing asked for, printed on A4. Skipped where none is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gridai.studies import Fault

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for path in map(shutil.which, NAMES) if path), None)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr")  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from gridai.case import load_case

    report = Fault(bus="7", clear_s=1.1, until_s=5.0).run(load_case("wscc9"))
    return report.save(tmp_path_factory.mktemp("report") / "out") / "report.html"


def browse(page: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={folder / 'profile'}", *args, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_a_browser_reads_and_prints_it(saved: Path, tmp_path: Path):
    """Six pages of A4 reached for a fault on wscc9; size reached: 0.64 MB."""
    assert saved.stat().st_size < 5_000_000
    read = browse(saved, tmp_path, "--dump-dom")
    assert read.stdout.count("<section>") == 10
    assert "Refused to" not in read.stderr  # a breach of the page's own policy
    browse(saved, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'report.pdf'}")
    pdf = (tmp_path / "report.pdf").read_bytes()
    pages = re.findall(rb"/Type\s*/Page\b[^s]", pdf)
    assert 4 <= len(pages) <= 8, len(pages)
    boxes = {tuple(round(float(x)) for x in box.split()) for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", pdf)}
    assert boxes == {(0, 0, 595, 842)}
