"""Records: students of a teacher beside the plan that is trained without one."""

from __future__ import annotations

from optimizer.analysis.plan.doubts import Beyond
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.sensitivity import Sensitivity
from optimizer.records import dataclass


@dataclass(frozen=True)
class Scanned:
    """What is proven of a scan over sizes.

    Attributes:
        gap: an upper bound of ln(cost / least cost) over all sizes.
        sizes: how many were tried, each with the least tokens for the loss.
        low: the sizes below which no tokens reach the loss.
        high: the sizes above which nothing can be cheaper.
    """

    gap: float
    sizes: int
    low: float
    high: float


@dataclass(frozen=True)
class Distilled:
    """The cheapest student of one teacher.

    Attributes:
        teacher: the model that it learns from, and its loss.
        student: N, D and its loss; None where none reaches the target.
        total: its lifetime cost, logits included; None likewise.
        training: of that, the cost of training it.
        inference: the cost of serving it.
        other: the rest.
        logits: the cost of computing the teacher's logits.
        ratio: of the cost to that of the plan without a teacher; None where there is
            no such plan.
        certificate: of the scan; None without a student.
        reason: why there is none; None where there is one.
        outside: where the student lies outside the runs of the law, in words.
        extrapolation: the same in numbers.
        teacher_extrapolation: and of the teacher, on whose loss the student's rests.
        sensitivities: of its cost to its teacher, the law and the constants of its
            students; only of the best, and none where a limit holds it.
    """

    teacher: Pair
    student: Pair | None
    total: float | None
    logits: float | None
    ratio: float | None
    certificate: Scanned | None
    reason: str | None
    outside: tuple[str, ...] = ()
    extrapolation: tuple[Beyond, ...] = ()
    teacher_extrapolation: tuple[Beyond, ...] = ()
    sensitivities: tuple[Sensitivity, ...] = ()
    training: float | None = None
    inference: float | None = None
    other: float | None = None


@dataclass(frozen=True)
class Distillation:
    """The teachers that a scenario offers, the cheapest first.

    Attributes:
        logits: `free` or `paid`.
        pays: whether the best student costs less than the plan without a teacher; None
            where one of them is missing.
        ways: each teacher with its best student.
    """

    logits: str
    pays: bool | None
    ways: tuple[Distilled, ...]
