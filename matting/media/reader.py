"""Pictures of a video file by index, one after another or in any order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import cast

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from matting.arrays import Picture
from matting.errors import MediaError
from matting.media.clip import Clip, ClipInfo
from matting.media.color import to_picture
from matting.media.decoder import Decoder
from matting.media.index import REORDER, FrameIndex

_RECENT_BYTES = 32 << 20
_STEP_OVER = 8
"""Decoding so many frames on is cheaper than looking for a nearer entry."""
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class VideoClip(Clip):
    """Reads a video through its index.

    ``frame(t)`` decodes on from where the reader stands if that leads there soon, otherwise from the last entry at or
    before ``t``, so it gives the same picture as decoding from the start; see :mod:`matting.media.index` for damage.
    Decoded pictures are kept up to about 100 MB, coded size, so that small steps back cost nothing.
    """

    def __init__(self, info: ClipInfo, index: FrameIndex) -> None:
        self.info = info
        self._index = index
        self._reformatter = VideoReformatter()
        self._recent: dict[int, VideoFrame] = {}  # in the order in which they came out
        self._recent_bytes = 0
        # Pictures are given away only when everything coded before them has come out as well, see FrameIndex.reach.
        self._unsettled: set[int] = set()
        self._fewest = min(int(np.max(index.reach - np.arange(len(index)))), REORDER) + 2
        self._run: Iterator[tuple[int, VideoFrame]] | None = None
        self._run_start = self._position = 0  # frames: of the entry of this run, and of the last picture out
        self._troubled = False  # whether this run met anything suspicious

    @cached_property
    def _decoder(self) -> Decoder:
        # A clip travels along with its workspace, for every click too, and mostly nobody looks at it there.
        return Decoder(self.info.path, self._index.table)

    @property
    def damaged(self) -> tuple[tuple[int, int], ...]:
        return self._index.damaged

    def frame(self, index: int) -> Picture:
        decoded = self._decoded(self._checked(index))
        quarter = self.info.rotation in (90, 270)
        coded_hw = self.size_hw[::-1] if quarter else self.size_hw
        picture = to_picture(decoded, self.info.color, coded_hw, self._reformatter)
        if self.info.rotation:
            return cast(Picture, cv2.rotate(picture, _TURNS[self.info.rotation]))
        return picture

    def check(self, index: int) -> None:
        self._decoded(self._checked(index))

    def duplicate(self) -> VideoClip:
        return VideoClip(self.info, self._index)

    def __reduce__(self) -> tuple[type[VideoClip], tuple[ClipInfo, FrameIndex]]:
        return VideoClip, (self.info, self._index)  # in another process too it is another reader of the same clip

    def close(self) -> None:
        self._run = None
        self._recent.clear()
        if "_decoder" in self.__dict__:
            self._decoder.close()

    def _decoded(self, index: int) -> VideoFrame:
        while (source := self._index.substitute(index)) is not None:
            entry = self._index.entry(source)
            found = self._find(source)
            if found is not None:
                return found
            self._index.examine(source)
            if self._index.substitute(source) == source and self._index.entry(source) == entry:
                # Sound when decoded alone, and yet it did not come: an error near it, on another thread, hid it.
                found = self._find_alone(source)
                if found is not None:
                    return found
                self._index.mark_damaged(source, source + 1)
        raise MediaError(f"No frame of {self.info.path.name} can be decoded any more; was the file changed?")

    def _find(self, index: int) -> VideoFrame | None:
        """Decode up to frame ``index``; None when it does not come or turns out damaged."""
        if index in self._recent and index not in self._unsettled:
            return self._recent[index]
        if not self._leads_to(index):
            self._start_at(index)
        assert self._run is not None
        found = self._recent.get(index)
        for ordinal, frame in self._run:
            at = int(self._index.frame_of[ordinal])
            if at < self._run_start:  # before an entry stand pictures that lean on what lies before it
                continue
            self._note_trouble(at, ordinal if frame.is_corrupt else None)
            if self._index.substitute(index) != index or not self._run_is_valid():
                return None
            self._keep(at, frame)
            if at == index:
                found = frame
            if found is not None and index not in self._unsettled:
                return found
            if at > self._index.reach[index] + REORDER:
                return None
        self._note_trouble(len(self), None)
        self._run = None
        return found if self._index.substitute(index) == index else None

    def _find_alone(self, index: int) -> VideoFrame | None:
        _, first = self._index.entry(index)
        decoder = Decoder(self.info.path, self._index.table, threaded=False)
        wanted = int(self._index.ordinals[index])
        found = next((frame for ordinal, frame in decoder.run(first) if ordinal == wanted), None)
        decoder.close()
        return found

    def _leads_to(self, index: int) -> bool:
        if self._run is None or not self._run_is_valid() or (index <= self._position and index not in self._recent):
            return False
        entry_start, _ = self._index.entry(index)
        if entry_start <= self._position:
            return True
        # What went wrong before the next entry might reach beyond it when decoding runs on.
        return not self._troubled and (entry_start == self._position + 1 or index <= self._position + _STEP_OVER)

    def _run_is_valid(self) -> bool:
        return self._index.entry(self._run_start)[0] == self._run_start

    def _start_at(self, index: int) -> None:
        for frame in self._unsettled:
            self._drop(frame)
        self._unsettled.clear()
        self._run_start, first = self._index.entry(index)
        self._position, self._troubled = self._run_start - 1, False
        self._run = self._decoder.run(first)

    def _note_trouble(self, at: int, corrupt: int | None) -> None:
        """Have examined what the decoder complained about, or left out, until it gave the frame ``at``."""
        suspects = [*self._decoder.failed, *([] if corrupt is None else [corrupt])]
        suspects += self._index.ordinals[self._position + 1 : at].tolist()
        if suspects:
            self._troubled = True
            self._decoder.failed.clear()
            self._index.examine_packets(suspects)

    def _keep(self, at: int, frame: VideoFrame) -> None:
        self._position = max(self._position, at)
        if at not in self._recent:
            self._recent[at] = frame
            self._recent_bytes += _bytes(frame)
            self._unsettled.add(at)
        self._unsettled = {frame for frame in self._unsettled if self._index.reach[frame] > self._position}
        while self._recent_bytes > _RECENT_BYTES and len(self._recent) > self._fewest:
            self._drop(next(iter(self._recent)))

    def _drop(self, at: int) -> None:
        frame = self._recent.pop(at, None)
        if frame is not None:
            self._recent_bytes -= _bytes(frame)


def _bytes(frame: VideoFrame) -> int:
    return sum(plane.buffer_size for plane in frame.planes)
