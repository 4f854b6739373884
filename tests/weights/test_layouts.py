"""What the catalogue looks for in a file, held against the networks as their makers' code builds them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from formula_weights import read_layout
from torch import nn

from matting.networks import create
from matting.weights import Model, model, models

Shapes = dict[str, tuple[int, ...]]
GOLDEN = Path(__file__).parents[1] / "networks" / "golden"
PINNED = {"maggie-video": "maggie/layout_video.json", "maggie-image": "maggie/layout_image.json"}
PINNED |= {"msg-vim": "msg_vim/layout.json", "mobile-sam": "mobile_sam/layout.json"}


def shapes(network: nn.Module) -> Shapes:
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def segment_anything(model_id: str) -> Shapes:
    from segment_anything import sam_model_registry

    with torch.device("meta"):
        return shapes(sam_model_registry[model_id.removeprefix("sam-").replace("-", "_")]())


def mask_rcnn() -> Shapes:
    from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

    with torch.device("meta"):
        return shapes(maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None))


def cutie() -> Shapes:
    import cutie
    from cutie.model.cutie import CUTIE
    from cutie.model.utils import resnet
    from omegaconf import OmegaConf

    with pytest.MonkeyPatch.context() as patch:  # it would fetch weights for its encoders, which a checkpoint replaces
        patch.setattr(resnet.model_zoo, "load_url", lambda *_, **__: {})
        patch.setattr(resnet, "load_weights_add_extra_dim", lambda *_, **__: None)
        config = Path(cutie.__path__[0]) / "config" / "model" / "base.yaml"
        return shapes(CUTIE(OmegaConf.create({"model": OmegaConf.load(config)})))


def as_its_makers_build_it(known: Model) -> Shapes:
    if known.id in PINNED:
        return {key: tuple(entry["shape"]) for key, entry in read_layout(GOLDEN / PINNED[known.id]).items()}
    if known.id == "lite":
        return shapes(create("lite"))
    if known.id.startswith("sam-"):
        return segment_anything(known.id)
    return {"mask-rcnn": mask_rcnn, "cutie": cutie}[known.id]()


@pytest.mark.parametrize("model_id", [known.id for known in models()])
def test_a_network_is_taken_for_itself_and_for_no_other(model_id: str) -> None:
    found = as_its_makers_build_it(model(model_id))
    fits = [known.id for known in models() if all(found.get(key) == shape for key, shape in known.layout.items())]
    # MaGGIe's network for video has all that the one for images has; our own network tells them apart.
    assert fits == (["maggie-video", "maggie-image"] if model_id == "maggie-video" else [model_id])
