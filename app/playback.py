"""Which frame is due: playback by the clock against the clip's own times, so that it never drifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # slow to import, and not needed before there is a clip
    import numpy as np
    from numpy.typing import NDArray

    from matting.media.clip import ClipInfo


def frame_times(info: ClipInfo) -> NDArray[np.float64]:
    """Seconds at which each frame begins, from 0, and at which the last one ends: ``[T + 1]``."""
    import numpy as np

    last = info.duration * info.time_base if info.duration > 0 else 1 / info.rate
    begins = (info.pts - info.pts[0]).astype(np.float64) * float(info.time_base)
    return np.append(begins, begins[-1] + float(last))


@dataclass(frozen=True)
class Run:
    """Playback without a change of mind: from a frame, at a speed, inside a span.

    Attributes:
        times: see :func:`frame_times`.
        start: the frame that is shown at the beginning.
        speed: times real time; negative plays backward.
        span: the frames to stay in; a start outside of it first plays towards its far end.
        loop: whether to begin again at the end of the span rather than end.
    """

    times: NDArray[np.float64]
    start: int
    speed: int
    span: range
    loop: bool

    def frame_at(self, elapsed_s: float) -> int | None:
        """The frame that is due after so many seconds; None once the run is over."""
        position = self._position(elapsed_s)
        return None if position is None else self._frame(position)

    def next_change_s(self, elapsed_s: float) -> float:
        """Seconds from then until another frame is due; 0 once the run is over."""
        position = self._position(elapsed_s)
        if position is None:
            return 0.0
        frame = self._frame(position)
        edge = self.times[frame + 1] if self.speed > 0 else self.times[frame]
        return abs(float(edge) - position) / abs(self.speed)

    def _position(self, elapsed_s: float) -> float | None:
        begin, end = float(self.times[self.span.start]), float(self.times[self.span.stop])
        origin = self.times[self.start if self.speed > 0 else self.start + 1]
        position = float(origin) + self.speed * elapsed_s
        if begin < position < end or (position < end if self.speed > 0 else position > begin):
            return position
        if not self.loop:
            return None
        if self.speed > 0:
            return begin + (position - begin) % (end - begin)
        return end - (end - position) % (end - begin)

    def _frame(self, position: float) -> int:
        # Backward, a frame is left at its beginning, so that it is shown as long as forward.
        found = int(self.times.searchsorted(position, side="right" if self.speed > 0 else "left")) - 1
        return min(max(found, 0), len(self.times) - 2)
