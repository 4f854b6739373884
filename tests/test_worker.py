"""The process that does the heavy work: values and errors come back, it can be stopped, and its end is survived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from matting.errors import Cancelled, MediaError, WorkerError
from matting.job import JobContext
from matting.media import open_clip
from matting.media.clip import Clip
from matting.worker import Worker
from resources import SAMPLE

PATIENCE_S = 30


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


class Listening(JobContext):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[float, str]] = []
        self.notices: list[str] = []

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        self.heard.append((fraction, message))

    def noticed(self, text: str) -> None:
        self.notices.append(text)


# What the worker is asked to do; it finds these by name.


def own_number(ctx: JobContext) -> int:
    return os.getpid()


def count_to(last: int, ctx: JobContext) -> int:
    ctx.notice("Counting.")
    for number in range(last):
        ctx.report(number / last, f"At {number}")
    return last


def count_for_ever(marker: Path, ctx: JobContext) -> None:
    marker.write_text(str(os.getpid()))
    while True:
        ctx.report(0.5, "Counting")
        time.sleep(0.01)


def hear_nothing(marker: Path, ctx: JobContext) -> None:
    marker.write_text(str(os.getpid()))
    time.sleep(10 * PATIENCE_S)


_tidied = 0


def tidy() -> None:
    global _tidied
    _tidied += 1


def times_tidied(ctx: JobContext) -> int:
    return _tidied


def fail_like_an_engine(ctx: JobContext) -> None:
    raise MediaError("take.mp4 is not a video.")


def fail_like_a_programmer(ctx: JobContext) -> None:
    raise KeyError("no such thing")


class Unspeakable(Exception):  # noqa: N818
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail_unspeakably(ctx: JobContext) -> None:
    raise Unspeakable(1, 2)


def sums(clip: Clip, indices: list[int], ctx: JobContext) -> list[int]:
    with clip:
        return [int(clip.frame(index).sum()) for index in indices]


def wait_for(path: Path) -> int:
    until = time.monotonic() + PATIENCE_S
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return int(path.read_text())


def test_it_tidies_up_after_each_job_also_after_one_that_failed() -> None:
    worker = Worker(tidy=tidy)
    try:
        assert worker.run(times_tidied, ctx=JobContext()) == 0
        with pytest.raises(MediaError):
            worker.run(fail_like_an_engine, ctx=JobContext())
        assert worker.run(times_tidied, ctx=JobContext()) == 2
    finally:
        worker.close()


def test_the_work_is_done_elsewhere_and_one_process_serves_all_jobs(worker: Worker) -> None:
    ctx = Listening()
    first = worker.run(own_number, ctx=ctx)
    assert first != os.getpid()
    assert worker.run(count_to, 5, ctx=ctx) == 5
    assert ctx.heard[-1] == (0.8, "At 4")
    assert ctx.notices == ["Counting."]
    assert worker.run(own_number, ctx=ctx) == first


def test_it_stops_when_asked_and_goes_on_with_the_next_job(worker: Worker, tmp_path: Path) -> None:
    ctx, marker = Listening(), tmp_path / "started"

    def stop_it() -> None:
        wait_for(marker)
        ctx.cancel()

    stopper = threading.Thread(target=stop_it)
    stopper.start()
    with pytest.raises(Cancelled):
        worker.run(count_for_ever, marker, ctx=ctx)
    stopper.join()
    assert worker.run(count_to, 3, ctx=Listening()) == 3


def test_a_job_that_does_not_hear_is_ended_with_its_process(tmp_path: Path) -> None:
    ctx, marker, worker = Listening(), tmp_path / "started", Worker(patience_s=0.2)

    def stop_it() -> None:
        wait_for(marker)
        ctx.cancel()

    stopper = threading.Thread(target=stop_it)
    stopper.start()
    try:
        with pytest.raises(Cancelled):
            worker.run(hear_nothing, marker, ctx=ctx)
        stopper.join()
        assert not psutil.pid_exists(wait_for(marker))
        assert worker.run(count_to, 3, ctx=Listening()) == 3
    finally:
        worker.close()


def test_errors_come_back_as_they_were(worker: Worker) -> None:
    with pytest.raises(MediaError, match=r"^take.mp4 is not a video\.$"):
        worker.run(fail_like_an_engine, ctx=Listening())
    with pytest.raises(KeyError) as told:
        worker.run(fail_like_a_programmer, ctx=Listening())
    assert "fail_like_a_programmer" in told.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Unspeakable: 1 and 2"):
        worker.run(fail_unspeakably, ctx=Listening())


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to kill with")
def test_a_killed_process_is_told_and_replaced(worker: Worker, tmp_path: Path) -> None:
    marker = tmp_path / "started"
    killer = threading.Thread(target=lambda: os.kill(wait_for(marker), signal.SIGKILL))
    killer.start()
    with pytest.raises(WorkerError, match=r"SIGKILL.*start it again"):
        worker.run(count_for_ever, marker, ctx=Listening())
    killer.join()
    assert worker.run(count_to, 3, ctx=Listening()) == 3


def test_a_clip_goes_there_as_a_reader_of_its_own(worker: Worker) -> None:
    with open_clip(SAMPLE / "clip.mp4") as clip:
        here = [int(clip.frame(index).sum()) for index in (40, 3)]
        assert worker.run(sums, clip, [40, 3], ctx=Listening()) == here


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to kill with")
def test_the_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    marker = tmp_path / "started"
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from pathlib import Path\n"
        "from matting.job import JobContext\n"
        "from matting.worker import Worker\n"
        "from test_worker import count_for_ever\n"
        "if __name__ == '__main__':\n"
        f"    Worker().run(count_for_ever, Path({str(marker)!r}), ctx=JobContext())\n"
    )
    editor = subprocess.Popen([sys.executable, script])
    number = wait_for(marker)
    editor.kill()
    editor.wait()
    until = time.monotonic() + PATIENCE_S
    while psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.02)
