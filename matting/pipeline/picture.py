"""One composited frame of a document, from what the store holds."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from matting.arrays import Picture
from matting.compositing import backdrops
from matting.compositing.behind import cover
from matting.compositing.composite import Layer, composite, needs_plate
from matting.compositing.looks import Keep
from matting.errors import MediaError
from matting.media import Clip, open_clip
from matting.pipeline.patch import patched
from matting.pipeline.workspace import PLATE, Workspace


class Compositor:
    """Makes the frames of one workspace; keeps the backdrop open between them. Not to be shared between threads."""

    def __init__(self, work: Workspace) -> None:
        self._work = work

    @property
    def needs_alphas(self) -> bool:
        """Whether anything is done to anybody; if not, the frames pass through untouched."""
        document = self._work.document
        changed = any(not isinstance(i.look, Keep) for i in self._work.prompted)
        return changed or not isinstance(document.backdrop, backdrops.Original)

    @property
    def needs_plate(self) -> bool:
        """Whether the plate has to be there."""
        return needs_plate([i.look for i in self._work.prompted], self._work.document.backdrop)

    @property
    def transparent(self) -> bool:
        """Whether the frames come with an alpha channel."""
        return isinstance(self._work.document.backdrop, backdrops.Transparent)

    def frame(self, index: int, source: Picture) -> Picture:
        """Composite a frame.

        Args:
            index: of the frame.
            source: the clip's picture there.

        Returns:
            ``[H, W, 3]``, or straight ``[H, W, 4]`` on a transparent backdrop, in the dtype of ``source``.

        Raises:
            KeyError: an alpha or the plate that is needed is not in the store.
        """
        if not self.needs_alphas:
            return source
        work = self._work
        layers = [Layer(work.alpha(index, instance.id), instance.look) for instance in work.prompted]
        plate = self.plate(index, source) if self.needs_plate else None
        return composite(source, layers, work.document.backdrop, plate=plate, behind=self._behind(index))

    def plate(self, index: int, source: Picture) -> Picture:
        """The frame with everybody taken out; raises KeyError when the plate is not in the store."""
        chunk = self._work.chunk_of(index)
        key = self._work.plate_key(self._work.shot_of(index))
        if key is None:
            raise KeyError("no plate")
        patch = self._work.store.read_frame(PLATE, chunk.start, key, index - chunk.start)
        return patched(source, patch)

    def _behind(self, index: int) -> Picture | None:
        backdrop = self._work.document.backdrop
        if isinstance(backdrop, backdrops.Image):
            return self._image
        if isinstance(backdrop, backdrops.Video):
            return cover(self._video.frame(self._video_index(index)), self._work.document.size_hw)
        return None

    @cached_property
    def _image(self) -> Picture:
        backdrop = self._work.document.backdrop
        assert isinstance(backdrop, backdrops.Image)
        return cover(read_image(self._work.resolve(backdrop.path)), self._work.document.size_hw)

    @cached_property
    def _video(self) -> Clip:
        backdrop = self._work.document.backdrop
        assert isinstance(backdrop, backdrops.Video)
        return open_clip(self._work.resolve(backdrop.path))

    def _video_index(self, index: int) -> int:
        """The backdrop's frame that is due at a frame's time, looped."""
        clip, video = self._work.clip.info, self._video.info
        elapsed = int(clip.pts[index] - clip.pts[self._work.document.in_frame]) * clip.time_base
        length = (int(video.pts[-1] - video.pts[0]) + max(video.duration, 1)) * video.time_base
        wanted = (elapsed % length) / video.time_base + int(video.pts[0])
        return max(int(np.searchsorted(video.pts, int(Fraction(wanted)), side="right")) - 1, 0)


def read_image(path: Path) -> Picture:
    """A still picture as RGB, 8 or 16 bits.

    Raises:
        MediaError: it is missing or is no picture.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise MediaError(f"The picture {path} cannot be read: {error.strerror}.") from error
    picture = cv2.imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH) if content.size else None
    if picture is None or picture.dtype not in (np.uint8, np.uint16):
        raise MediaError(f"{path} is not a picture that can be read.")
    rgb = picture[..., ::-1]
    return rgb.astype(np.uint16) if picture.dtype == np.uint16 else rgb.astype(np.uint8)
