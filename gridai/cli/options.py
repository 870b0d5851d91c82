"""Command-line options made from the fields of a study dataclass, and the options every run shares.

A field becomes the option of the same name (`pause_mw` -> `--pause-mw`). Its metadata says what `--help` shows:
`help` (meaning), `unit`, and `cli=False` for a field the command line does not offer. A tuple of numbers is
written with commas: `--at-s 1,5,9`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

import click

_PLAIN = {float: click.FLOAT, int: click.INT, str: click.STRING}
Command = Callable[..., Any]


class NumberList(click.ParamType):
    """Numbers parted by commas, as a tuple of floats."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Return the numbers of `value`; fail with the part that is none."""
        if not isinstance(value, str):
            return tuple(value)
        numbers = []
        for part in value.split(","):
            try:
                numbers.append(float(part))
            except ValueError:
                self.fail(f"'{part.strip()}' is not a number; write numbers with commas, as 1,2.5,4", param, ctx)
        return tuple(numbers)


def study_options(study: type) -> list[click.Option]:
    """One click option for each field of the study that the command line offers."""
    hints = typing.get_type_hints(study)
    return [_option(f, hints[f.name]) for f in fields(study) if offered(f, hints[f.name])]


def offered(f: Field[Any], hint: Any) -> bool:
    """Whether a field can be written on the command line: a simple type, not switched off by `cli=False`."""
    return bool(f.init and f.metadata.get("cli", True) and _param_type(hint) is not None)


def field_rows(study: type) -> list[tuple[str, str, str, str]]:
    """(name, unit, default, meaning) of each field of the study, for `gridai show`."""
    return [(f.name, str(f.metadata.get("unit", "")), _default_text(f), meaning(f)) for f in fields(study) if f.init]


def meaning(f: Field[Any]) -> str:
    """The field's help text on one line."""
    return " ".join(str(f.metadata.get("help", "")).split())


def default_of(f: Field[Any]) -> Any:
    """The field's default, or MISSING where it has none."""
    return f.default_factory() if f.default_factory is not MISSING else f.default


def _option(f: Field[Any], hint: Any) -> click.Option:
    unit = f.metadata.get("unit", "")
    text = meaning(f) + (f" [{unit}]" if unit else "")
    default = default_of(f)
    flag = "--" + f.name.replace("_", "-")
    if _bare(hint) is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}", f.name], default=bool(default), show_default=True, help=text)
    if default is MISSING:
        return click.Option([flag, f.name], type=_param_type(hint), required=True, help=text)
    shown = default not in (None, "", ()) and "default:" not in text
    if shown:
        text += f"  [default: {_default_text(f)}]"
    return click.Option([flag, f.name], type=_param_type(hint), default=default, help=text)


def _default_text(f: Field[Any]) -> str:
    default = default_of(f)
    if default is MISSING:
        return "required"
    if isinstance(default, tuple):
        return ",".join(f"{x:g}" if isinstance(x, float) else str(x) for x in default)
    return "" if default is None else f"{default:g}" if isinstance(default, float) else str(default)


def _param_type(hint: Any) -> Any:
    """The click type of an annotation, None where the command line has none for it."""
    bare = _bare(hint)
    if bare is bool:
        return click.BOOL
    if bare in _PLAIN:
        return _PLAIN[bare]
    if typing.get_origin(bare) is typing.Literal:
        return click.Choice([str(x) for x in typing.get_args(bare)])
    if typing.get_origin(bare) is tuple and set(typing.get_args(bare)) <= {float, ...}:
        return NumberList()
    return None


def _bare(hint: Any) -> Any:
    """The type without `| None`; of `float | tuple[float, ...]` the tuple, which takes one number too."""
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return hint
    kept = [t for t in typing.get_args(hint) if t is not types.NoneType]
    tuples = [t for t in kept if typing.get_origin(t) is tuple]
    return tuples[0] if tuples else kept[0] if len(kept) == 1 else object


def add(options: Sequence[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """Decorate a command with several options, in the order written."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
