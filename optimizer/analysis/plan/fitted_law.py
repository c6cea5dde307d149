"""What a law that was fitted to few or unlike runs says of itself, in every answer."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.doubts import Warning
from optimizer.world.law import Law

MOST = 4  # caveats that a warning has room for


def fitted_warnings(law: Law) -> Iterator[Warning]:
    """The caveats of a law of the user's own, which `fit` wrote into its file.

    Args:
        law: any law; a published one has its caveats on its own page.
    """
    if not law.fit:
        return
    caveats = list(law.caveats)
    if law.not_for_planning:
        yield Warning(
            "law-not-known",
            f"by the runs that {law.name} was fitted to {law.not_for_planning}. Do not "
            "plan by it: add runs, or choose a published law",
        )
        caveats = caveats[1:]
    if caveats:
        more = len(caveats) - MOST
        shown = [caveat.rstrip(".") for caveat in caveats[:MOST]]
        if more > 0:
            shown.append(f"and {more} more, which its file has")
        yield Warning("law-caveats", f"{law.name} says of itself: {'; '.join(shown)}")
