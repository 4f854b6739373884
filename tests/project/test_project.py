import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from matting.compositing.looks import Remove
from matting.errors import OutputError, ProjectError
from matting.media import ClipInfo, ColorTags
from matting.project.document import Document, Instance, Prompt
from matting.project.project import Project

SAMPLES = Path(__file__).parent / "samples"


def info(path: Path, fingerprint: str = "abc") -> ClipInfo:
    return ClipInfo(
        path=path, size_hw=(360, 640), bit_depth=8, time_base=Fraction(1, 25), pts=np.arange(10), duration=1,
        rate=Fraction(25), rotation=0, pixel_aspect=Fraction(1), color=ColorTags(1, 1, 1, False, False), audio=None,
        fingerprint=fingerprint,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.create(tmp_path / "work" / "shot.matteo", info(tmp_path / "footage" / "clip.mp4"))
    project.folder.mkdir(parents=True)
    return project


class TestSaving:
    def test_what_is_saved_opens_again(self, project: Project) -> None:
        ann = Instance(id=1, name="ann", prompts=(Prompt(frame=2, points=((1, 2, 1),)),), look=Remove())
        project.document = project.document.with_instance(ann)
        project.save()
        assert Project.load(project.folder).document == project.document

    def test_paths_are_relative_so_the_whole_tree_can_move(self, project: Project, tmp_path: Path) -> None:
        project.save()
        assert json.loads((project.folder / "project.json").read_text())["media"]["path"] == "../../footage/clip.mp4"
        shutil.move(tmp_path / "work", tmp_path / "deep")
        moved = Project.load(tmp_path / "deep" / "shot.matteo")
        assert moved.resolve(moved.document.media.path) == tmp_path / "footage" / "clip.mp4"

    def test_a_failed_save_leaves_the_old_project(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        project.save()
        before = (project.folder / "project.json").read_bytes()
        project.document = project.document.model_copy(update={"in_frame": 3})

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            project.save()
        assert (project.folder / "project.json").read_bytes() == before
        assert [path.name for path in project.folder.iterdir()] == ["project.json"]


class TestLoading:
    def test_every_version_ever_written_opens(self) -> None:
        samples = sorted(SAMPLES.glob("v*.json"))
        assert samples
        for sample in samples:
            document = Document.model_validate_json(sample.read_bytes())
            assert [i.name for i in document.instances] == ["ann", "ben"]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("{", "damaged"),
            ("[]", "no schema_version"),
            ('{"schema_version": 2}', "newer Matteo"),
            ('{"schema_version": 1}', "damaged at media"),
        ],
    )
    def test_what_is_no_project_is_told(self, project: Project, content: str, said: str) -> None:
        (project.folder / "project.json").write_text(content)
        with pytest.raises(ProjectError, match=said):
            Project.load(project.folder)

    def test_a_folder_without_a_document(self, tmp_path: Path) -> None:
        with pytest.raises(ProjectError, match="is not a Matteo project"):
            Project.load(tmp_path)


class TestAutosave:
    def test_it_is_offered_until_the_next_save(self, project: Project) -> None:
        project.save()
        edited = project.document.model_copy(update={"in_frame": 4})
        project.autosave(edited)
        reopened = Project.load(project.folder)
        assert reopened.document.in_frame == 0
        assert reopened.autosaved() == edited
        reopened.document = edited
        reopened.save()
        assert Project.load(project.folder).autosaved() is None

    def test_a_damaged_one_never_keeps_the_project_from_opening(self, project: Project) -> None:
        project.save()
        (project.folder / "autosave.json").write_text("{")
        assert Project.load(project.folder).autosaved() is None


class TestRelinking:
    def test_the_same_content_elsewhere(self, project: Project, tmp_path: Path) -> None:
        assert project.relinked(info(tmp_path / "x.mp4")).media.path == "../../x.mp4"

    def test_another_clip_is_refused(self, project: Project, tmp_path: Path) -> None:
        with pytest.raises(ProjectError, match="is not the clip"):
            project.relinked(info(tmp_path / "x.mp4", fingerprint="other"))

    def test_a_missing_clip_says_how_to_relink(self, project: Project) -> None:
        with pytest.raises(ProjectError, match="matteo relink"):
            project.open_clip()
