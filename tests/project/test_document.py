import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from matting.compositing.looks import Recolor, Remove
from matting.project.document import Document, Instance, Media, Prompt

MEDIA = Media(path="../clip.mp4", fingerprint="f" * 64, width=640, height=360, frame_count=100)


def document() -> Document:
    return Document(media=MEDIA, in_frame=0, out_frame=99)


class TestDocument:
    def test_an_edit_leaves_the_old_document_as_it_was(self) -> None:
        before = document()
        after = before.with_instance(before.new_instance("ann"))
        assert before.instances == ()
        assert [i.name for i in after.instances] == ["ann"]

    def test_ids_are_never_given_twice(self) -> None:
        one = document().with_instance(Instance(id=1, name="ann"))
        two = one.with_instance(one.new_instance("ben"))
        without = two.without_instance(2)
        assert without.new_instance().id == 3

    def test_the_range_includes_both_ends(self) -> None:
        assert list(document().model_copy(update={"in_frame": 3, "out_frame": 5}).frames) == [3, 4, 5]

    @pytest.mark.parametrize("ends", [(5, 4), (0, 100), (-1, 5)])
    def test_a_range_outside_the_clip_is_refused(self, ends: tuple[int, int]) -> None:
        with pytest.raises(ValidationError):
            Document(media=MEDIA, in_frame=ends[0], out_frame=ends[1])

    def test_two_instances_with_one_id_are_refused(self) -> None:
        with pytest.raises(ValidationError, match="same id"):
            Document(
                media=MEDIA, in_frame=0, out_frame=9, next_id=2,
                instances=(Instance(id=1, name="a"), Instance(id=1, name="b")),
            )  # fmt: skip

    def test_it_survives_json_exactly(self) -> None:
        full = document().with_instance(
            Instance(
                id=4, name="Ånn", look=Recolor(color="#12ab9F", strength=0.25),
                prompts=(
                    Prompt(frame=2, points=((1.5, 2.25, 1), (3, 4, 0)), box=(0, 1, 10.5, 20)),
                    Prompt(frame=9, mask="a.png"),
                ),
            )
        )  # fmt: skip
        assert Document.model_validate_json(full.model_dump_json()) == full


class TestPrompts:
    def test_one_prompt_per_frame_in_order(self) -> None:
        with pytest.raises(ValidationError, match="one per frame"):
            Instance(id=1, name="ann", prompts=(Prompt(frame=5), Prompt(frame=2)))

    @given(st.lists(st.integers(0, 50), max_size=20))
    def test_prompts_stay_sorted_and_unique_however_they_are_given(self, frames: list[int]) -> None:
        instance = Instance(id=1, name="ann", look=Remove())
        for frame in frames:
            instance = instance.with_prompt(Prompt(frame=frame, points=((1, 1, 1),)))
        assert [p.frame for p in instance.prompts] == sorted(set(frames))
        assert Instance.model_validate(instance.model_dump()) == instance

    def test_a_prompt_replaces_that_of_its_frame(self) -> None:
        instance = Instance(id=1, name="ann", prompts=(Prompt(frame=3),)).with_prompt(
            Prompt(frame=3, points=((5, 6, 1),))
        )
        assert instance.prompt_at(3) == Prompt(frame=3, points=((5, 6, 1),))
        assert instance.without_prompt(3).prompts == ()

    def test_a_box_has_an_area(self) -> None:
        with pytest.raises(ValidationError, match="x0 < x1"):
            Prompt(frame=0, box=(5, 5, 5, 9))


class TestCuts:
    def test_shots_lie_between_cuts(self) -> None:
        assert document().shots == (range(100),)
        assert document().model_copy(update={"cuts": (30, 31)}).shots == (range(30), range(30, 31), range(31, 100))

    @given(st.sets(st.integers(1, 99)), st.integers(-3, 110))
    def test_an_added_cut_is_taken_back_by_removing_it(self, cuts: set[int], frame: int) -> None:
        before = Document(media=MEDIA, in_frame=0, out_frame=99, cuts=tuple(sorted(cuts)))
        after = before.with_cut(frame)
        assert Document.model_validate_json(after.model_dump_json()) == after
        assert any(shot.start == frame for shot in after.shots) == (0 <= frame < 100)
        if frame not in cuts:
            assert after.without_cut(frame) == before

    @pytest.mark.parametrize("cuts", [(0,), (100,), (20, 10), (10, 10)])
    def test_cuts_in_disorder_or_outside_the_clip_are_refused(self, cuts: tuple[int, ...]) -> None:
        with pytest.raises(ValidationError, match="cuts"):
            Document(media=MEDIA, in_frame=0, out_frame=99, cuts=cuts)
