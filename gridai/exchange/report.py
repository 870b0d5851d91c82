"""What an import did: the account of each file, printed as text."""

from __future__ import annotations

from dataclasses import dataclass

from gridai.grid.raw_report import Account, Unsupported


@dataclass(frozen=True)
class ImportReport:
    """The accounts of the files read, and statements about the case as a whole."""

    accounts: tuple[Account, ...]
    notes: tuple[str, ...] = ()

    @property
    def unsupported(self) -> tuple[Unsupported, ...]:
        """Records that are not in the case, of all files."""
        return tuple(row for account in self.accounts for row in account.unsupported)

    @property
    def partly(self) -> tuple[Unsupported, ...]:
        """Records in the case of which a part has no effect, of all files."""
        return tuple(row for account in self.accounts for row in account.partly)

    def __str__(self) -> str:
        return "\n".join([*(str(account) for account in self.accounts), *(f"note: {text}" for text in self.notes)])
