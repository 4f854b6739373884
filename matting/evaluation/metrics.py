"""Every metric of both papers; opacities are float32 in [0, 1], ``[T, N, H, W]``.

Each takes a prediction and its ground truth and gives a :class:`Tally` (VIMQ a :class:`Quality`). Two definitions:
*published* is what the authors' code computes, *plain* what the names usually mean. SAD and Conn are the same in both.
"""

from matting.evaluation.connectivity import conn
from matting.evaluation.gradient import filters, grad
from matting.evaluation.pixelwise import BACKGROUND, FOREGROUND, UNKNOWN, mad, mse, sad, trimap
from matting.evaluation.tally import Definition, Tally
from matting.evaluation.temporal import dtssd, matte_flow, messddt
from matting.evaluation.vimq import WEIGHTS, PairSums, Quality, mean_quality, vimq

__all__ = [
    "BACKGROUND",
    "FOREGROUND",
    "UNKNOWN",
    "WEIGHTS",
    "Definition",
    "PairSums",
    "Quality",
    "Tally",
    "conn",
    "dtssd",
    "filters",
    "grad",
    "mad",
    "matte_flow",
    "mean_quality",
    "messddt",
    "mse",
    "sad",
    "trimap",
    "vimq",
]
