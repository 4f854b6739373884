from pathlib import Path

import pytest

from matting.errors import OutputError
from matting.files import PARTIAL, replacing, replacing_pictures, write_bytes


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fail_after_writing(partial: Path) -> None:
    partial.write_bytes(b"half")
    raise RuntimeError


class TestReplacing:
    def test_the_new_content_takes_the_place_of_the_old(self, tmp_path: Path) -> None:
        target = tmp_path / "a.json"
        write_bytes(target, b"old")
        write_bytes(target, b"new")
        assert target.read_bytes() == b"new"
        assert names(tmp_path) == ["a.json"]

    def test_a_failure_leaves_the_old_file_and_nothing_else(self, tmp_path: Path) -> None:
        target = tmp_path / "a.json"
        write_bytes(target, b"old")
        with pytest.raises(RuntimeError), replacing(target) as partial:
            fail_after_writing(partial)
        assert target.read_bytes() == b"old"
        assert names(tmp_path) == ["a.json"]

    def test_a_missing_folder_is_made(self, tmp_path: Path) -> None:
        write_bytes(tmp_path / "new" / "folder" / "a.json", b"content")
        assert (tmp_path / "new" / "folder" / "a.json").read_bytes() == b"content"

    def test_a_place_that_cannot_be_is_told_in_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(OutputError, match="could not be written"):
            write_bytes(tmp_path / "file" / "a.json", b"")


class TestReplacingPictures:
    def test_a_new_folder_appears_whole(self, tmp_path: Path) -> None:
        folder = tmp_path / "out"
        with replacing_pictures(folder, ["1.png"], overwrite=False) as partial:
            (partial / "1.png").write_bytes(b"1")
            assert not folder.exists()
        assert names(folder) == ["1.png"]
        assert names(tmp_path) == ["out"]

    def test_an_existing_picture_is_refused_before_anything_is_done(self, tmp_path: Path) -> None:
        (tmp_path / "1.png").write_bytes(b"old")
        with (
            pytest.raises(OutputError, match="--overwrite"),
            replacing_pictures(tmp_path, ["0.png", "1.png"], overwrite=False),
        ):
            pytest.fail("the work must not start")
        assert names(tmp_path) == ["1.png"]

    def test_overwriting_leaves_what_else_lies_there(self, tmp_path: Path) -> None:
        folder = tmp_path / "out"
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
        (folder / "1.png").write_bytes(b"old")
        with replacing_pictures(folder, ["1.png"], overwrite=True) as partial:
            (partial / "1.png").write_bytes(b"new")
        assert (folder / "notes.txt").read_text() == "mine"
        assert (folder / "1.png").read_bytes() == b"new"

    def test_a_failure_leaves_the_folder_as_it_was(self, tmp_path: Path) -> None:
        folder = tmp_path / "out"
        with pytest.raises(RuntimeError), replacing_pictures(folder, ["1.png"], overwrite=False) as partial:
            fail_after_writing(partial / "1.png")
        assert names(tmp_path) == []

    def test_with_a_key_what_was_written_is_there_again(self, tmp_path: Path) -> None:
        folder, two = tmp_path / "out", ["1.png", "2.png"]
        with pytest.raises(RuntimeError), replacing_pictures(folder, two, overwrite=False, key="a") as partial:
            fail_after_writing(partial / "1.png")
        (partial / f".2{PARTIAL}killed.png").write_bytes(b"half")
        assert not folder.exists()
        with replacing_pictures(folder, two, overwrite=False, key="b") as other:
            assert names(other) == []
            (other / "2.png").write_bytes(b"2")
        with replacing_pictures(tmp_path / "out", two, overwrite=True, key="a") as again:
            assert names(again) == ["1.png"]
            (again / "2.png").write_bytes(b"2")
        assert names(folder) == two
        assert names(tmp_path) == ["out"]
