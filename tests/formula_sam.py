"""MobileSAM as if it had been downloaded, its weights filled by formula: the masks mean nothing, the ways are real."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch
from formula_weights import formula_weights, read_layout

from matting.weights import model
from matting.weights.folder import Record

LAYOUT = Path(__file__).parent / "networks" / "golden" / "mobile_sam" / "layout.json"


def install_mobile_sam(models: Path) -> Path:
    """Put the file and its record where ``MATTEO_MODELS`` = ``models`` has them; returns the file."""
    known = model("mobile-sam")
    path = models / known.id / known.file_name
    path.parent.mkdir(parents=True)
    torch.save(formula_weights(read_layout(LAYOUT)), path)
    content = path.read_bytes()
    record = Record(path.name, len(content), hashlib.sha256(content).hexdigest(), "a formula")
    (path.parent / "record.json").write_text(json.dumps(asdict(record)))
    return path
