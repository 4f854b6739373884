"""What trackers are called; without them, so that a menu can be made before anything slow is imported."""

from __future__ import annotations

FLOW, CUTIE = "flow", "cutie"
TITLES = {FLOW: "Optical flow", CUTIE: "Cutie"}
