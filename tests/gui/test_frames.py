from __future__ import annotations

from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.frames import FrameCache
from app.views import Shown, View, Wanted


def picture(frame: int) -> Shown:
    """100×100 in four bytes a pixel: 40 000 bytes."""
    return Shown(Wanted(frame, View.SOURCE), QImage(100, 100, QImage.Format.Format_RGB32))


def test_the_cache_keeps_what_was_used_last(qtbot: QtBot) -> None:
    cache = FrameCache(capacity_bytes=100_000)
    first, second, third = (picture(t) for t in range(3))
    cache.put((0, first.wanted), first)
    cache.put((0, second.wanted), second)
    assert cache.get((0, first.wanted)) is first
    cache.put((0, third.wanted), third)
    assert cache.get((0, second.wanted)) is None
    assert cache.get((0, first.wanted)) is first
    assert cache.get((0, third.wanted)) is third


def test_what_was_made_of_another_document_is_not_given(qtbot: QtBot) -> None:
    cache = FrameCache()
    cache.put((1, picture(0).wanted), picture(0))
    assert cache.get((2, picture(0).wanted)) is None


def test_a_picture_larger_than_the_cache_is_still_kept_while_it_is_the_only_one(qtbot: QtBot) -> None:
    cache = FrameCache(capacity_bytes=10)
    one = picture(0)
    cache.put((0, one.wanted), one)
    assert cache.get((0, one.wanted)) is one
