"""A pipeline on the real devices of this process' sound system; prints what happens as JSON, a line each."""

from __future__ import annotations

import json
import sys

from tests.process.conversation import Companion, ScriptedTranscriber, ToneSynthesizer
from tests.voice_audio_weights import voice_audio_folder
from voice.audio.devices import SoundSystem
from voice.audio.echo import WebRtcCanceller
from voice.audio.portaudio import Loudspeaker, Microphone
from voice.endpoint import SmartTurn
from voice.pipeline import Parts, VoicePipeline
from voice.tts.sentences import SentenceSplitter
from voice.turn_events import Mode
from voice.turn_state import Phase
from voice.types import RATE
from voice.vad import SileroVoiceActivity
from voice.word_end import WordEnd

ANSWER = "One two three four five six seven."


def tell(**values: object) -> None:
    print(json.dumps(values), flush=True)


def main() -> None:
    system = SoundSystem()
    transcriber, synthesizer = ScriptedTranscriber(), ToneSynthesizer()
    companion = Companion(lambda _text: (ANSWER,))
    parts = Parts(
        Microphone(system),
        Loudspeaker(system),
        WebRtcCanceller(),
        WordEnd(SileroVoiceActivity(voice_audio_folder())),
        SmartTurn(voice_audio_folder()),
        transcriber,
        synthesizer,
        SentenceSplitter,
    )
    pipeline = VoicePipeline(parts, companion)
    companion.pipeline = pipeline
    pipeline.turn_on(Mode.HANDS_FREE)
    companion.wait("phase", Phase.LISTENING)
    tell(phase="listening", devices=[device.id for device in system.devices()])
    if "--unplugged" in sys.argv:
        (error,) = companion.wait("notice")
        tell(notice=error.fault)
    else:
        companion.wait("commit")
        tell(turns=len(companion.all("commit")), seconds=max(len(samples) for samples in transcriber.heard) / RATE)
        companion.wait("done")
        # An answer that was begun on a guess and dropped is made twice, and spoken once.
        tell(seconds=0.05 * len(ANSWER), made=synthesizer.said)
    pipeline.close()


if __name__ == "__main__":
    main()
