"""A session with a made-up clip and people: what the editor's widgets show, without any decoding."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import numpy as np
from PySide6.QtWidgets import QWidget

from app.session import Session
from matting.compositing.looks import Blur, Keep, Look, Recolor, Remove
from matting.media.clip import ClipInfo, ColorTags
from matting.project.document import Document, Instance, Media, Prompt
from matting.project.project import Project

W = TypeVar("W", bound=QWidget)


class FakeWorkspace:
    """Stands where a workspace is swapped along with the document; there is no store behind it."""

    def with_document(self, document: Document) -> FakeWorkspace:
        return self


def clip_info(
    frame_count: int,
    rate: Fraction = Fraction(25),
    pts: list[int] | None = None,
    size_hw: tuple[int, int] = (720, 1280),
) -> ClipInfo:
    """A clip of this many frames in ticks of 1/90000 s; ``pts`` for a variable rate."""
    tick = Fraction(1, 90000)
    times = np.array(pts if pts is not None else [round(i / rate / tick) for i in range(frame_count)], np.int64)
    return ClipInfo(
        path=Path("/footage/dance_4p.mp4"),
        size_hw=size_hw,
        bit_depth=8,
        time_base=tick,
        pts=times,
        duration=round(1 / rate / tick),
        rate=rate,
        rotation=0,
        pixel_aspect=Fraction(1),
        color=ColorTags(1, 1, 1, full_range=False, guessed=False),
        audio=None,
        fingerprint="0123456789abcdef",
    )


def person(instance_id: int, name: str, *prompts: Prompt, look: Look | None = None) -> Instance:
    return Instance(id=instance_id, name=name, prompts=prompts, look=look or Keep())


def five_people(frame_count: int) -> tuple[Instance, ...]:
    """People in all the states that an artist meets, spread over a clip of this length."""

    def at(share: float) -> int:
        return round(share * (frame_count - 1))

    return (
        person(
            1,
            "Anna",
            Prompt(frame=at(0.1), points=((320.0, 180.0, 1), (410.0, 300.0, 1), (200.5, 96.0, 0))),
            Prompt(frame=at(0.55), box=(250.0, 120.0, 500.0, 640.0)),
        ),
        person(2, "Ben", Prompt(frame=at(0.1), points=((700.0, 200.0, 1),)), look=Remove()),
        person(
            3,
            "Chidera with a rather long name",
            Prompt(frame=at(0.2), box=(900.0, 80.0, 1100.0, 600.0)),
            Prompt(frame=at(0.6)),
            Prompt(frame=at(0.8), points=((950.0, 200.0, 1),)),
            look=Recolor(color="#2F6FED", strength=0.7),
        ),
        person(4, "Dora", Prompt(frame=at(0.4), points=((90.0, 200.0, 1),)), look=Blur(radius=18)),
        person(5, "Person 5"),
    )


def open_session(
    folder: Path, info: ClipInfo, people: tuple[Instance, ...] = (), session: Session | None = None
) -> Session:
    """A session that shows this clip and these people; ``folder`` takes the autosave."""
    session = session or Session()
    height, width = info.size_hw
    media = Media(
        path="../dance_4p.mp4", fingerprint=info.fingerprint, width=width, height=height, frame_count=len(info)
    )
    next_id = max((one.id for one in people), default=0) + 1
    document = Document(media=media, in_frame=0, out_frame=len(info) - 1, instances=people, next_id=next_id)
    clip = SimpleNamespace(info=info, size_hw=info.size_hw)
    session.adopt(Project(folder, document), cast(Any, clip), cast(Any, FakeWorkspace()), untitled=False)
    return session


def find(parent: QWidget, kind: type[W], name: str) -> W:
    """The child with this object name; fails the test when there is none."""
    child = parent.findChild(kind, name)
    assert isinstance(child, kind), f"there is no {name}"
    return child
