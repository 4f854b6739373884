"""Which frames a video has, where decoding may start, and which frames do not decode.

The index is made from the packets alone where their presentation times can be believed; the first pictures are decoded
to see that. Decoding everything takes their place where the times are missing or wrong (H.264 in AVI, bare streams).

Entries are the packets where decoding may start. From entry to entry a clip falls into stretches, and what a stretch
shows is *defined* by decoding it afresh from its entry; inside a sound stream decoding on from the one before gives the
same bits. Where anything goes wrong the stretch is examined: decoded alone, on one thread. From the first picture, in
decoding order, that is faulty or fails to come, all of the stretch counts as damaged. So it does not matter by which
way a reader meets the damage. An entry whose own picture does not come out (damage, or gradual refresh, where pictures
recover some frames later) is none: its stretch joins the one before.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.media.decoder import Decoder
from matting.media.packets import NO_TIME, PacketTable

REORDER = 16
"""Decoders hold back at most so many pictures to put them in order (the limit of H.264 and HEVC)."""
_HEAD = 24


@dataclass(frozen=True)
class Survey:
    """What came out when decoding from the start.

    Attributes:
        came: ordinals of the pictures, in the order shown.
        doubtful: ordinals of packets that failed or of pictures that were patched up.
        complete: whether the whole file was decoded.
    """

    came: list[int]
    doubtful: set[int]
    complete: bool


def survey(path: Path, table: PacketTable, pictures: int | None) -> Survey:
    """Decode the first ``pictures`` pictures, or all of them."""
    decoder = Decoder(path, table)
    came, doubtful, complete = [], set[int](), True
    for ordinal, frame in decoder.run(0):
        came.append(ordinal)
        if frame.is_corrupt:
            doubtful.add(ordinal)
        if len(came) == pictures:
            complete = False
            break
    doubtful.update(decoder.failed)
    decoder.close()
    return Survey(came, doubtful, complete)


def times_are_true(table: PacketTable, seen: Survey) -> bool:
    """Whether the packets' presentation times say what is shown when, as far as was seen."""
    shown = table.pts[table.shown]
    if np.any(shown == NO_TIME) or len(np.unique(shown)) < len(shown):
        return False
    return bool(np.all(np.diff(table.pts[seen.came]) > 0))


def order_by_times(table: PacketTable, seen: Survey) -> NDArray[np.int64]:
    """Ordinals of the frames in presentation order, from packets whose times are true.

    Pictures before the first keyframe that nothing came out of are not frames: they lean on pictures that were cut off.
    """
    shown = np.flatnonzero(table.shown)
    first = int(np.argmax(table.key)) if table.key.any() else 0
    cut_off = (shown < first) | (table.pts[shown] < table.pts[first])
    frames = shown[~cut_off | np.isin(shown, seen.came)]
    order: NDArray[np.int64] = frames[np.argsort(table.pts[frames], kind="stable")].astype(np.int64)
    return order


def order_by_decoding(table: PacketTable, seen: Survey) -> NDArray[np.int64]:
    """The same from what came out; what failed to is put behind the picture that was coded before it."""
    order = list(dict.fromkeys(seen.came))
    if seen.doubtful:
        for lost in sorted(set(np.flatnonzero(table.shown).tolist()) - set(order)):
            earlier = [place for place, ordinal in enumerate(order) if ordinal < lost]
            order.insert(earlier[-1] + 1 if earlier else 0, lost)
    return np.array(order, np.int64)


def frame_times(table: PacketTable, order: NDArray[np.int64], ticks_per_frame: Fraction) -> NDArray[np.int64]:
    """Presentation times of frames, strictly increasing; even steps where the file has no usable ones."""
    for times in (table.pts[order], table.dts[order]):
        ordered = np.sort(times)
        if ordered[0] != NO_TIME and np.all(np.diff(ordered) > 0):
            return ordered
    steps = [round(ticks_per_frame * t) for t in range(len(order))]
    return np.array(steps, np.int64)


