"""What voice needs of this program: where its weights are, and which devices there are. Keeps nothing open."""

from __future__ import annotations

from concurrent.futures import TimeoutError as NotYetError
from contextlib import closing
from dataclasses import dataclass, replace

from app.i18n import error_sentence, tr
from app.paths import Paths
from app.weights_bundle import VOICE
from engine.errors import VoiceError, sentence
from voice.audio.devices import chosen
from voice.client import VoiceClient
from voice.listener import QuietListener
from voice.protocol import VoiceSetup
from voice.speech.choice import Speaking, SpeechChoice
from voice.tts.kokoro_files import voices_in
from voice.types import VoiceName
from voice.weights import WHISPER_TINY

_MISSING = sentence("The models that hear are not on this computer yet. Fetch them with: hearth fetch voice")
_NO_VOICE = sentence("There is no voice “{name}”. There are: {voices}")
_PROBE_S = 20.0


@dataclass(frozen=True, slots=True)
class SoundProbe:
    """Names of the devices that would be used, "" for none; `problem` is why nothing is known of them."""

    microphone: str = ""
    loudspeaker: str = ""
    problem: str = ""


def require_weights(paths: Paths) -> None:
    """Raises `VoiceError` with what to do where weights are missing."""
    if VOICE.missing(paths.voice):
        raise VoiceError(_MISSING)


def speech_choice(paths: Paths) -> SpeechChoice:
    """What hears and speaks by default."""
    return SpeechChoice(paths.voice / WHISPER_TINY.file_name, voices=paths.voice)


def voice_setup(paths: Paths) -> VoiceSetup:
    """A conversation by the system's own devices, and by the voice that comes with Hearth, which is English."""
    return VoiceSetup(paths.voice, speech_choice(paths))


def voices_of(choice: SpeechChoice, speaking: Speaking) -> tuple[VoiceName, ...]:
    """The voices of one backend, its default first; none where it is not to be had. Blocks."""
    if speaking is Speaking.KOKORO:
        return voices_in(choice.voices)  # its files tell, without a process
    from voice.speech.client import SpeechClient  # noqa: PLC0415  # brings numpy, which the window does without

    with closing(SpeechClient(replace(choice, speaking=speaking))) as speech:
        try:
            return tuple(speech.voices())
        except VoiceError:
            return ()


def find_voice(choice: SpeechChoice, name: str) -> tuple[SpeechChoice, str]:
    """What speaks with the voice of that name, and the voice's id: Hearth's own, else one of this computer.

    Blocks while the voices are asked for, unless `name` is "". Raises `VoiceError`.
    """
    if not name:
        return choice, ""
    known: list[str] = []
    for speaking in Speaking:
        for voice in voices_of(choice, speaking):
            if name.casefold() in (voice.id.casefold(), voice.name.casefold()):
                return replace(choice, speaking=speaking), voice.id
            known.append(voice.name)
    raise VoiceError(_NO_VOICE, name=name, voices=", ".join(known))


def probe_sound(paths: Paths) -> SoundProbe:
    """Look for devices in a process of its own, which may crash. Blocks, some seconds at most."""
    client = VoiceClient(voice_setup(paths), QuietListener())
    try:
        devices = client.devices().result(_PROBE_S)
    except NotYetError:
        return SoundProbe(problem=tr("no answer"))
    except VoiceError as error:
        return SoundProbe(problem=error_sentence(error))
    finally:
        client.close()
    microphone, loudspeaker = chosen(devices, "", inputs=True), chosen(devices, "", inputs=False)
    return SoundProbe(microphone.name if microphone else "", loudspeaker.name if loudspeaker else "")
