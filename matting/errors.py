"""Everything that can go wrong in a way an artist can act on: one class per cause, under one root.

The text of each is one sentence for people: what happened, to which file, and what to do.
"""


class MatteoError(Exception):
    """Root of all failures that are told to the artist in one line (exit code 1)."""


class MediaError(MatteoError):
    """Footage that cannot be opened, decoded or written."""


class ProjectError(MatteoError):
    """A project that cannot be opened, saved or continued."""


class PromptError(MatteoError):
    """A prompt or mask that does not fit the clip it is meant for."""


class OutputError(MatteoError):
    """A place that cannot be written, or something already there."""


class DeviceError(MatteoError):
    """A computing device that was asked for and is not there."""


class UnavailableError(MatteoError):
    """A method that was asked for and is not installed."""


class CheckpointError(MatteoError):
    """A file of network weights that cannot be read or does not fit the network."""


class DownloadError(MatteoError):
    """A file that cannot be fetched: no network, or a server that refuses or breaks off."""


class WorkerError(MatteoError):
    """The process that does the heavy work ended without an answer."""


class ShapeError(ValueError):
    """Arrays whose shapes or types disagree: a mistake of the caller, not of the artist."""


class Cancelled(Exception):  # noqa: N818  (not an error: somebody pressed Stop)
    """Raised at the next frame boundary after a job was asked to stop."""
