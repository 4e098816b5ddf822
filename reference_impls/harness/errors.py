"""The errors of the trainers; each message is one sentence that says what, where and what to do."""

from mlperf_logging import MLPerfLoggingError


class TrainerError(MLPerfLoggingError):
    """The trainer cannot work; the message says why and what to do."""


class DataError(TrainerError):
    """Data is missing, damaged or not what the configuration says; the message names the command that gets it."""


class DivergenceError(TrainerError):
    """A loss, a gradient norm or a quality is not finite: training has diverged and cannot recover."""


class SettingError(TrainerError):
    """A setting does not exist or has an invalid value."""
