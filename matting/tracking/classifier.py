"""A small network that learns on the prompted frame who a pixel belongs to, and goes on learning with care."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.tracking.waypoint import State

_HIDDEN = 32
_BATCH = 512
_RATE, _DECAY = 1e-2, 1e-4
_NOISE = 0.05
"""Added to the descriptions while learning, so that what was learnt on one frame holds on the next."""
_MEMORY = 0.9, 0.999
"""Adam's, for the gradients and their squares."""


class Samples:
    """Described pixels and the label of each: ``[n, D]`` and ``[n]``."""

    def __init__(self, descriptions: FloatArray, labels: NDArray[np.intp]) -> None:
        self.descriptions, self.labels = descriptions, labels

    def state(self) -> State:
        """All of them."""
        return {"descriptions": self.descriptions, "labels": self.labels}

    @staticmethod
    def from_state(state: State) -> Samples:
        """The same again."""
        return Samples(state["descriptions"], state["labels"])

    @staticmethod
    def joined(parts: Sequence[Samples]) -> Samples:
        """All samples of some parts."""
        return Samples(np.concatenate([p.descriptions for p in parts]), np.concatenate([p.labels for p in parts]))


def generator(state: State) -> np.random.Generator:
    """Numbers by chance that go on from a state of numpy's usual generator."""
    made = np.random.default_rng(0)
    made.bit_generator.state = state
    return made


class Classifier:
    """A perceptron with two hidden layers over the descriptions of pixels; learns the same from the same samples.

    Source:
        Adam: Kingma and Ba, "Adam: A method for stochastic optimization" (ICLR 2015), algorithm 1.
    """

    def __init__(self, inputs: int, labels: int) -> None:
        self._random = np.random.default_rng(0)
        self._layers: list[FloatArray] = []
        for before, after in ((inputs, _HIDDEN), (_HIDDEN, _HIDDEN), (_HIDDEN, labels)):
            weights = self._random.standard_normal((before, after), np.float32) * np.float32(np.sqrt(2 / before))
            self._layers += [weights, np.zeros(after, np.float32)]
        self._slopes = [np.zeros_like(layer) for layer in self._layers]
        self._squares = [np.zeros_like(layer) for layer in self._layers]
        self._steps = 0

    def state(self) -> State:
        """All that it goes on from; to be written before it goes on, which changes some of it in place."""
        return {
            "layers": self._layers,
            "slopes": self._slopes,
            "squares": self._squares,
            "steps": self._steps,
            "random": self._random.bit_generator.state,
        }

    @classmethod
    def from_state(cls, state: State) -> Classifier:
        """The same again."""
        classifier = cls.__new__(cls)
        classifier._layers, classifier._slopes = state["layers"], state["slopes"]
        classifier._squares = state["squares"]
        classifier._steps = state["steps"]
        classifier._random = generator(state["random"])
        return classifier

    def learn(self, sources: Sequence[Samples], steps: int) -> None:
        """Go some steps on batches drawn evenly from the sources, none of which is empty."""
        share = _BATCH // len(sources)
        for _ in range(steps):
            drawn = [(source, self._random.integers(0, len(source.labels), share)) for source in sources]
            inputs = np.concatenate([source.descriptions[places] for source, places in drawn])
            labels = np.concatenate([source.labels[places] for source, places in drawn])
            inputs = inputs + np.float32(_NOISE) * self._random.standard_normal(inputs.shape, np.float32)
            self._step(inputs, labels)

    def log_odds(self, descriptions: FloatArray) -> FloatArray:
        """``[n, D]`` → ``[n, labels]``: logarithm of how likely each label is beside the likeliest, at most 0."""
        scores = self._forward(descriptions)[-1]
        return np.asarray(scores - scores.max(axis=1, keepdims=True), np.float32)

    def _forward(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        w1, b1, w2, b2, w3, b3 = self._layers
        first = np.maximum(inputs @ w1 + b1, 0)
        second = np.maximum(first @ w2 + b2, 0)
        return first, second, second @ w3 + b3

    def _step(self, inputs: FloatArray, labels: NDArray[np.intp]) -> None:
        first, second, scores = self._forward(inputs)
        error = np.exp(scores - scores.max(axis=1, keepdims=True))
        error /= error.sum(axis=1, keepdims=True)
        error[np.arange(len(labels)), labels] -= 1
        error /= np.float32(len(labels))
        behind_second = np.where(second > 0, error @ self._layers[4].T, np.float32(0))
        behind_first = np.where(first > 0, behind_second @ self._layers[2].T, np.float32(0))
        gradients = []
        for before, after in ((inputs, behind_first), (first, behind_second), (second, error)):
            gradients += [before.T @ after, after.sum(axis=0)]
        self._steps += 1
        slope_bias, square_bias = (np.float32(1 - memory**self._steps) for memory in _MEMORY)
        for layer, gradient, slope, square in zip(self._layers, gradients, self._slopes, self._squares, strict=True):
            gradient = gradient + np.float32(_DECAY) * layer
            slope += np.float32(1 - _MEMORY[0]) * (gradient - slope)
            square += np.float32(1 - _MEMORY[1]) * (gradient**2 - square)
            layer -= np.float32(_RATE) / slope_bias * slope / (np.sqrt(square / square_bias) + np.float32(1e-8))
