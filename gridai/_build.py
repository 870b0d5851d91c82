"""Used by setuptools alone: a wheel carries the top-level folder cases/ as gridai/_cases."""

from __future__ import annotations

from pathlib import Path

from setuptools.command.build_py import build_py

CASES, INSIDE = Path("cases"), Path("gridai") / "_cases"
KINDS = (".csv", ".toml", ".md", ".png")


class BuildPy(build_py):
    """build_py that also copies the cases. An editable install finds them beside the package."""

    def run(self) -> None:
        """Build the package, then copy the cases into it."""
        super().run()
        if not self.editable_mode:
            for source, target in self._cases().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target, preserve_mode=False)

    def get_source_files(self) -> list[str]:
        """What a source distribution needs: the cases too."""
        return [*super().get_source_files(), *self._cases()]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """The files that `run` writes."""
        return [*super().get_outputs(include_bytecode), *([] if self.editable_mode else self._cases().values())]

    def _cases(self) -> dict[str, str]:
        """Source file to file in the build folder."""
        files = sorted(path for path in CASES.rglob("*") if path.suffix in KINDS)
        return {str(path): str(Path(self.build_lib) / INSIDE / path.relative_to(CASES)) for path in files}
