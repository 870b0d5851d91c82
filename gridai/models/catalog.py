"""Finds the models: every module below `gridai/models/` that holds a `MODEL`, by file name.

Nothing is registered by hand: a new file `gridai/models/<family>/<name>.py` is a new model, and its table is
`dynamics/<name>.csv` in a case. Imports only the standard library and NumPy.
"""

from functools import cache
from importlib import import_module
from pathlib import Path

from gridai.errors import UnknownNameError, near
from gridai.kernel.contract import Model

_ROOT = Path(__file__).parent


@cache
def model_files() -> dict[str, str]:
    """Model key (lower-case file name) to module name, sorted by family and name."""
    found = {}
    for path in sorted(_ROOT.glob("*/*.py")):
        if not path.stem.startswith("_"):
            found[path.stem] = f"gridai.models.{path.parent.name}.{path.stem}"
    return found


def model(name: str) -> Model:
    """The model of this name, in any case. Raises UnknownNameError listing the near names."""
    key = name.lower()
    if key not in model_files():
        raise UnknownNameError(near(name, model_files(), "model"))
    found: Model = import_module(model_files()[key]).MODEL
    return found


def models() -> dict[str, Model]:
    """All models by key."""
    return {key: model(key) for key in model_files()}
