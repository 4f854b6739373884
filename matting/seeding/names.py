"""What seeders are called; without them, so that a menu can be made before anything slow is imported."""

from __future__ import annotations

GRABCUT = "grabcut"
NETWORKS = {
    "mobile-sam": "MobileSAM",
    "sam-vit-b": "SAM ViT-B",
    "sam-vit-l": "SAM ViT-L",
    "sam-vit-h": "SAM ViT-H",
}
"""By id of the model, from the quickest to the most exact."""
TITLES = {GRABCUT: "GrabCut", **NETWORKS}


def offers_masks(seeder: str) -> bool:
    """Whether a seeder offers several masks for a prompt, among which the artist can choose."""
    return seeder in NETWORKS
