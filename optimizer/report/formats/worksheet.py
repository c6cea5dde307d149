"""A worksheet that is written row by row, and how its cells look.

Texts are always written as texts, so that no name becomes a formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optimizer.records import dataclass, field
from optimizer.report.formats.blocks import printable

FORMATS: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_size": 14},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"},
    "text": {"valign": "top"},
    "wrap": {"text_wrap": True, "valign": "top"},
    "input": {"bg_color": "#FFF4DC", "num_format": "0.0%", "border": 1},
    "total": {"bold": True, "top": 1},
    "size": {"num_format": '[>=1E+9]0.00,,,"B";[>=1E+6]0.0,,"M";0'},
    "tokens": {"num_format": '[>=1E+12]0.00,,,,"T";[>=1E+9]0.0,,,"B";0.0,,"M"'},
    "USD": {"num_format": '[>=1E+6]$0.00,,"M";[>=1E+3]$0.0,"k";$0.00'},
    "FLOP": {"num_format": "0.00E+00"},
    "kWh": {"num_format": "#,##0"},
    "kgCO2e": {"num_format": "#,##0"},
    "percent": {"num_format": "0.0%"},
    "number": {"num_format": "0.00"},
    "loss": {"num_format": "0.0000"},
    "price": {"num_format": "$0.0000"},
}
WIDE = 60  # characters of a column of prose


@dataclass
class Sheet:
    """A worksheet and the row that is written next."""

    sheet: Any
    formats: Mapping[str, Any]
    row: int = 0
    widths: dict[int, int] = field(default_factory=dict)

    def put(self, column: int, value: object, kind: str = "text") -> None:
        """Writes one cell of the current row; None leaves it empty."""
        look = self.formats[kind]
        if isinstance(value, str):
            text = "\n".join(map(printable, value.split("\n")))
            self.sheet.write_string(self.row, column, text, look)
            width = max(map(len, text.split("\n")), default=0)
            self.widths[column] = max(self.widths.get(column, 0), min(width, WIDE))
        elif isinstance(value, bool):
            self.sheet.write_boolean(self.row, column, value, look)
        elif isinstance(value, int | float):
            self.sheet.write_number(self.row, column, value, look)

    def formula(self, column: int, formula: str, value: float, kind: str) -> None:
        """Writes a formula of ours and what it gives."""
        self.sheet.write_formula(self.row, column, formula, self.formats[kind], value)

    def line(self, values: Sequence[object], kinds: Sequence[str] | str) -> None:
        """Writes a row."""
        for column, value in enumerate(values):
            kind = kinds if isinstance(kinds, str) else kinds[column]
            self.put(column, value, kind)
        self.row += 1

    def fit(self) -> None:
        """Makes columns as wide as their texts."""
        for column, width in self.widths.items():
            self.sheet.set_column(column, column, max(width + 2, 12))
