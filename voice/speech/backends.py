"""From a choice to the backends it names. Imported in the speech process only: backends load libraries."""

from __future__ import annotations

from voice.speech.choice import Hearing, Speaking, SpeechChoice
from voice.types import Synthesizer, Transcriber


def make_transcriber(choice: SpeechChoice) -> Transcriber:
    """Loads the model. Raises `VoiceError`."""
    if choice.hearing is Hearing.OPENAI_WHISPER:
        from voice.stt.openai_whisper import OpenAiWhisper  # noqa: PLC0415  # loads torch

        return OpenAiWhisper(choice.model, threads=choice.threads)
    if choice.hearing is Hearing.FASTER_WHISPER:
        from voice.stt.faster_whisper import FasterWhisper  # noqa: PLC0415  # loads CTranslate2

        return FasterWhisper(choice.model, threads=choice.threads)
    from voice.stt.whisper import Whisper  # noqa: PLC0415  # loads onnxruntime

    return Whisper(choice.model, threads=choice.threads)


def make_synthesizer(choice: SpeechChoice) -> Synthesizer:
    """Loads the voice. Raises `VoiceError`."""
    if choice.speaking is Speaking.SYSTEM:
        from voice.tts.system_voice import SystemVoice  # noqa: PLC0415  # loads the system's speech

        return SystemVoice()
    if choice.speaking is Speaking.KOKORO:
        from voice.tts.kokoro_voice import KokoroVoice  # noqa: PLC0415  # loads onnxruntime

        return KokoroVoice(choice.voices)
    from voice.tts.hibari_voice import HibariVoice  # noqa: PLC0415  # loads onnxruntime

    return HibariVoice()
