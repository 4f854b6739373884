"""The models that others made: which there are, which of them lie on this computer, and how they come here.

Knows files, hashes and the network, not what the tensors mean; :mod:`matting.pipeline.models` checks that.
"""

from matting.weights.catalogue import Model, model, models
from matting.weights.folder import file_of, folder, installed

__all__ = ["Model", "file_of", "folder", "installed", "model", "models"]
