"""`gridai show`: what is known about one case, model, study, criteria profile, hardware row or workload."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from gridai.cli import catalogue, options, printing
from gridai.errors import AmbiguousNameError, UnknownNameError, near

README_LINES = 40


@click.command("show")
@click.argument("words", nargs=-1, required=True, metavar="[KIND] NAME")
def command(words: tuple[str, ...]) -> None:
    """Show one case, model, study, criteria profile, hardware row or workload.

    \b
    gridai show ieee39            a case: its README, sizes, source
    gridai show genrou            a model: parameters with unit and default, source
    gridai show pause             a study: its parameters
    gridai show Training          a workload: its course and its parameters
    gridai show hardware H100     with the kind, where a name means several things
    """
    if len(words) > 2:
        raise click.UsageError("give one NAME, or a KIND and a NAME; quote a name that holds spaces")
    kind = singular(words[0]) if len(words) == 2 else None
    for one, name in find(words[-1], kind):
        SHOWS[one](name)


def singular(word: str) -> str:
    """The kind a word means: 'cases' and 'case' are the same."""
    for kind in SHOWS:
        if word.lower() in (kind, kind + "s"):
            return kind
    raise UnknownNameError(near(word, SHOWS, "kind"))


def find(name: str, kind: str | None = None) -> list[tuple[str, str]]:
    """The (kind, name) a word means. A path is a case folder; case of letters does not matter."""
    kinds = [kind] if kind else list(SHOWS)
    if "case" in kinds and (Path(name) / "case.toml").is_file():
        return [("case", name)]
    names = {one: NAMES[one]() for one in kinds}
    hits = [(one, known) for one in kinds for known in names[one] if known.lower() == name.lower()]
    if len(hits) > 1:
        ways = ", ".join(f"'gridai show {one} {known}'" for one, known in hits)
        raise AmbiguousNameError(f"'{name}' means {len(hits)} things; write {ways}")
    if not hits:
        raise UnknownNameError(near(name, [known for one in kinds for known in names[one]], kind or "name"))
    return hits


def show_case(name: str) -> None:
    """Title, sizes, source and the head of the README."""
    folder = catalogue.case_folder(name)
    header = catalogue.case_header(folder)
    about = header["case"]
    click.echo(f"{about['name']}: {about['title']}\n")
    if about.get("description"):
        printing.paragraph(about["description"])
        click.echo()
    facts = [("frequency", f"{about['f_hz']:g} Hz"), ("base", f"{about['s_base_mva']:g} MVA"), ("folder", folder)]
    printing.table("", ("", ""), [*facts, *_rows(header.get("defaults", {}))])
    for part in ("network", "dynamics"):
        printing.table(part, ("table", "rows"), list(catalogue.table_sizes(folder / part).items()))
    for part, ending in (("clusters", "toml"), ("profiles", "csv")):
        if rows := catalogue.first_comments(folder / part, ending):
            printing.table(part, ("name", "what it is"), rows)
    printing.table("source", ("", ""), [(key, value) for key, value in header.get("source", {}).items() if value])
    _readme(folder / "README.md")


def _rows(defaults: Mapping[str, Any]) -> list[tuple[str, object]]:
    """The defaults of a case in order; a list as a row for each of its entries."""
    rows: list[tuple[str, object]] = []
    for key, value in sorted(defaults.items()):
        for k, one in enumerate(value if isinstance(value, list) else [value]):
            rows.append(("" if k else key, one))
    return rows


def _readme(path: Path) -> None:
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    click.echo("\n" + "\n".join(lines[:README_LINES]))
    if len(lines) > README_LINES:
        click.echo(f"... {len(lines) - README_LINES} more lines in {path}")


def show_model(name: str) -> None:
    """Parameters, states, inputs, outputs, source and known deviations of a dynamic model."""
    model = catalogue.models()[name]
    click.echo(f"{model.name} ({model.role}): {model.title}\n")
    params = [(p.name, p.unit, _default(p), p.meaning) for p in model.params]
    printing.table("parameters", ("name", "unit", "default", "meaning"), params)
    printing.table("states", ("name", "unit", "meaning"), [(s.name, s.unit, s.meaning) for s in model.states])
    printing.table("inputs", ("name", "unit", "from", "meaning"), [_input(i) for i in model.inputs])
    printing.table("outputs", ("name", "unit", "meaning"), [(o.name, o.unit, o.meaning) for o in model.outputs])
    click.echo()
    printing.paragraph(f"Source: {model.source}")
    for deviation in model.deviations:
        printing.paragraph(f"Differs: {deviation}")


def _default(param: Any) -> str:
    if param.solved:
        return "solved"
    return "required" if param.default is None else f"{param.default:g}"


def _input(signal: Any) -> tuple[str, str, str, str]:
    return signal.name, signal.unit, signal.source, signal.meaning


def show_study(name: str) -> None:
    """What a study does and its parameters."""
    from gridai.studies import ALONE

    study = catalogue.studies()[name]
    click.echo(f"{name}: gridai.studies.{study.__name__}\n\n{inspect.cleandoc(study.__doc__ or '')}\n")
    printing.table("parameters", ("name", "unit", "default", "meaning"), options.field_rows(study))
    needed = "".join(f" --{f} ..." for f, _, default, _ in options.field_rows(study) if default == "required")
    case = "" if name in ALONE else " --case ieee39"
    click.echo(f"\nRun it: gridai run {name}{case}{needed} --out out/{name} (all: gridai run {name} --help)")


def show_criteria(name: str) -> None:
    """The limits of a profile with clause, source and confidence."""
    from gridai.criteria import CONFIDENCE

    profile = catalogue.profiles()[name]
    frequency = f"{profile.f_hz:g} Hz" if profile.f_hz else "any frequency"
    click.echo(f"{profile.name}: {profile.title}, {frequency}\n")
    if profile.description:
        printing.paragraph(profile.description)
    for limit in profile.limits:
        sides = [f"{word} {x:g}" for word, x in (("at least", limit.low), ("at most", limit.high)) if x is not None]
        mark = "" if limit.verified else ", unverified"
        settings = "".join(f", {key} {value}" for key, value in limit.settings.items())
        bounds = f"{' and '.join(sides) or 'in'} {limit.unit}{settings}"
        click.echo(f"\n{limit.criterion}: {bounds} ({limit.condition} condition{mark})")
        for label, text in (("clause", limit.clause), ("edition", limit.edition), ("source", limit.source)):
            if text:
                printing.paragraph(f"  {label}: {text}")
        printing.paragraph(f"  confidence: {limit.confidence}, {CONFIDENCE[limit.confidence]}")
        if limit.note:
            printing.paragraph(f"  note: {limit.note}")


def show_hardware(name: str) -> None:
    """Every number of a hardware row with its source, and what they add up to."""
    row = catalogue.hardware()[name]
    click.echo(f"{row.name}: {row}\n")
    figures = [(key, f"{f.value:g}", f.unit, f.confidence, f.source) for key, f in row.figures().items()]
    printing.table("numbers", ("name", "value", "unit", "confidence", "source"), figures)
    sums = [(key, float(getattr(row, key)), "W") for key in ("it_idle_w", "it_training_w", "it_peak_w", "nameplate_w")]
    printing.table("AC power of one GPU with its share of the server", ("name", "value", "unit"), sums)
    click.echo("\nConfidence: P primary text, V computed from measured data, S secondary source, M assumed.")


def show_workload(name: str) -> None:
    """What a workload is, where its numbers come from, and its parameters."""
    cls = catalogue.workloads()[name]
    module = inspect.getdoc(inspect.getmodule(cls)) or ""
    click.echo(f"{name}: gridai.cluster.{name}\n\n{inspect.cleandoc(cls.__doc__ or '')}\n\n{module}\n")
    printing.table("parameters", ("name", "unit", "default", "meaning"), options.field_rows(cls))
    made = f"gridai.Cluster.of('H100', count=100_000, workload=gridai.cluster.{name}(...))"
    click.echo(f"\nIn Python: {made}; in a file for --cluster-file: the table [workload].")


NAMES: dict[str, Callable[[], list[str]]] = {
    "case": catalogue.case_names,
    "model": lambda: list(catalogue.models()),
    "study": lambda: list(catalogue.studies()),
    "criteria": lambda: list(catalogue.profiles()),
    "hardware": lambda: list(catalogue.hardware()),
    "workload": lambda: list(catalogue.workloads()),
}
SHOWS: dict[str, Callable[[str], None]] = {
    "case": show_case,
    "model": show_model,
    "study": show_study,
    "criteria": show_criteria,
    "hardware": show_hardware,
    "workload": show_workload,
}
