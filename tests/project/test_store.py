from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matting.errors import OutputError
from matting.project.store import CHUNK_FRAMES, MatteStore, chunks, digest


@given(st.integers(0, 100), st.integers(0, 100))
def test_chunks_cover_a_span_once_and_never_cross_the_grid(start: int, length: int) -> None:
    span = range(start, start + length)
    pieces = chunks(span)
    assert [frame for piece in pieces for frame in piece] == list(span)
    assert all(piece.start // CHUNK_FRAMES == (piece.stop - 1) // CHUNK_FRAMES for piece in pieces)


def test_a_key_tells_its_parts_apart() -> None:
    assert digest("a", [1, 2]) == digest("a", [1, 2])
    assert len({digest("a", [1, 2]), digest("a", [1], 2), digest("a", [2, 1]), digest("a1", 2)}) == 4


class TestMatteStore:
    def test_what_is_written_comes_back(self, tmp_path: Path) -> None:
        store = MatteStore(tmp_path)
        array = np.random.default_rng(0).integers(0, 65535, (5, 7, 9, 4), np.uint16)
        store.write("plate", 8, "k", array, {"unseen": 0.5})
        np.testing.assert_array_equal(store.read("plate", 8, "k"), array)
        np.testing.assert_array_equal(store.read_frame("plate", 8, "k", 3), array[3])
        assert store.facts("plate", 8, "k") == {"unseen": 0.5}
        assert store.has("plate", 8, "k")

    def test_another_key_is_another_result_and_both_stay(self, tmp_path: Path) -> None:
        store = MatteStore(tmp_path)
        store.write("masks", 0, "old", np.zeros((1, 2, 2), np.uint8))
        store.write("masks", 0, "new", np.ones((1, 2, 2), np.uint8))
        assert store.latest("masks", 0) == (0, "new")
        assert store.read("masks", 0, "old").max() == 0

    def test_what_is_not_there_is_a_key_error(self, tmp_path: Path) -> None:
        store = MatteStore(tmp_path)
        assert not store.has("masks", 0, "k")
        assert store.latest("masks", 0) is None
        for read in (store.read, store.facts):
            with pytest.raises(KeyError):
                read("masks", 0, "k")

    def test_an_unfinished_chunk_is_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = MatteStore(tmp_path)

        def killed(self: Path, target: Path) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", killed)
            with pytest.raises(KeyboardInterrupt):
                store.write("masks", 0, "k", np.ones((1, 2, 2), np.uint8))
        assert not store.has("masks", 0, "k")
        assert store.latest("masks", 0) is None
        store.prune([])
        assert list(tmp_path.glob("*/*/*")) == []

    def test_pruning_keeps_what_is_named(self, tmp_path: Path) -> None:
        store = MatteStore(tmp_path)
        for key in ("a", "b"):
            store.write("masks", 0, key, np.ones((1, 2, 2), np.uint8))
        store.prune([("masks", 0, "b")])
        assert (store.has("masks", 0, "a"), store.has("masks", 0, "b")) == (False, True)

    def test_a_folder_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "masks").write_text("in the way")
        with pytest.raises(OutputError, match="could not be written"):
            MatteStore(tmp_path).write("masks", 0, "k", np.ones((1, 2, 2), np.uint8))
