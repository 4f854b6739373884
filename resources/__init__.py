"""What ships with Matteo: the sample clip, the catalogue of models, the weights of lite."""

from pathlib import Path

ROOT = Path(__file__).parent
SAMPLE = ROOT / "sample"
MODELS = ROOT / "models.toml"
