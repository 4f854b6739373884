import pytest

from matting.errors import Cancelled
from matting.job import JobContext


class Recording(JobContext):
    def __init__(self) -> None:
        super().__init__()
        self.fractions: list[float] = []

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        self.fractions.append(fraction)


def test_stages_count_within_the_whole() -> None:
    ctx = Recording()
    with ctx.stage(0.5, 1.0):
        ctx.report(0.5, "half of the second half")
        with ctx.stage(0.5, 1.0):
            ctx.report(1.0, "end")
    ctx.report(0.25, "outside again")
    assert ctx.fractions == [0.75, 1.0, 0.25]


def test_a_cancelled_job_ends_at_its_next_report() -> None:
    ctx = Recording()
    ctx.report(0.1, "going")
    ctx.cancel()
    with pytest.raises(Cancelled):
        ctx.report(0.2, "stopped")
    assert ctx.fractions == [0.1]
