"""Every failure that a person can meet, as one tree. Knows no translation and no window.

HearthError                 a fault of the world, with a sentence for the person
+-- ModelFileError          a GGUF file cannot be used (missing, truncated, hostile, unsupported)
+-- ModelFitError           a model does not fit into this machine's memory
+-- ModelLoadError          llama.cpp refused a file whose header looked right
+-- PromptTooLongError      what must be kept is longer than the context window
+-- TemplateError           a model's own chat template cannot be rendered safely
+-- GrammarError            a grammar or JSON schema is not valid
+-- WorkerError             a worker process failed
|   +-- WorkerCrashedError      it ended by itself (signal, abort, out of memory)
|   +-- WorkerHungError         it stopped answering
|   +-- WorkerQuarantinedError  it crashed too often with this model
+-- RemoteError             a server on another computer could not be reached, or refused
+-- DownloadError           a file could not be fetched
|   +-- NoSourceError           no source answered
|   +-- ChecksumError           what came is not what was promised
+-- StoreError              the conversations could not be read or written
|   +-- StoreNewerError         written by a newer Hearth
|   +-- StoreReadOnlyError      the folder or disk refuses writes
|   +-- StoreDamagedError       the file is damaged
+-- AttachmentError         a file cannot be read as text, or not at all
+-- DocumentError           a file cannot be read into the library
|   +-- RecordingError          it is sound or video: it must be heard
+-- VoiceError              speech could not be heard or spoken
|   +-- SoundError              a file cannot be read as sound
|   +-- VoiceWeightsError       a file of what hears or speaks is missing or damaged
+-- EmbedderError           a model for embeddings cannot be used
+-- LibraryError            what was asked of the library cannot be done
+-- ImportFormatError       a file that was to be imported is not what it claims to be
+-- PersonaError            a persona, or a file that should hold one, cannot be used
+-- ChatError               what was asked of a chat cannot be done now
+-- ChartError              a picture of a report cannot be drawn
+-- SettingsError           a setting was given a value outside its declaration
+-- LimitError              an input is larger than a documented cap

A sentence is a template with named fields, so that the app can translate the template and then fill
it. It says what happened and what to do. Errors of ours (bugs) are ordinary Python exceptions.
"""

from __future__ import annotations

from typing import ClassVar


def sentence(template: str) -> str:
    """Mark a template for the translation catalogue; return it unchanged."""
    return template


class HearthError(Exception):
    """A fault of the world. `str(error)` is the English sentence.

    `template` and `fields` are kept apart for translation; `code` is stable and machine readable.
    """

    code: ClassVar[str] = "error"

    def __init__(self, template: str, **fields: object) -> None:
        self.template = template
        self.fields = fields
        super().__init__(template.format(**fields) if fields else template)


class ModelFileError(HearthError):
    code = "model_file"


class ModelFitError(HearthError):
    code = "model_fit"


class ModelLoadError(HearthError):
    code = "model_load"


class PromptTooLongError(HearthError):
    code = "prompt_too_long"


class TemplateError(HearthError):
    code = "template"


class GrammarError(HearthError):
    code = "grammar"


class WorkerError(HearthError):
    code = "worker"


class WorkerCrashedError(WorkerError):
    code = "worker_crashed"


class WorkerHungError(WorkerError):
    code = "worker_hung"


class WorkerQuarantinedError(WorkerError):
    code = "worker_quarantined"


class RemoteError(HearthError):
    code = "remote"


class DownloadError(HearthError):
    code = "download"


class NoSourceError(DownloadError):
    code = "no_source"


class ChecksumError(DownloadError):
    code = "checksum"


class StoreError(HearthError):
    code = "store"


class ConversationGoneError(StoreError):
    code = "conversation_gone"


class StoreNewerError(StoreError):
    code = "store_newer"


class StoreReadOnlyError(StoreError):
    code = "store_read_only"


class StoreDamagedError(StoreError):
    code = "store_damaged"


class AttachmentError(HearthError):
    code = "attachment"


class DocumentError(HearthError):
    code = "document"


class RecordingError(DocumentError):
    code = "recording"


class VoiceError(HearthError):
    code = "voice"


class SoundError(VoiceError):
    code = "sound"


class VoiceWeightsError(VoiceError):
    code = "voice_weights"


class EmbedderError(HearthError):
    code = "embedder"


class LibraryError(HearthError):
    code = "library"


class PersonaError(HearthError):
    code = "persona"


class ImportFormatError(HearthError):
    code = "import_format"


class ChatError(HearthError):
    code = "chat"


class ChartError(HearthError):
    code = "chart"


class SettingsError(HearthError):
    code = "settings"


class LimitError(HearthError):
    code = "limit"
