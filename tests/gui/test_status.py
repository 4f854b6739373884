from __future__ import annotations

from app.job_strip import duration
from app.status import in_words
from app.timeline.lanes import LaneSpan


def test_a_persons_state_in_words() -> None:
    assert in_words([], 24) == "not tracked"
    assert in_words([LaneSpan(0, 16, "tracked")], 24) == "tracked 16/24"
    assert in_words([LaneSpan(0, 8, "matted"), LaneSpan(8, 24, "tracked")], 24) == "matted 8/24"
    assert in_words([LaneSpan(0, 8, "matted"), LaneSpan(8, 24, "stale")], 24) == "matted 8/24, stale 16"


def test_durations() -> None:
    assert [duration(s) for s in (-1, 0.4, 61, 3600, 7325)] == ["0:00", "0:00", "1:01", "1:00:00", "2:02:05"]
