"""The pictures of the viewer: made in a worker, newest request first, kept in a bounded cache."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.job import Job, Jobs
from app.session import Session
from app.views import Shown, View, Wanted
from matting.job import JobContext

if TYPE_CHECKING:  # numpy and zarr are slow to import
    from app.render import Renderer
    from matting.pipeline.workspace import Workspace

CACHE_BYTES = 256 * 1024 * 1024
AHEAD = 12
"""Frames that are made in advance while playing."""
URGENT = 10


class FrameCache:
    """The pictures shown last, up to a number of bytes."""

    def __init__(self, capacity_bytes: int = CACHE_BYTES) -> None:
        self._capacity_bytes, self._bytes = capacity_bytes, 0
        self._kept: OrderedDict[tuple[int, Wanted], Shown] = OrderedDict()

    def __contains__(self, key: tuple[int, Wanted]) -> bool:
        return key in self._kept

    def get(self, key: tuple[int, Wanted]) -> Shown | None:
        shown = self._kept.get(key)
        if shown is not None:
            self._kept.move_to_end(key)
        return shown

    def put(self, key: tuple[int, Wanted], shown: Shown) -> None:
        if key in self._kept:
            return
        self._kept[key] = shown
        self._bytes += shown.image.sizeInBytes()
        while self._bytes > self._capacity_bytes and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.image.sizeInBytes()

    def clear(self) -> None:
        self._kept.clear()
        self._bytes = 0


class FrameServer(QObject):
    """Keeps the viewer's picture in step with the session: one picture is in the making at any time."""

    shown = Signal(object)
    """A :class:`Shown` for the viewer."""
    failed = Signal(object)

    def __init__(self, session: Session, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs = session, jobs
        self._view = View.OVERLAY
        self._cache = FrameCache()
        self._epoch = 0
        self._opening = 0
        self._job: Job | None = None
        self._renderer: Renderer | None = None
        self._rendered_opening = 0
        self._ahead = 0
        self._on_screen = 0
        session.opened.connect(self._on_opened)
        session.frame_changed.connect(self.request)
        session.active_changed.connect(self._on_active_changed)

    @property
    def view(self) -> View:
        return self._view

    def set_view(self, view: View) -> None:
        """Show something else of the same frame."""
        self._view = view
        self.request()

    def set_ahead(self, direction: int) -> None:
        """Make pictures in advance: forward (1), backward (-1) or not at all (0)."""
        self._ahead = direction
        self._pump()

    def refresh(self) -> None:
        """The document or the results changed: what was made is no longer what would be made."""
        self._epoch += 1
        self.request()

    def request(self) -> None:
        """Show the current frame, at once if it is in the cache."""
        if not self._session.is_open:
            return
        shown = self._cache.get(self._key(self._wanted(self._session.frame)))
        if shown is not None:
            self._emit(shown)
        self._pump()

    def _on_opened(self) -> None:
        self._opening += 1
        self._epoch += 1
        self._cache.clear()

    def _on_active_changed(self) -> None:
        if self._view is View.MATTE:
            self.request()

    def _wanted(self, frame: int) -> Wanted:
        return Wanted(frame, self._view, self._session.active_id if self._view is View.MATTE else 0)

    def _key(self, wanted: Wanted) -> tuple[int, Wanted]:
        """The source does not depend on the document, so an edit does not make it old."""
        return (0 if wanted.view is View.SOURCE else self._epoch), wanted

    def _pump(self) -> None:
        """Start the picture that is needed most, unless one is in the making."""
        if self._job is not None or not self._session.is_open:
            return
        wanted = self._needed()
        if wanted is None:
            return
        key, opening, work = self._key(wanted), self._opening, self._session.workspace

        def work_on_it(ctx: JobContext) -> Shown:
            return self._render(opening, work, wanted)

        self._job = self._jobs.start(
            "Frame",
            work_on_it,
            done=lambda shown: self._on_done(opening, key, shown),
            failed=lambda error: self._on_failed(opening, error),
            priority=URGENT,
        )

    def _needed(self) -> Wanted | None:
        session = self._session
        ahead = [session.frame + self._ahead * step for step in range(1, AHEAD + 1)] if self._ahead else []
        for frame in [session.frame, *ahead]:
            wanted = self._wanted(frame)
            if 0 <= frame < session.document.media.frame_count and self._key(wanted) not in self._cache:
                return wanted
        return None

    def _render(self, opening: int, work: Workspace, wanted: Wanted) -> Shown:
        """In the worker. Only one picture is in the making, so the renderer is nobody else's."""
        from app.render import Renderer

        if self._renderer is None or opening != self._rendered_opening:
            self.close()
            self._renderer, self._rendered_opening = Renderer(work.for_thread()), opening
        self._renderer.follow(work)
        return self._renderer.render(wanted)

    def close(self) -> None:
        """Give the reader back; only where no picture is in the making."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _on_done(self, opening: int, key: tuple[int, Wanted], shown: Shown) -> None:
        self._job = None
        if opening == self._opening:
            self._cache.put(key, shown)
            if shown.wanted.view is self._view and self._is_news(shown.wanted.frame):
                self._emit(shown)
        self._pump()

    def _is_news(self, frame: int) -> bool:
        """Whether an answer belongs on the screen: what was made in advance waits, what comes late is still newer."""
        here, ahead = self._session.frame, self._ahead
        late = (here - frame) * ahead >= 0 and (frame - self._on_screen) * ahead > 0
        return not ahead or frame == here or late

    def _emit(self, shown: Shown) -> None:
        self._on_screen = shown.wanted.frame
        self.shown.emit(shown)

    def _on_failed(self, opening: int, error: Exception) -> None:
        self._job = None
        if opening == self._opening:
            self.failed.emit(error)
