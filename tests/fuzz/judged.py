"""An answer's own numbers, held against each other in 40 digits."""

from decimal import Context, Decimal

DIGITS = Context(prec=40)
CLOSE = Decimal("3e-9")  # a number within 1e-9 of a bound is put on it


def agrees(plan, shared):
    """Whether what an answer says fits together; a failure says what does not.

    Args:
        plan: of the JSON.
        shared: whether other models share a limit with it.

    Raises:
        AssertionError: a sum, a ratio, a limit or a loss that its parts belie.
    """
    assert plan["status"] in ("optimal", "infeasible")
    if plan["status"] == "infeasible":
        return
    chosen, cost = plan["plan"], plan["cost"]
    N, D = Decimal(chosen["parameters"]), Decimal(chosen["tokens"])
    _same("tokens per parameter", chosen["tokens_per_parameter"], D / N)
    _bill("cost", cost)
    if target := plan["target_loss"]:
        assert Decimal(chosen["loss"]) <= Decimal(target) * (1 + Decimal("1e-8"))
    alone = plan["training_optimal"]
    if alone and alone["cost"]:
        _bill("training-optimal cost", alone["cost"])
        if ratio := (plan["overtraining"] or {}).get("cost_ratio"):
            whole = Decimal(cost["total"]) / Decimal(alone["cost"]["total"])
            _same("cost ratio", ratio, whole)
    free = plan["fixed"] is None and not shared  # ranges are those of one model alone
    for near in plan["near_optimal"] or () if free else ():
        low, high = sorted(map(Decimal, near["parameters"]))
        hair = 1 + Decimal("1e-6")
        assert low / hair <= N <= high * hair, ("near", near, chosen)
    certificate = plan["certificate"]
    assert certificate is None or certificate["violation"] <= 1e-6, certificate


def _bill(what, bill):
    """A bill whose lines and parts add up to its total."""
    parts = [bill["training"], bill["inference"], bill["other"]]
    _same(f"{what}: parts", bill["total"], _sum(parts))
    _same(f"{what}: lines", bill["total"], _sum(x["amount"] for x in bill["lines"]))
    if bill["total"]:
        _same(f"{what}: shares", 1, _sum(one["share"] for one in bill["lines"]))


def _sum(values):
    whole = Decimal(0)
    for value in values:
        whole = DIGITS.add(whole, Decimal(value))
    return whole


def _same(what, told, found):
    told = Decimal(told)
    most = max(abs(told), abs(found))
    assert abs(told - found) <= CLOSE * most, f"{what}: {told} is told, {found} found"
