"""Footage in and out: clips by exact frame index, colours, sound, files written."""

from matting.media.clip import Clip, ClipInfo, ColorTags
from matting.media.index import damage_notices
from matting.media.opening import open_clip, scan

__all__ = ["Clip", "ClipInfo", "ColorTags", "damage_notices", "open_clip", "scan"]
