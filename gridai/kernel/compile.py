"""From marked Python functions to machine code, kept on disk under a name made of their content.

`jitted` compiles a kernel and whatever marked functions it calls. `entry_address` gives the address of one
compiled function per model, which runs one operation over all units of that model; all entries share one
C signature, so the engine's loop is compiled once and a new model is one new file.

numba's own cache looks at the time stamp of a single file. Here a small module is written to the cache folder
under a hash of every source file involved, and numba caches beside it: an edited kernel is a new name.
The folder: GRIDAI_CACHE_DIR, else NUMBA_CACHE_DIR, else the user's cache folder, else a temporary one.
"""

import hashlib
import importlib.util
import os
import sys
import tempfile
import types as pytypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gridai.kernel.contract import LATE_ROLES, Model, argument_names, records_of

OP_OUTPUTS, OP_DERIVATIVES, OP_EVALUATE, OP_CURRENT, OP_CLAMP, OP_TRACK, OP_GUARDS, OP_UPDATE = range(8)

_JITTED: dict[int, Any] = {}
_BY_NAME: dict[str, Any] = {}


def called_kernels(function: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """The marked functions that a function calls by a global name."""
    names: set[str] = set()
    todo = [function.__code__]
    while todo:
        code = todo.pop()
        names.update(code.co_names)
        todo.extend(c for c in code.co_consts if isinstance(c, pytypes.CodeType))
    space = function.__globals__
    return {n: space[n] for n in names if getattr(space.get(n), "__gridai_kernel__", False)}


def jitted(function: Callable[..., Any]) -> Any:
    """The numba dispatcher of a marked function, to be called from compiled code; its callees are compiled with it."""
    import numba

    found = _JITTED.get(id(function))
    if found is None:
        space = dict(function.__globals__)
        space.update({n: jitted(f) for n, f in called_kernels(function).items()})
        plain = pytypes.FunctionType(
            function.__code__,
            space,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        # kernels allocate nothing: without reference counting a step is five times faster
        options: dict[str, Any] = {"error_model": "numpy", "_nrt": False, "forceinline": not in_engine(function)}
        options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # a third of the time that compiling takes
        if in_engine(function):
            # sums of products may keep the product exact; not so in models, where a a - b b must be 0 for a = b
            options["fastmath"] = {"contract"}
        found = numba.njit(**options)(plain)
        _JITTED[id(function)] = found
    return found


def in_engine(function: Callable[..., Any]) -> bool:
    """True for the engine's functions: large, called from many places; those of models end in one place each."""
    return function.__module__.startswith("gridai.engine.")


def source_files(functions: list[Callable[..., Any]]) -> list[Path]:
    """The files that hold the functions, what they call, and this one, sorted."""
    seen: set[int] = set()
    files = {Path(__file__), Path(__file__).with_name("contract.py")}
    todo = list(functions)
    while todo:
        f = todo.pop()
        if id(f) not in seen:
            seen.add(id(f))
            files.add(Path(f.__code__.co_filename))
            todo.extend(called_kernels(f).values())
    return sorted(files)


@cache
def cache_folder() -> Path:
    """The first writable folder of those that the module's docstring lists."""
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for root in (os.environ.get("GRIDAI_CACHE_DIR"), os.environ.get("NUMBA_CACHE_DIR"), user):
        if root and _writable(Path(root) / "gridai"):
            return Path(root) / "gridai"
    return Path(tempfile.mkdtemp(prefix="gridai-"))


def _writable(folder: Path) -> bool:
    """True if the folder can be made and written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _digest(functions: list[Callable[..., Any]], text: str) -> str:
    h = hashlib.sha256(text.encode())
    h.update(sys.version.encode())
    for f in source_files(functions):
        h.update(f.read_bytes())
    return h.hexdigest()[:16]


def load_generated(name: str, text: str, functions: dict[str, Callable[..., Any]], values: dict[str, Any]) -> Any:
    """Write `text` to the cache folder if it is new, and import it with the jitted functions and values.

    The module finds them through `take(key)`. Files are written whole: a temporary name, then renamed.
    """
    module_name = f"gridai_{name.lower()}_{_digest(list(functions.values()), text)}"
    path = cache_folder() / f"{module_name}.py"
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w") as f:
            f.write(text)
        os.replace(temporary, path)
    _BY_NAME.update({f"{name}.{k}": jitted(f) for k, f in functions.items()})
    _BY_NAME.update({f"{name}.{k}": v for k, v in values.items()})
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def take(key: str) -> Any:
    """What `load_generated` was given under this key."""
    return _BY_NAME[key]


_ENTRY = '''"""Generated by gridai.kernel.compile for {name}; safe to delete."""

from numba import carray, cfunc

from gridai.kernel.compile import take
from gridai.kernel.local import local, put

SIGNATURE = take("{name}.signature")
{imports}


@cfunc(SIGNATURE, cache=True)
def entry(op, n, p_, x_, z_, u_, y_, d_, g_, bus_, v_, w_, a_, t):
    p, x, z, u = carray(p_, n), carray(x_, n), carray(z_, n), carray(u_, n)
    y, d, g, bus = carray(y_, n), carray(d_, n), carray(g_, n), carray(bus_, n)
    a = carray(a_, n)
{body}
'''

_FOR = "        for k in range(n):\n"


def _call(model: Model, name: str, local: str = "") -> str:
    """The text of a call of a kernel for unit k; the records named in `local` are copies on the stack."""
    text = {"t": "t", "v": "v_[bus[k]]"} | {a: f"{a}k" for a in local}
    return f"{name}({', '.join(text.get(a, f'{a}[k]') for a in argument_names(model.kernels[name]))})"


def _run(model: Model, names: tuple[str, ...]) -> str:
    """The text that runs kernels on copies of y and d and puts these back; zeros for a unit out of service."""
    names = tuple(n for n in names if n in model.kernels)
    zeros = {"outputs": ("y", [o.name for o in model.outputs]), "derivatives": ("d", [s.name for s in model.states])}
    written = [zeros[n] for n in names if zeros[n][1]]
    held = sorted({a for n in names for a in argument_names(model.kernels[n]) if a in "yd"})
    lines = [f"{a}k = local({a}[k])" for a in held]
    lines += [_call(model, n, "".join(held)) for n in names]
    lines += [f"put({a}[k], {a}k)" for a in held]
    off = [f"{a}[k].{field} = 0.0" for a, fields in written for field in fields]
    if not lines:
        return ""
    text = "            if z[k].on != 0.0:\n" + "".join(f"                {line}\n" for line in lines)
    return text + ("            else:\n" + "".join(f"                {line}\n" for line in off) if off else "")


def _entry_body(model: Model) -> str:
    """The branches of an entry, one for each operation that the engine asks of the model's role."""
    has = model.kernels
    if model.role in LATE_ROLES:
        parts = {OP_OUTPUTS: _run(model, ("outputs",)), OP_DERIVATIVES: _run(model, ("derivatives",))}
    else:
        parts = {OP_EVALUATE: _run(model, ("outputs", "derivatives"))}
    if "current" in has:
        parts[OP_CURRENT] = (
            "            if z[k].on != 0.0:\n"
            f"                w_[bus[k]] += {_call(model, 'current')} * (z[k].on * p[k].mva / p[k].s_base_mva)\n"
        )
    for op, name in ((OP_CLAMP, "clamp"), (OP_TRACK, "track"), (OP_GUARDS, "guards")):
        if name in has:
            parts[op] = f"            if z[k].on != 0.0:\n                {_call(model, name)}\n"
    if "guards" in has:
        lost = "".join(f"                g[k].{name} = -1.0\n" for name in model.guards)
        parts[OP_GUARDS] += f"            else:\n{lost}"
        any_fired = " or ".join(f"g[k].{name} > 0.0" for name in model.guards)
        update = f"                a[k] = {_call(model, 'update')}\n"
        parts[OP_UPDATE] = f"            a[k] = 0.0\n            if {any_fired}:\n{update}"
    return "".join(f"    if op == {op}:\n{_FOR}{text}" for op, text in parts.items() if text) or "    a[0] = 0.0\n"


def entry_signature(model: Model) -> Any:
    """The numba signature of a model's entry: pointers to its records."""
    from numba import from_dtype, types

    r = {k: types.CPointer(from_dtype(v)) for k, v in records_of(model).items()}
    i8, c16 = types.int64, types.CPointer(types.complex128)
    pointers = (r["p"], r["x"], r["z"], r["u"], r["y"], r["d"], r["g"], types.CPointer(i8), c16, c16)
    return types.void(i8, i8, *pointers, types.CPointer(types.float64), types.float64)


@cache
def _entry(model_name: str, key: int) -> Any:
    model: Model = _BY_NAME[f"model.{key}"]
    imports = "\n".join(f'{name} = take("{model.name}.{name}")' for name in model.kernels)
    text = _ENTRY.format(name=model.name, imports=imports, body=_entry_body(model))
    values = {"signature": entry_signature(model)}
    return load_generated(model.name, text, dict(model.kernels), values).entry


def entry_address(model: Model) -> int:
    """The address of the model's compiled entry; compiles it, or loads it from disk."""
    _BY_NAME[f"model.{id(model)}"] = model
    return int(_entry(model.name, id(model)).address)


def record_view(flat: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """A view of a slice of a flat float array as records."""
    return flat.view(dtype)
