"""Telling the artist about damage that was met only while a job read the clip."""

from __future__ import annotations

from matting.job import JobContext
from matting.media import Clip, damage_notices


def tell_damage(clip: Clip, ctx: JobContext) -> None:
    """Notice every damaged range that was not known when the clip was opened."""
    for sentence in damage_notices(clip.info.path.name, clip.damaged):
        if sentence not in clip.info.notices:
            ctx.notice(sentence)