@dataclass
class FrameIndex:
    """The frames of one video; shared by all its readers, safe to use from several threads.

    Attributes:
        ordinals: packet of each frame, ``[T]``.
        pts: ticks, ``[T]``, strictly increasing.
        frame_of: frame of each packet, ``[P]``, -1 for packets without.
        reach: the last frame among those coded up to each frame, ``[T]``. Once it has come out, everything that the
            frame may lean on has, and what is damaged among it is known.
    """

    path: Path
    table: PacketTable
    ordinals: NDArray[np.int64]
    pts: NDArray[np.int64]
    frame_of: NDArray[np.int64] = field(init=False)
    reach: NDArray[np.int64] = field(init=False)
    _entries: list[tuple[int, int]] = field(init=False)  # (first frame, ordinal), both increasing
    _damaged: list[tuple[int, int]] = field(init=False, default_factory=list)
    _examined: set[tuple[int, int]] = field(init=False, default_factory=set)
    _lock: threading.RLock = field(init=False, default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.frame_of = np.full(len(self.table), -1, np.int64)
        self.frame_of[self.ordinals] = np.arange(len(self.ordinals))
        self.reach = np.maximum.accumulate(self.frame_of)[self.ordinals]
        self._entries = self._find_entries()

    def __getstate__(self) -> dict[str, object]:
        with self._lock:
            state = {name: value for name, value in vars(self).items() if name != "_lock"}
            return state | {"_entries": list(self._entries), "_examined": set(self._examined)}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state, _lock=threading.RLock())

    def __len__(self) -> int:
        return len(self.ordinals)

    def _find_entries(self) -> list[tuple[int, int]]:
        entries = {0: 0}
        earliest_from = np.minimum.accumulate(self.ordinals[::-1])[::-1]
        for key in np.flatnonzero(self.table.key).tolist():
            start = int(self.frame_of[key])
            if start > 0 and earliest_from[start] >= key:  # nothing shown from here on was coded before
                entries[start] = key
        return sorted(entries.items())

    def entry(self, frame: int) -> tuple[int, int]:
        """The last entry that leads to ``frame``: its own first frame, and the ordinal to decode from."""
        with self._lock:
            return self._entries[bisect_right(self._entries, (frame, len(self.table))) - 1]

    def _stretch(self, frame: int) -> tuple[int, int, int, int]:
        """Of the stretch that ``frame`` lies in: first frame, end, first ordinal, end."""
        place = bisect_right(self._entries, (frame, len(self.table)))
        start, first = self._entries[place - 1]
        stop, behind = self._entries[place] if place < len(self._entries) else (len(self), len(self.table))
        return start, stop, first, behind

    @property
    def damaged(self) -> tuple[tuple[int, int], ...]:
        """Half-open ranges of frames that are known not to decode, in order, apart from one another."""
        with self._lock:
            return tuple(self._damaged)

    def substitute(self, frame: int) -> int | None:
        """The frame whose picture stands for ``frame``: itself, or the last good one, or the first; None if none is."""
        with self._lock:
            for start, stop in self._damaged:
                if start <= frame < stop:
                    return start - 1 if start > 0 else stop if stop < len(self) else None
        return frame

    def mark_damaged(self, start: int, stop: int) -> None:
        """Add to :attr:`damaged`."""
        with self._lock:
            merged: list[tuple[int, int]] = []
            for low, high in sorted([*self._damaged, (start, stop)]):
                if merged and low <= merged[-1][1]:
                    merged[-1] = merged[-1][0], max(high, merged[-1][1])
                else:
                    merged.append((low, high))
            self._damaged = merged

    def examine_packets(self, ordinals: Iterable[int]) -> None:
        """Examine the stretches that these packets belong to."""
        for ordinal in ordinals:
            with self._lock:
                coded_in = [start for start, first in self._entries if first <= ordinal][-1]
            self.examine(coded_in)
            if self.frame_of[ordinal] >= 0:
                self.examine(int(self.frame_of[ordinal]))

    def examine(self, frame: int) -> None:
        """Find out what is damaged in the stretch of ``frame``, once."""
        with self._lock:
            while True:
                start, stop, first, behind = self._stretch(frame)
                if (first, behind) in self._examined:
                    return
                bad = self._first_bad(start, stop, first, behind)
                if bad != first or first == 0:
                    break
                self._entries.remove((start, first))
            self._examined.add((first, behind))
            if bad is not None:
                hit = np.flatnonzero(self.ordinals[start:stop] >= bad)
                if len(hit):
                    self.mark_damaged(start + int(hit[0]), stop)

    def _first_bad(self, start: int, stop: int, first: int, behind: int) -> int | None:
        """Ordinal of the first packet of a stretch that is incomplete, fails, or whose picture is faulty or missing."""
        waiting = set(self.ordinals[start:stop].tolist())
        bad = {n for n in waiting if self.table.corrupt[n]}
        decoder = Decoder(self.path, self.table, threaded=False)
        for ordinal, frame in decoder.run(first):
            if ordinal in waiting:
                waiting.remove(ordinal)
                if frame.is_corrupt:
                    bad.add(ordinal)
            if not waiting or self.frame_of[ordinal] >= stop + REORDER:
                break
        decoder.close()
        # Pictures shown before the entry lean on what lies before it and may well fail.
        failed = {n for n in decoder.failed if n < behind and not 0 <= self.frame_of[n] < start}
        return min(bad | waiting | failed, default=None)


def build_index(path: Path, table: PacketTable, ticks_per_frame: Fraction, *, thorough: bool) -> FrameIndex | None:
    """Make the index of a video; None when not one picture decodes.

    Args:
        path: the file.
        table: its packets.
        ticks_per_frame: assumed where the file gives no times.
        thorough: decode everything once, so that all damage is known from the start.
    """
    seen = survey(path, table, None if thorough else _HEAD)
    true = times_are_true(table, seen)
    if not true and not seen.complete:
        seen = survey(path, table, None)
    order = order_by_times(table, seen) if true else order_by_decoding(table, seen)
    if not seen.came or not len(order):
        return None
    index = FrameIndex(path, table, order, frame_times(table, order, ticks_per_frame))
    suspects = seen.doubtful | set(np.flatnonzero(table.corrupt).tolist())
    if seen.complete:
        suspects |= set(order.tolist()) - set(seen.came)
        if suspects:  # try every entry, because some may only have seemed sound on the way through
            suspects |= set(order.tolist())
    index.examine_packets(sorted(suspects))
    return None if index.substitute(0) is None else index


def damage_notices(name: str, damaged: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    """One sentence for each damaged range of the file ``name``."""
    sentences = []
    for start, stop in damaged:
        shown = start - 1 if start else stop
        if stop - start == 1:
            sentences.append(f"Frame {start} of {name} is damaged; frame {shown} is shown in its place.")
        else:
            sentences.append(f"Frames {start}–{stop - 1} of {name} are damaged; frame {shown} is shown in their place.")
    return tuple(sentences)
