"""Distillation: the words for a student that learns from a teacher's logits."""

from typing import Annotated, Literal

from optimizer.reading.fields import Field, Model, Parameters, Tokens
from optimizer.reading.types import Size

# Of a law file's extras.
CONSTANTS = (
    *("student_A", "student_alpha", "student_B", "student_beta", "student_gamma"),
    *("c0", "c1", "f1", "d1"),
)


class Teacher(Model):
    """A model that exists already, from which a student may learn."""

    parameters: Parameters = Field(description="its size")
    tokens: Tokens = Field(description="that it was trained on")


class Distillation(Model):
    """A student of a teacher, beside the plan that is trained without one."""

    teacher: Teacher | Annotated[tuple[Teacher, ...], Size(most=50)] = Field(
        description="whose logits it learns, or a list to choose from"
    )
    logits: Literal["free", "paid"] = Field(
        description="free: they exist; paid: 2N of the teacher a token of the student"
    )

    @property
    def teachers(self) -> tuple[Teacher, ...]:
        """Those to choose from."""
        return self.teacher if isinstance(self.teacher, tuple) else (self.teacher,)
