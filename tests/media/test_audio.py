"""The sound goes along: copied where it can be, cut where it must be, and always where the pictures are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from exports import clip_info, export, read
from numpy.typing import NDArray

from matting.media.clip import ClipInfo
from matting.media.presets import Preset, default_preset

RATE = 48000
CLICKS_S = [0.25, 1.01, 1.5, 2.2, 2.875]
PICTURE = np.zeros((16, 16, 3), np.uint8)
FRAMES = 30
RATE_FPS = 10


def make_clip(
    path: Path, codec: str, *, video_start_s: Fraction = Fraction(0), audio_start_s: Fraction = Fraction(0)
) -> ClipInfo:
    """3 s of video with clicks at :data:`CLICKS_S` after the start of the sound."""
    tick = Fraction(1, 12800)
    first = int(video_start_s / tick)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=RATE_FPS, width=16, height=16, time_base=tick)
        audio = container.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(video, av.VideoStream)
        assert isinstance(audio, av.AudioStream)
        sound = np.zeros((1, 3 * RATE), np.float32)
        for click_s in CLICKS_S:
            at = round(click_s * RATE)
            sound[0, at : at + 24] = 0.9 * np.hanning(24)
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(PICTURE, "rgb24")
            frame.pts, frame.time_base = first + 1280 * index, tick
            container.mux(video.encode(frame))
            piece = sound[:, RATE * index // RATE_FPS : RATE * (index + 1) // RATE_FPS]
            heard = av.AudioFrame.from_ndarray(piece, "fltp", "mono")
            heard.sample_rate, heard.time_base = RATE, Fraction(1, RATE)
            heard.pts = round(audio_start_s * RATE) + RATE * index // RATE_FPS
            container.mux(audio.encode(heard))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pts = sorted(p.pts for p in container.demux(stream) if p.pts is not None)
        time_base = stream.time_base or tick
        duration = int(Fraction(1, RATE_FPS) / time_base)
        name = container.streams.audio[0].codec_context.name
        assert len(pts) == FRAMES
        return clip_info(size_hw=(16, 16), time_base=time_base, pts=pts, duration=duration, path=path, audio=name)


class Sound(NamedTuple):
    codec: str
    packets: list[bytes]
    times_s: list[Fraction]


def packets(path: Path) -> Sound:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        found = [p for p in container.demux(stream) if p.pts is not None and p.size]
        tick = stream.time_base or Fraction(0)
        return Sound(stream.codec_context.name, [bytes(p) for p in found], [(p.pts or 0) * tick for p in found])


def samples(path: Path) -> tuple[float, NDArray[np.float32]]:
    """When the first sample is heard, and all of them."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        start_s = float((frames[0].pts or 0) * (frames[0].time_base or 0))
        resampler = av.AudioResampler("fltp", "mono", RATE)
        pieces = [piece.to_ndarray() for frame in frames for piece in resampler.resample(frame)]
        return start_s, np.concatenate(pieces, axis=1)[0]


def clicks_s(path: Path) -> list[float]:
    """When clicks are heard: the middle of each run of loud samples."""
    start_s, heard = samples(path)
    loud = np.flatnonzero(np.abs(heard) > 0.25)
    runs = np.split(loud, np.flatnonzero(np.diff(loud) > 480) + 1)
    return [start_s + float(np.average(run, weights=np.abs(heard[run]))) / RATE for run in runs if len(run)]


def expected_s(offset_s: float, length_s: float) -> list[float]:
    middle = 11.5 / RATE
    shifted = [click + middle + offset_s for click in CLICKS_S]
    return [click for click in shifted if 0.03 < click < length_s - 0.03]


def pictures(count: int) -> list[NDArray[np.uint8]]:
    return [PICTURE] * count


