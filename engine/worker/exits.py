"""How a worker ended, or why there is none, in plain words. Knows exit codes, no process."""

from __future__ import annotations

import signal

from engine.errors import ModelLoadError, WorkerCrashedError, WorkerQuarantinedError, sentence
from engine.types import ModelSpec

_MEMORY_ERROR = sentence("The model's process ended with a memory error.")
_INTERNAL_ERROR = sentence("The model's process ended itself because of an internal error.")
_LACKS_INSTRUCTION = sentence("This processor lacks an instruction that the model's process needs.")
_ENDED_BY_SYSTEM = sentence("The system ended the model's process, most likely because memory ran out.")
_ENDED_FROM_OUTSIDE = sentence("Another program ended the model's process.")
_OTHER = sentence("The model's process stopped unexpectedly (code {code}).")

_BY_SIGNAL = {
    "SIGABRT": _INTERNAL_ERROR,
    "SIGBUS": _MEMORY_ERROR,
    "SIGFPE": _INTERNAL_ERROR,
    "SIGILL": _LACKS_INSTRUCTION,
    "SIGINT": _ENDED_FROM_OUTSIDE,
    "SIGKILL": _ENDED_BY_SYSTEM,
    "SIGSEGV": _MEMORY_ERROR,
    "SIGTERM": _ENDED_FROM_OUTSIDE,
}
_BY_WINDOWS_STATUS = {
    0xC0000005: _MEMORY_ERROR,
    0xC000001D: _LACKS_INSTRUCTION,
    0xC0000017: _ENDED_BY_SYSTEM,
    0xC0000409: _INTERNAL_ERROR,
}


def crash_error(exit_code: int | None) -> WorkerCrashedError:
    """The error for a process that ended with `exit_code` (negative: a signal, as `multiprocessing` has it)."""
    code = 0 if exit_code is None else exit_code
    try:
        template = _BY_SIGNAL.get(signal.Signals(-code).name) if code < 0 else None
    except ValueError:
        template = None  # a signal without a name here
    template = template or _BY_WINDOWS_STATUS.get(code & 0xFFFFFFFF)
    return WorkerCrashedError(template) if template else WorkerCrashedError(_OTHER, code=code)


def no_model() -> ModelLoadError:
    """For whoever asks something of an engine that has no model."""
    return ModelLoadError(sentence("No model is loaded."))


def quarantine_error(spec: ModelSpec) -> WorkerQuarantinedError:
    """For a model that is not tried again for a while (`engine.worker.restart`)."""
    if spec.n_gpu_layers == 0:
        return WorkerQuarantinedError(
            sentence("{name} crashed too often and is left alone for ten minutes. Choose another model."),
            name=spec.path.name,
        )
    return WorkerQuarantinedError(
        sentence("{name} crashed too often and is left alone for ten minutes. Load it on the processor instead."),
        name=spec.path.name,
    )
