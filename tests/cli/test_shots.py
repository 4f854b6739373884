"""Shots: what is found, told and kept, and that nothing is carried from one to the next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from figures_clip import HEIGHT, WIDTH, Run, centres, picture
from numpy.typing import NDArray

from matting.job import JobContext
from matting.pipeline.cut import make_plate, track
from matting.pipeline.matte import matte
from matting.pipeline.picture import Compositor
from matting.pipeline.workspace import State, Workspace
from matting.project.document import Document, Prompt
from matting.project.masks import read_picture
from matting.project.project import Project

CUT, LENGTH = 13, 24
"""Not where chunks of eight frames begin."""


def frame(index: int) -> NDArray[np.uint8]:
    """The figures, and from the cut on the same ones further on, mirrored, in other light."""
    return picture(index) if index < CUT else 255 - picture(index - CUT)[:, ::-1]


def write(path: Path, frames: range) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        for index in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame(index)), "rgb24")))
        container.mux(stream.encode())
    return path


def box(index: int, person: int) -> list[int]:
    """Around a figure, ann or ben."""
    x, y = centres(index if index < CUT else index - CUT)[person]
    x = x if index < CUT else WIDTH - 1 - x
    return [x - 12, y - 20, x + 12, y + 20]


def write_prompts(path: Path, ann: tuple[int, ...], ben: tuple[int, ...], first: int = 0) -> Path:
    instances = [
        {"name": name, "prompts": [{"frame": t - first, "box": box(t, person)} for t in frames]}
        for person, (name, frames) in enumerate((("ann", ann), ("ben", ben)))
        if frames
    ]
    path.write_text(json.dumps({"instances": instances}))
    return path


@pytest.fixture
def two_shots(tmp_path: Path) -> Path:
    return write(tmp_path / "two.mkv", range(LENGTH))


@pytest.fixture
def work(two_shots: Path, tmp_path: Path, matteo: Run) -> Iterator[Workspace]:
    """Ann has a prompt in both shots, Ben only in the first."""
    prompts = write_prompts(tmp_path / "prompts.json", ann=(2, 20), ben=(2,))
    assert matteo("cut", two_shots, "--prompts", prompts, "--project", tmp_path / "two.matteo") == 0
    opened = Project.load(tmp_path / "two.matteo")
    with opened.open_clip() as clip:
        yield Workspace.of(opened, clip)


def with_prompt(document: Document, person: int, index: int) -> Document:
    x0, y0, x1, y1 = box(index, person - 1)
    return document.with_instance(document.instance(person).with_prompt(Prompt(frame=index, box=(x0, y0, x1, y1))))


class TestCommand:
    def test_a_continued_project_keeps_what_the_artist_made_of_them(
        self, work: Workspace, two_shots: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def cuts_after(*option: str) -> tuple[int, ...] | None:
            prompts = tmp_path / "prompts.json"
            assert (
                matteo("cut", two_shots, "--prompts", prompts, "--project", work.folder, "--matter", "none", *option)
                == 0
            )
            return Project.load(work.folder).document.cuts

        assert cuts_after("--cuts", "5,17") == (5, 17)
        assert "2 cuts: frames 5, 17\n" in capsys.readouterr().out
        assert cuts_after() == (5, 17)
        assert cuts_after("--cuts", "none") == ()
        assert "no cuts\n" in capsys.readouterr().out
        assert cuts_after() == ()
        assert cuts_after("--cuts", "auto") == (CUT,)
        assert "1 cut: frame 13\n" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("option", "code", "reason"), [("0", 1, "0"), ("24", 1, "1-23"), ("3-5", 2, "120,341"), ("", 2, "none")]
    )
    def test_cuts_that_are_none(
        self, two_shots: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str],
        option: str, code: int, reason: str,
    ) -> None:  # fmt: skip
        prompts = write_prompts(tmp_path / "prompts.json", ann=(2,), ben=())
        folder = tmp_path / "no.matteo"
        assert matteo("cut", two_shots, "--prompts", prompts, "--project", folder, "--cuts", option) == code
        assert reason in capsys.readouterr().err
        assert not folder.exists()


class TestShots:
    def test_chunks_do_not_reach_across_a_cut(self, work: Workspace) -> None:
        assert work.document.cuts == (CUT,)
        assert work.chunks == [range(0, 8), range(8, 13), range(13, 16), range(16, 24)]
        assert [work.chunk_of(t) for t in (12, 13, 15, 16)] == work.chunks[1:2] + 2 * work.chunks[2:3] + work.chunks[3:]

    def test_who_has_no_prompt_in_a_shot_is_not_there(self, work: Workspace) -> None:
        seen = np.array([[mask.any() for mask in work.masks(t)] for t in range(LENGTH)])
        assert seen[:, 0].all(), "ann"
        assert seen[:CUT, 1].all(), "ben"
        assert not seen[CUT:, 1].any()
        assert not any(work.alpha(t, 2).any() for t in range(CUT, LENGTH))

    @pytest.mark.parametrize(("shot", "ann", "ben"), [(range(CUT), (2,), (2,)), (range(CUT, LENGTH), (20,), ())])
    def test_a_shot_of_a_clip_is_like_a_clip_of_that_shot(
        self, work: Workspace, tmp_path: Path, matteo: Run, shot: range, ann: tuple[int, ...], ben: tuple[int, ...]
    ) -> None:
        clip = write(tmp_path / "one.mkv", shot)
        prompts = write_prompts(tmp_path / "one.json", ann, ben, shot.start)
        assert matteo("cut", clip, "--prompts", prompts, "--project", tmp_path / "one.matteo") == 0
        opened = Project.load(tmp_path / "one.matteo")
        make_plate(work, JobContext())
        with opened.open_clip() as footage:
            alone = Workspace.of(opened, footage)
            make_plate(alone, JobContext())
            for t in range(len(shot)):
                place, source = shot.start + t, footage.frame(t)
                assert np.array_equal(work.masks(place)[: len(alone.ids)], alone.masks(t))
                for i in alone.ids:
                    assert np.array_equal(work.alpha(place, i), alone.alpha(t, i))
                assert np.array_equal(Compositor(work).plate(place, source), Compositor(alone).plate(t, source))

    def test_a_prompt_makes_only_its_shot_stale(self, work: Workspace) -> None:
        make_plate(work, JobContext())
        changed = work.with_document(with_prompt(work.document, 1, 22))
        assert [changed.mask_state(chunk) for chunk in work.chunks] == 3 * [State.CURRENT] + [State.STALE]
        newcomer = work.with_document(with_prompt(work.document, 2, 20))
        assert [newcomer.alpha_state(chunk, 1) for chunk in work.chunks] == 2 * [State.CURRENT] + 2 * [State.STALE]
        assert newcomer.plate_key(newcomer.shots[0]) == work.plate_key(work.shots[0])
        track(newcomer, JobContext())
        assert newcomer.masks(15)[1].any()

    def test_a_cut_makes_only_stale_what_it_parts(self, work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        # Selecting looks at frames around, and in so short a clip the cut is near all of them.
        monkeypatch.setattr("matting.pipeline.workspace.looks_at", lambda _: ())
        whole = work.with_document(with_prompt(work.document, 1, 11).without_cut(CUT))
        track(whole, JobContext())
        # Frames 2, 11 and 20 have prompts: a cut at 17 parts the last two, so what lies before 11 stays.
        parted = whole.with_document(whole.document.with_cut(17))
        assert [(c.start, parted.mask_state(c)) for c in parted.chunks] == [
            (0, State.CURRENT), (8, State.STALE), (16, State.STALE), (17, State.STALE),
        ]  # fmt: skip
        assert parted.index_picture(17) is not None, "what was there is shown until it is made anew"
        again = parted.with_document(whole.document)
        assert {again.mask_state(chunk) for chunk in again.chunks} == {State.CURRENT}

    def test_what_was_parted_is_shown_after_the_cut_is_gone(self, work: Workspace) -> None:
        joined = work.with_document(work.document.without_cut(CUT))
        assert joined.chunks == [range(0, 8), range(8, 16), range(16, 24)]
        assert joined.mask_state(joined.chunks[1]) is State.STALE
        for t in (8, 12, 13, 15):
            shown = joined.index_picture(t)
            assert shown is not None
            assert np.array_equal(shown == 1, work.masks(t)[0])
        with pytest.raises(KeyError):
            joined.masks(12)

    def test_the_range_bounds_the_shots(self, work: Workspace) -> None:
        def shots(first: int, last: int) -> tuple[range, ...]:
            return work.with_document(work.document.model_copy(update={"in_frame": first, "out_frame": last})).shots

        assert shots(3, 20) == (range(3, 13), range(13, 21))
        assert shots(3, 12) == (range(3, 13),)
        assert shots(13, 13) == (range(13, 14),)

    def test_nobody_in_the_whole_shot(self, two_shots: Path, tmp_path: Path, matteo: Run) -> None:
        prompts = write_prompts(tmp_path / "late.json", ann=(20,), ben=())
        assert matteo("cut", two_shots, "--prompts", prompts, "--project", tmp_path / "late.matteo") == 0
        assert matteo("look", tmp_path / "late.matteo", "--instance", "ann", "--remove") == 0
        assert matteo("export", tmp_path / "late.matteo", tmp_path / "out.mkv") == 0
        opened = Project.load(tmp_path / "late.matteo")
        with opened.open_clip() as clip:
            late = Workspace.of(opened, clip)
            assert not any(late.masks(t).any() for t in range(CUT))
            assert all(late.alpha_state(chunk, 1) is State.CURRENT for chunk in late.chunks)
            matte(late, JobContext())


class TestFolders:
    def test_masks_and_mattes_stop_at_a_cut(
        self, two_shots: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        given, out = tmp_path / "given", tmp_path / "out"
        given.mkdir()
        x0, y0, x1, y1 = box(2, 0)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.ellipse(mask, ((x0 + x1) // 2, (y0 + y1) // 2), (10, 18), 0, 0, 360, 1, -1)
        cv2.imwrite(str(given / "00002.png"), mask)
        assert matteo("track", two_shots, "--masks", given, "--out", out) == 0
        assert "1 cut: frame 13\n" in capsys.readouterr().out
        assert [read_picture(out / f"{t:05d}.png").any() for t in range(LENGTH)] == [t < CUT for t in range(LENGTH)]
        assert matteo("track", two_shots, "--masks", given, "--out", out, "--cuts", "5", "--overwrite") == 0
        assert "cut" not in capsys.readouterr().out, "nobody asked for a search"
        assert [read_picture(out / f"{t:05d}.png").any() for t in range(LENGTH)] == [t < 5 for t in range(LENGTH)]
        assert matteo("matte", two_shots, "--masks", out, "--out", tmp_path / "alpha", "--cuts", "5,9") == 0
        assert len(list((tmp_path / "alpha" / "1").iterdir())) == LENGTH