SOURCES = {
    "aac.mp4": "aac",
    "pcm.mkv": "pcm_s16le",
    "opus.webm.mkv": "libopus",
    "mp2.mkv": "mp2",
    "adpcm.avi": "adpcm_ms",
}
TARGETS = ["out.mp4", "out.mov", "out.mkv", "out.webm"]
COPIED = {
    ("aac.mp4", "out.mp4"),
    ("aac.mp4", "out.mov"),
    ("aac.mp4", "out.mkv"),
    ("pcm.mkv", "out.mov"),
    ("pcm.mkv", "out.mkv"),
    ("opus.webm.mkv", "out.mp4"),
    ("opus.webm.mkv", "out.mkv"),
    ("opus.webm.mkv", "out.webm"),
    ("mp2.mkv", "out.mkv"),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ClipInfo]:
    folder = tmp_path_factory.mktemp("sources")
    return {name: make_clip(folder / name, codec) for name, codec in SOURCES.items()}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", TARGETS)
def test_a_whole_clip_keeps_its_sound(sources: dict[str, ClipInfo], tmp_path: Path, source: str, target: str) -> None:
    info, out = sources[source], tmp_path / target
    assert export(out, default_preset(out), info, pictures(FRAMES)) == []
    before, after = packets(info.path), packets(out)
    if (source, target) in COPIED:
        if (source, target) == ("pcm.mkv", "out.mov"):  # where packets of samples have no borders
            assert b"".join(after.packets) == b"".join(before.packets)
        else:
            assert after.packets == before.packets
            assert all(abs(a - b) <= Fraction(1, 1000) for a, b in zip(after.times_s, before.times_s, strict=True))
    else:
        assert after.codec == {"out.mp4": "aac", "out.mov": "aac", "out.mkv": "flac", "out.webm": "opus"}[target]
    np.testing.assert_allclose(clicks_s(out), expected_s(0, 3), atol=0.0015)
    assert read(out).times_s[0] == 0


def test_copying_keeps_times_exact(sources: dict[str, ClipInfo], tmp_path: Path) -> None:
    export(tmp_path / "out.mp4", Preset.H264, sources["aac.mp4"], pictures(FRAMES))
    assert packets(tmp_path / "out.mp4").times_s == packets(sources["aac.mp4"].path).times_s


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("span", [range(8, 28), range(1, 16), range(12, 13)])
def test_a_part_is_cut_where_the_pictures_are(
    sources: dict[str, ClipInfo], tmp_path: Path, source: str, target: str, span: range
) -> None:
    info, out = sources[source], tmp_path / target
    assert export(out, default_preset(out), info, pictures(len(span)), span) == []
    length_s = len(span) / RATE_FPS
    np.testing.assert_allclose(
        clicks_s(out) if len(span) > 1 else [], expected_s(-span.start / RATE_FPS, length_s), atol=0.0015
    )
    start_s, heard = samples(out)
    one_packet_s = 0.045  # the coarsest: a packet of the pcm and adpcm sources
    assert -0.001 <= start_s <= one_packet_s
    assert abs(start_s + len(heard) / RATE - length_s) <= one_packet_s
    assert abs(read(out).seconds - Fraction(len(span), RATE_FPS)) <= Fraction(1, 20)
    assert read(out).times_s[0] == 0


@pytest.mark.parametrize(("codec", "name"), [("aac", "a.mp4"), ("pcm_s16le", "a.mkv")])
@pytest.mark.parametrize("target", ["out.mp4", "out.mkv", "out.webm"])
@pytest.mark.parametrize(("video_s", "audio_s"), [("0", "0.4"), ("0.4", "0"), ("1", "1.25"), ("1.25", "1")])
def test_streams_that_do_not_start_together(
    tmp_path: Path, codec: str, name: str, target: str, video_s: str, audio_s: str
) -> None:
    video_start_s, audio_start_s = Fraction(video_s), Fraction(audio_s)
    info = make_clip(tmp_path / name, codec, video_start_s=video_start_s, audio_start_s=audio_start_s)
    out = tmp_path / target
    export(out, default_preset(out), info, pictures(FRAMES))
    lag_s = float(audio_start_s - video_start_s)
    heard = np.array(clicks_s(out)) - float(read(out).times_s[0])
    np.testing.assert_allclose(heard, [click + 11.5 / RATE + lag_s for click in CLICKS_S], atol=0.003)
    assert min(float(read(out).times_s[0]), samples(out)[0]) < 0.5  # nobody waits for the clock of the camera

    export(out, default_preset(out), info, pictures(16), range(4, 20), overwrite=True)
    np.testing.assert_allclose(clicks_s(out), expected_s(lag_s - 0.4, 1.6), atol=0.003)


