from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.job import Jobs, Lane
from matting.errors import MediaError
from matting.job import JobContext


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[Jobs]:
    jobs = Jobs()
    yield jobs
    jobs.shut_down()


def test_what_is_called_back_is_called_on_the_gui_thread(jobs: Jobs, qtbot: QtBot) -> None:
    threads: dict[str, threading.Thread] = {}

    def note(when: str) -> None:
        threads[when] = threading.current_thread()

    jobs.start("Work", lambda ctx: note("work"), done=lambda _: note("done"), finished=lambda: note("finished"))
    qtbot.waitUntil(lambda: jobs.idle)
    assert threads["done"] is threads["finished"] is threading.main_thread()
    assert threads["work"] is not threading.main_thread()


def test_an_error_reaches_whoever_asked(jobs: Jobs, qtbot: QtBot) -> None:
    def fail(ctx: JobContext) -> None:
        raise MediaError("clip.mp4 is empty.")

    errors: list[Exception] = []
    calls: list[str] = []
    jobs.start(
        "Fail", fail, done=lambda _: calls.append("done"), failed=errors.append, stopped=lambda: calls.append("no")
    )
    qtbot.waitUntil(lambda: jobs.idle)
    assert [str(error) for error in errors] == ["clip.mp4 is empty."]
    assert calls == []


def test_cancelling_stops_at_the_next_report_and_is_no_error(jobs: Jobs, qtbot: QtBot) -> None:
    began, calls = threading.Event(), list[str]()

    def work(ctx: JobContext) -> None:
        while True:
            began.set()
            ctx.report(0.5, "Working")

    jobs.start(
        "Work", work, stopped=lambda: calls.append("stopped"), failed=lambda e: calls.append("failed"), lane=Lane.HEAVY
    )
    assert began.wait(5)
    jobs.cancel_heavy()
    qtbot.waitUntil(lambda: jobs.idle)
    assert calls == ["stopped"]


def test_heavy_jobs_run_one_after_another(jobs: Jobs, qtbot: QtBot) -> None:
    order: list[str] = []
    first = threading.Event()

    def one(ctx: JobContext) -> None:
        first.wait(5)
        order.append("one")

    jobs.start("One", one, lane=Lane.HEAVY)
    jobs.start("Two", lambda ctx: order.append("two"), lane=Lane.HEAVY)
    assert [job.title for job in jobs.heavy] == ["One", "Two"]
    first.set()
    qtbot.waitUntil(lambda: jobs.idle)
    assert order == ["one", "two"]


def test_progress_comes_at_most_twenty_times_a_second_with_the_time_left(jobs: Jobs, qtbot: QtBot) -> None:
    heard: list[tuple[float, str]] = []
    go = threading.Event()

    def work(ctx: JobContext) -> None:
        go.wait(5)
        for step in range(5000):
            ctx.report(step / 5000, "Counting")

    job = jobs.start("Count", work)
    job.signals.progressed.connect(lambda fraction, message, eta_s: heard.append((fraction, message)))
    go.set()
    qtbot.waitUntil(lambda: jobs.idle)
    assert 1 <= len(heard) < 500
    assert {message for _, message in heard} == {"Counting"}


def test_shutting_down_leaves_nothing_but_what_goes_to_disk(qtbot: QtBot) -> None:
    jobs, written = Jobs(), list[str]()
    began = threading.Event()

    def endless(ctx: JobContext) -> None:
        while True:
            began.set()
            ctx.raise_if_cancelled()

    jobs.start("Endless", endless, lane=Lane.HEAVY)
    jobs.start("Save", lambda ctx: written.append("saved"), lane=Lane.DISK)
    assert began.wait(5)
    jobs.shut_down()
    assert written == ["saved"]
