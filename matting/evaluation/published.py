"""What the papers report of their own networks on the data sets that ``matteo benchmark papers`` walks.

Sources:
    VIM: "Video Instance Matting" (WACV 2024), table 5, in percent, by the guidance masks' maker.
    MaGGIe: "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024), table 5 (HIM2K with the masks of
    M-HIM2K; means over ten mask makers) and table 7 (V-HIM60 with XMem masks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    group: str
    """The part of the data set."""
    method: str
    values: Mapping[str, float]
    """By our names of the metrics; VIMQ and its factors in percent."""
    deviations: Mapping[str, float] = field(default_factory=dict)
    """Standard deviations over mask makers, where there are several."""


COLUMNS = {
    "vim50": ("rq", "tq", "mq_mse", "vimq_mse", "mq_mad", "vimq_mad", "mq_dtssd", "vimq_dtssd"),
    "him2k": ("mad", "mse", "grad", "conn", "mad_f", "mad_u"),
    "vhim60": ("mad", "grad", "conn", "dtssd", "messddt"),
}
"""The columns of each data set's table."""


def _row(dataset: str, group: str, method: str, *values: float, deviations: tuple[float, ...] = ()) -> Row:
    columns = COLUMNS[dataset]
    return Row(
        group,
        method,
        dict(zip(columns, values, strict=True)),
        dict(zip(columns, deviations, strict=True)) if deviations else {},
    )


ROWS = {
    "vim50": (
        _row("vim50", "all", "MSG-VIM, MaskTrack R-CNN", 72.72, 93.17, 56.52, 38.29, 40.49, 27.43, 28.51, 19.32),
        _row("vim50", "all", "MSG-VIM, SeqFormer", 91.21, 98.34, 78.87, 70.74, 59.60, 53.46, 46.40, 41.62),
    ),
    "him2k": (
        _row(
            "him2k", "comp", "MaGGIe", 12.93, 7.26, 8.91, 7.37, 19.54, 235.95,
            deviations=(0.3, 0.3, 0.1, 0.2, 1.0, 3.4),
        ),
        _row(
            "him2k", "natural", "MaGGIe", 27.17, 16.09, 9.94, 13.42, 49.52, 146.71,
            deviations=(3.3, 3.2, 0.6, 1.4, 8.0, 11.6),
        ),
    ),
    "vhim60": (
        _row("vhim60", "comp_easy", "MaGGIe, XMem", 10.12, 4.08, 3.43, 16.40, 16.41),
        _row("vhim60", "comp_medium", "MaGGIe, XMem", 13.85, 6.31, 5.11, 23.63, 38.12),
        _row("vhim60", "comp_hard", "MaGGIe, XMem", 21.23, 7.08, 6.89, 29.90, 42.98),
    ),
}  # fmt: skip
"""The papers' rows of each data set."""