@pytest.mark.parametrize("target", TARGETS)
def test_a_part_without_any_sound(sources: dict[str, ClipInfo], tmp_path: Path, target: str) -> None:
    """The clip goes on for a minute after its sound has ended."""
    source = sources["aac.mp4"]
    info = clip_info(900, (16, 16), path=source.path, audio="aac")
    out = tmp_path / target
    assert export(out, default_preset(out), info, pictures(3), range(800, 803)) == []
    assert read(out).times_s[:2] == [0, Fraction(1, 25)]
    with av.open(str(out)) as container:
        assert sum(packet.size for packet in container.demux() if packet.stream.type == "audio") == 0


def test_sound_can_be_left_out(sources: dict[str, ClipInfo], tmp_path: Path) -> None:
    export(tmp_path / "out.mp4", Preset.H264, sources["aac.mp4"], pictures(FRAMES), audio=False)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert len(container.streams.audio) == 0


def test_pcm_survives_bit_by_bit(sources: dict[str, ClipInfo], tmp_path: Path) -> None:
    export(tmp_path / "out.mov", Preset.H264, sources["pcm.mkv"], pictures(FRAMES))
    np.testing.assert_array_equal(samples(tmp_path / "out.mov")[1], samples(sources["pcm.mkv"].path)[1])


def test_surround_sound_keeps_its_channels(tmp_path: Path) -> None:
    source = tmp_path / "source.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="5.1")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 6 * RATE), np.int16), "s16", "5.1")
        frame.sample_rate, frame.pts = RATE, 0
        assert isinstance(stream, av.AudioStream)
        container.mux([*stream.encode(frame), *stream.encode(None)])
    info = clip_info(25, (16, 16), path=source, audio="pcm_s16le")
    for name in ("out.mp4", "out.webm"):
        export(tmp_path / name, default_preset(tmp_path / name), info, pictures(25))
        with av.open(str(tmp_path / name)) as container:
            assert container.streams.audio[0].codec_context.layout.name == "5.1"


def test_damaged_sound_is_told_and_does_not_stop_the_export(sources: dict[str, ClipInfo], tmp_path: Path) -> None:
    """Sound that cannot be decoded costs the sound, not the pictures."""
    content = bytearray(sources["aac.mp4"].path.read_bytes())
    whole = packets(sources["aac.mp4"].path).packets
    for packet in whole[20:60]:
        at = content.find(packet)
        content[at : at + len(packet)] = b"\xff" * len(packet)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    info = clip_info(size_hw=(16, 16), pts=sources["aac.mp4"].pts, path=damaged, audio="aac")
    notices = export(tmp_path / "out.webm", Preset.VP9_ALPHA, info, pictures(FRAMES))
    assert len(notices) == 1
    assert "cannot be decoded" in notices[0]
    assert len(read(tmp_path / "out.webm").frames) == FRAMES
    last = clicks_s(tmp_path / "out.webm")[-1]
    assert last == pytest.approx(CLICKS_S[-1] + 11.5 / RATE, abs=0.0015)  # what follows is still in time


def test_a_source_that_is_gone_is_told(tmp_path: Path) -> None:
    info = clip_info(2, (16, 16), path=tmp_path / "gone.mp4", audio="aac")
    notices = export(tmp_path / "out.mp4", Preset.H264, info, pictures(2))
    assert notices == ["The sound of gone.mp4 is left out, it cannot be read: No such file or directory."]
    assert len(read(tmp_path / "out.mp4").frames) == 2
