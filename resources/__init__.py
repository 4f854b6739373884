"""What ships with Matteo: the sample clip, the catalogue of models, the weights of lite, places to train before."""

from pathlib import Path

ROOT = Path(__file__).parent
SAMPLE = ROOT / "sample"
PLACES = ROOT / "places"
MODELS = ROOT / "models.toml"
