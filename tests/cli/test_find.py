from __future__ import annotations

import json
from pathlib import Path

import pytest

from main import main
from matting.project.prompts import read_prompts
from resources import SAMPLE


def test_what_is_found_is_printed_and_written_and_can_be_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, prompts, listed = str(SAMPLE / "clip.mp4"), tmp_path / "p.json", tmp_path / "found.json"
    assert main(["find", clip, "--frame", "80", "--json", str(listed), "--prompts", str(prompts)]) == 0
    out = capsys.readouterr().out
    people = json.loads(listed.read_text())["people"]
    assert len(people) >= 2
    assert f"{len(people)} people on frame 80" in out
    assert out.count("score") == len(people)
    given = read_prompts(prompts)
    assert [list(i.prompts[0].box or ()) for i in given.instances] == [person["box"] for person in people]
    assert {i.prompts[0].frame for i in given.instances} == {80}
    assert main(["find", clip, "--frame", "80", "--prompts", str(prompts)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    cut = ["cut", clip, "--prompts", str(prompts), "--project", str(tmp_path / "a.matteo"), "--frames", "80-80"]
    assert main([*cut, "--matter", "none"]) == 0


def test_a_frame_beyond_the_end_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", str(SAMPLE / "clip.mp4"), "--frame", "999"]) == 1
    assert "frames 0-124" in capsys.readouterr().err
