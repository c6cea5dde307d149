"""What a law file says of how its law was fitted."""

from optimizer.reading.fields import Count, Field, Fraction, Model, Number, Positive


class FitFile(Model):
    """How a law was fitted: enough to do it again and to judge it."""

    command: str = Field("", description="what was typed")
    tool: str = ""
    runs_file: str = ""
    runs_sha256: str = Field("", description="of the file of the runs")
    runs: Count | None = Field(None, description="how many the fit used")
    exclude: tuple[str, ...] = Field((), description="rules for runs left out")
    left_out: tuple[Count, ...] = Field((), description="lines of runs not used")
    tied: bool = False
    fixed: dict[str, Number] = Field({})
    by: str = Field("", description="the column whose values have a law each")
    group: str = Field("", description="the value of this law's runs")
    shared: tuple[str, ...] = Field((), description="fitted as one with all groups")
    overestimates_count: Positive | None = Field(
        None, description="how many times a prediction above a measured loss counted"
    )
    lower_envelope: bool = Field(
        False, description="of sizes and tokens within a tenth the least loss alone"
    )
    delta: Positive | None = Field(None, description="of Huber's loss on ln L")
    objective: Number | None = Field(None, description="Huber's loss, summed")
    stationarity: Number | None = Field(None, description="the scaled gradient")
    inside: Number | None = Field(None, description="residuals inside delta")
    scatter: Number | None = Field(None, description="of the residuals of ln L")
    r_squared: Number | None = None
    starts: Count | None = None
    reached: Count | None = Field(None, description="starts that ended here")
    resample: str = ""
    seed: Number | None = None
    level: Fraction | None = Field(None, description="of the intervals")
    intervals: dict[str, tuple[Number, Number]] = Field({})
    standard_errors: dict[str, Number] = Field({})
