from __future__ import annotations

from matting.recent import Recent


def test_the_last_asked_for_stay() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    recent: Recent[str, str] = Recent(2)
    assert [recent.get(key, lambda key=key: make(key)) for key in ("a", "b", "a", "c", "a", "b")] == list("ABACAB")  # type: ignore[misc]
    assert made == ["a", "b", "c", "b"]
