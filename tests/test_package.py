"""The package as a whole: what a wheel holds, that importing it is light, that the public names resolve."""

from __future__ import annotations

import configparser
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HEAVY = ("pandapower", "numba", "matplotlib", "pandas", "scipy", "networkx")


def loaded_by(code: str, env: dict[str, str]) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running `code`."""
    script = f"import sys\n{code}\nsys.stderr.write('\\n'.join(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    return set(done.stderr.split())


def test_every_folder_of_modules_is_a_package(checkout: Path) -> None:
    """setuptools finds packages by their __init__.py: a folder without one would be missing from a wheel."""
    folders = {path.parent for path in (checkout / "gridai").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_module_has_a_place_in_the_layers(checkout: Path) -> None:
    parser = configparser.ConfigParser()
    parser.read(checkout / "setup.cfg")
    contract = parser["importlinter:contract:layers"]
    layers = set(contract["layers"].replace("(", " ").replace(")", " ").replace("|", " ").split())
    ignored = set(contract["exhaustive_ignores"].split())
    modules = {p.stem for p in (checkout / "gridai").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert modules - {"__init__"} <= layers | ignored


def test_importing_gridai_is_light(child_env: dict[str, str]) -> None:
    assert loaded_by("import gridai", child_env).isdisjoint({*HEAVY, "numpy", "click", "rich"})


def test_public_names_resolve() -> None:
    import gridai

    for name in gridai.__all__:
        assert getattr(gridai, name) is not None
    assert set(gridai.__all__) <= set(dir(gridai))


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import gridai

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gridai.nothing


def test_version_is_that_of_the_metadata() -> None:
    from importlib.metadata import PackageNotFoundError, version

    import gridai

    try:
        installed = version("gridai")
    except PackageNotFoundError:
        pytest.skip("gridai is run from a checkout without being installed")
    assert installed == gridai.__version__


def test_warnings_are_errors(checkout: Path) -> None:
    settings = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert settings["filterwarnings"][0] == "error"


def test_an_installed_wheel_holds_every_file(checkout: Path) -> None:
    """.ci/run installs the wheel, so this compares it with the checkout; an editable install uses the checkout."""
    import gridai

    installed = Path(gridai.__file__).parent
    if installed == checkout / "gridai":
        pytest.skip("gridai is installed in editable mode: there is no wheel to compare with the checkout")
    for source, inside in ((checkout / "cases", installed / "_cases"), (checkout / "gridai", installed)):
        for file in source.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert (inside / file.relative_to(source)).is_file(), f"{file} is missing from the wheel"
