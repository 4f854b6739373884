"""The cheapest outline: to part two neighbouring pixels costs the less, the more they differ.

Source:
    Boykov, Jolly, "Interactive Graph Cuts for Optimal Boundary & Region Segmentation" (ICCV 2001), with 8 neighbours;
    solved by Boykov, Kolmogorov, "An Experimental Comparison of Min-Cut/Max-Flow Algorithms" (PAMI 2004; PyMaxflow).
"""

from __future__ import annotations

import maxflow
import numpy as np

from matting.arrays import FloatArray, Mask

_SURE = 1e4
_DULL = 8.0
_FLOOR = 0.02


def graph_cut(
    colours: FloatArray, odds: FloatArray, sure_in: Mask, sure_out: Mask, price: float, contrast: float
) -> Mask:
    """Part a picture.

    Args:
        colours: ``[h, w, 3]`` float32 in Lab, 0 to 255.
        odds: ``[h, w]`` log-odds of being inside.
        sure_in: ``[h, w]`` bool, inside whatever the odds are.
        sure_out: ``[h, w]`` bool, outside.
        price: of parting two pixels of one colour, in the unit of ``odds``.
        contrast: a difference this many times the picture's usual squared one is an edge.

    Returns:
        ``[h, w]`` bool.
    """
    height, width = odds.shape
    graph = maxflow.GraphFloat(height * width, 4 * height * width)
    nodes = graph.add_grid_nodes((height, width))
    steps = {}
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = np.s_[: height - down, max(0, -right) : width - max(0, right)]
        there = np.s_[down:, max(0, right) : width + min(0, right)]
        steps[down, right] = here, ((colours[here] - colours[there]) ** 2).sum(axis=2)
    usual = float(np.mean(np.concatenate([change.ravel() for _, change in steps.values()] + [np.zeros(1)])))
    edge = max(contrast * usual, _DULL)
    for (down, right), (here, change) in steps.items():
        ties = np.zeros((height, width), np.float32)
        ties[here] = price * (np.exp(-change / edge) + _FLOOR) / np.hypot(down, right)
        towards = np.zeros((3, 3))
        towards[1 + down, 1 + right] = 1
        graph.add_grid_edges(nodes, weights=ties, structure=towards, symmetric=True)
    settled = np.where(sure_in, _SURE, np.where(sure_out, -_SURE, odds))
    graph.add_grid_tedges(nodes, np.maximum(settled, 0), np.maximum(-settled, 0))
    graph.maxflow()
    inside: Mask = ~graph.get_grid_segments(nodes)
    return inside
