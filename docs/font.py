"""Makes the fonts that pages carry, from the whole ones.

    pip install 'fonttools[woff]'
    python docs/font.py FOLDER

FOLDER holds Arimo-Regular.ttf and Arimo-Bold.ttf, version 1.33 (in Debian's package
fonts-croscore). Arimo has the widths of Liberation Sans, which the drawing engine has
built in and lays the charts out in, and those of Arial. What is left out: hinting,
ligatures, and all signs but those below.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset

FONTS = Path(__file__).parents[1] / "optimizer" / "report" / "fonts"
SIGNS = frozenset(
    {
        *map(chr, range(0x20, 0x7F)),  # ASCII
        *map(chr, range(0xA0, 0x180)),  # Latin, as in names
        *"ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρςστυφχψω",
        *"–—‘’“”„…•‰‹›€−≈≠≤≥∞∂∑∏√→←↑↓‖",
        *"ᵀ⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺₀₁₂₃₄₅₆₇₈₉",
        *"\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}\N{NON-BREAKING HYPHEN}",
    }
)


def make(source: Path, target: Path) -> None:
    """Write the part of a font that pages need, for the web."""
    options = subset.Options()
    options.flavor = "woff2"
    options.hinting = False
    options.layout_features = ["kern"]
    options.name_IDs = [0, 1, 2, 5, 7, 13, 14]
    font = subset.load_font(str(source), options)
    chosen = subset.Subsetter(options)
    chosen.populate(text="".join(sorted(SIGNS)))
    chosen.subset(font)
    subset.save_font(font, str(target), options)


if __name__ == "__main__":
    for weight in ("Regular", "Bold"):
        made = FONTS / f"arimo-{weight.lower()}.woff2"
        make(Path(sys.argv[1]) / f"Arimo-{weight}.ttf", made)
        print(made.name, made.stat().st_size, "bytes")
