"""Every setting, declared once: key, default, range, and the words of the settings dialog. Data only.

Labels and help are message ids: translate them with `tr()` where they are shown. The dialog, the file and the
checks come from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import sentence

Value = str | int | float | bool | tuple[str, ...]

APPEARANCE = sentence("Appearance")
CHAT = sentence("Chat")
ANSWERS = sentence("Answers")
DOCUMENTS = sentence("Documents")
VOICE = sentence("Voice")
DESKTOP = sentence("Desktop")
MODEL = sentence("Model")
REMOTE = sentence("Another computer")
PROGRAMS = sentence("Other programs")


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. Its type is that of `default`; `choices` are (value, label) pairs.

    `minimum` and `maximum` are inclusive. `special` is the (number, label) that means something of its own
    ("automatic"). `step` is what one click changes. With `file` the text is a path, with `folder` too it may be a
    folder's, or a name; `default_label` then stands for the default. The choices of one that is `found` are what there
    is when they are shown (devices, voices), besides the default, for which `default_label` stands. An option that is
    `hidden` has no row in the dialog. Thousands of a number that is not `parted` stand without a mark between them.
    """

    key: str
    default: Value
    label: str
    help: str
    group: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    advanced: bool = False
    special: tuple[float, str] | None = None
    step: float = 1
    multiline: bool = False
    file: bool = False
    folder: bool = False
    default_label: str = ""
    found: bool = False
    hidden: bool = False
    parted: bool = True
    needs_restart: bool = False


OPTIONS: tuple[Option, ...] = (
    Option(
        "appearance.theme",
        "system",
        sentence("Theme"),
        sentence("Light, dark, or as the rest of this computer."),
        APPEARANCE,
        choices=(("system", sentence("As the system")), ("light", sentence("Light")), ("dark", sentence("Dark"))),
    ),
    Option(
        "appearance.zoom",
        1.0,
        sentence("Size of text"),
        sentence("1 is the normal size."),
        APPEARANCE,
        minimum=0.5,
        maximum=3.0,
        step=0.1,
    ),
    Option(
        "appearance.language",
        "system",
        sentence("Language"),
        sentence("The language of Hearth's own words. The model answers in the language you write in."),
        APPEARANCE,
        choices=(("system", sentence("As the system")), ("en", "English"), ("de", "Deutsch")),
        needs_restart=True,
    ),
    Option(
        "chat.send_with",
        "enter",
        sentence("Send with"),
        sentence("The other key starts a new line."),
        CHAT,
        choices=(("enter", sentence("Enter")), ("ctrl_enter", sentence("Ctrl+Enter"))),
    ),
    Option(
        "chat.automatic_titles",
        True,
        sentence("Name chats automatically"),
        sentence("After the first answer the model gives the chat a short name. A name of your own is never changed."),
        CHAT,
    ),
    Option(
        "persona.default",
        "",
        sentence("Persona of new chats"),
        sentence("By its short name. The list of personas shows and changes it."),
        CHAT,
        hidden=True,
    ),
    Option(
        "persona.shelves",
        (),
        sentence("Folders with personas"),
        sentence("Bundles in these folders are offered in the gallery. A folder may lie on another computer."),
        CHAT,
    ),
    Option(
        "persona.models",
        True,
        sentence("Load the model that a persona was made for"),
        sentence("When a chat with it begins, and only a model that is on this computer."),
        CHAT,
    ),
    Option(
        "chat.system_prompt",
        "",
        sentence("Instructions for every chat"),
        sentence("What the model should know or keep to, such as “Answer briefly.”"),
        CHAT,
        multiline=True,
    ),
    Option(
        "chat.thinking",
        "auto",
        sentence("Think before answering"),
        sentence("Only for models that can switch it. Thinking takes longer and often helps with hard questions."),
        CHAT,
        choices=(("auto", sentence("As the model prefers")), ("on", sentence("Always")), ("off", sentence("Never"))),
    ),
    Option(
        "chat.overflow",
        "summarise",
        sentence("When a chat is longer than the model can read"),
        sentence(
            "A summary keeps the thread of a long chat; you can read it, change it and undo it. "
            "Nothing is deleted from the chat."
        ),
        CHAT,
        choices=(
            ("summarise", sentence("Summarise the oldest messages")),
            ("drop_oldest", sentence("Leave out the oldest messages")),
            ("stop", sentence("Do not answer, and say so")),
        ),
    ),
    Option(
        "chat.recall",
        True,
        sentence("Recall earlier messages"),
        sentence(
            "When a question needs something that the model can no longer see, Hearth finds it again in the chat "
            "and adds it to the question."
        ),
        CHAT,
    ),
    Option(
        "documents.only",
        True,
        sentence("Answer from documents only"),
        sentence(
            "In a chat with documents, say so where they do not answer a question. Otherwise the model answers from "
            "what it knows itself."
        ),
        DOCUMENTS,
    ),
    Option(
        "documents.tokens",
        1500,
        sentence("Text from documents"),
        sentence("How much the model reads for one question, in tokens. More takes longer and may find more."),
        DOCUMENTS,
        minimum=200,
        maximum=100_000,
        step=100,
    ),
    Option(
        "documents.embedder",
        "light",
        sentence("Finds passages by meaning"),
        sentence(
            "A GGUF embedding model, or a model of sentence-transformers by its folder or name. It learns all documents"
            " anew in the background; until then they are found as before."
        ),
        DOCUMENTS,
        advanced=True,
        file=True,
        folder=True,
        default_label=sentence("The light one that comes with Hearth"),
    ),
    Option(
        "voice.mode",
        "push_to_talk",
        sentence("Listen"),
        sentence("Hands-free, Hearth listens all the time, answers when you pause, and stops when you interrupt."),
        VOICE,
        choices=(("push_to_talk", sentence("While a key is held")), ("hands_free", sentence("All the time"))),
    ),
    Option(
        "voice.waits_for_name",
        False,
        sentence("Wait for “Hey Hearth”"),
        sentence(
            "Hands-free, when nobody has spoken to it for a while, Hearth answers only after its name. What is said "
            "to others is looked at for the name on this computer, and forgotten."
        ),
        VOICE,
    ),
    Option(
        "voice.language",
        "",
        sentence("Spoken language"),
        sentence("What you speak. If you name it, Hearth need not find out."),
        VOICE,
        choices=(
            ("", sentence("Find out")),
            ("en", "English"),
            ("de", "Deutsch"),
            ("fr", "Français"),
            ("es", "Español"),
            ("it", "Italiano"),
            ("pt", "Português"),
            ("nl", "Nederlands"),
            ("pl", "Polski"),
            ("ru", "Русский"),
            ("uk", "Українська"),
            ("tr", "Türkçe"),
            ("ar", "العربية"),
            ("hi", "हिन्दी"),
            ("ja", "日本語"),
            ("ko", "한국어"),
            ("zh", "中文"),
        ),
    ),
    Option(
        "voice.voice",
        "",
        sentence("Speaking voice"),
        sentence("Hearth's own voice speaks English. The voices of this computer speak other languages too."),
        VOICE,
        found=True,
        default_label=sentence("Hearth's own"),
    ),
    Option(
        "voice.speed",
        1.0,
        sentence("Speed of speech"),
        sentence("1 is the voice's own."),
        VOICE,
        minimum=0.5,
        maximum=2.0,
        step=0.1,
    ),
    Option(
        "voice.microphone",
        "",
        sentence("Microphone"),
        sentence("Used from the next time voice is turned on."),
        VOICE,
        found=True,
        default_label=sentence("The system's"),
    ),
    Option(
        "voice.loudspeaker",
        "",
        sentence("Loudspeaker"),
        sentence("Used from the next time voice is turned on."),
        VOICE,
        found=True,
        default_label=sentence("The system's"),
    ),
    Option(
        "voice.cancels_echo",
        True,
        sentence("Listen while speaking"),
        sentence(
            "You can interrupt: Hearth takes its own voice out of what it hears. "
            "Turn it off if Hearth answers itself; it then listens only while it is silent."
        ),
        VOICE,
    ),
    Option(
        "chat.temperature",
        0.7,
        sentence("Temperature"),
        sentence("Low: sober and repeatable. High: varied and surprising. 0 always takes the likeliest word."),
        ANSWERS,
        minimum=0.0,
        maximum=2.0,
        step=0.05,
    ),
    Option(
        "chat.max_tokens",
        0,
        sentence("Longest answer"),
        sentence("In tokens; a token is about three quarters of a word."),
        ANSWERS,
        minimum=0,
        maximum=1_000_000,
        special=(0, sentence("No limit")),
        step=256,
    ),
    Option(
        "chat.top_p",
        0.95,
        sentence("Top-p"),
        sentence("Choose among the likeliest words that together reach this probability. 1 turns it off."),
        ANSWERS,
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        step=0.01,
    ),
    Option(
        "chat.top_k",
        40,
        sentence("Top-k"),
        sentence("Choose among this many of the likeliest words."),
        ANSWERS,
        minimum=0,
        maximum=1_000,
        special=(0, sentence("Off")),
        advanced=True,
    ),
    Option(
        "chat.min_p",
        0.05,
        sentence("Min-p"),
        sentence("Leave out words that are less likely than this share of the likeliest one. 0 turns it off."),
        ANSWERS,
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        step=0.01,
    ),
    Option(
        "chat.repeat_penalty",
        1.0,
        sentence("Repeat penalty"),
        sentence("Above 1 makes words that were just used less likely. 1 turns it off."),
        ANSWERS,
        minimum=0.5,
        maximum=2.0,
        advanced=True,
        step=0.01,
    ),
    Option(
        "desktop.quick_ask",
        False,
        sentence("Quick question from everywhere"),
        sentence("Keys that open a small window for one question, whatever program is in front."),
        DESKTOP,
    ),
    Option(
        "desktop.quick_keys",
        "Ctrl+Alt+Space",
        sentence("Keys for a quick question"),
        sentence("In Qt's spelling. The page shows and changes them."),
        DESKTOP,
        hidden=True,
    ),
    Option(
        "desktop.quick_keep",
        True,
        sentence("Keep quick questions as chats"),
        sentence("Off, a quick question and its answer are forgotten when its window closes."),
        DESKTOP,
    ),
    Option(
        "desktop.tray",
        True,
        sentence("Show Hearth beside the clock"),
        sentence("A small icon that shows what Hearth is doing, where this desktop has a place for it."),
        DESKTOP,
    ),
    Option(
        "desktop.keep_running",
        False,
        sentence("Keep running when the window closes"),
        sentence("Only where the icon beside the clock is there to bring it back. Quit Hearth ends it."),
        DESKTOP,
    ),
    Option(
        "desktop.notifications",
        True,
        sentence("Tell me when long work is done"),
        sentence("One line from the system, never with words of a chat, while Hearth's window is not in front."),
        DESKTOP,
    ),
    Option(
        "model.path",
        "",
        sentence("Model"),
        sentence("The model that was used last."),
        MODEL,
        hidden=True,
    ),
    Option(
        "model.folders",
        (),
        sentence("More folders with models"),
        sentence("Hearth looks for GGUF files here too, and never writes into these folders."),
        MODEL,
    ),
    Option(
        "model.n_ctx",
        0,
        sentence("Context length"),
        sentence("How much of a chat the model can read at once, in tokens. More takes more memory."),
        MODEL,
        minimum=0,
        maximum=10_000_000,
        special=(0, sentence("Automatic")),
        step=1024,
    ),
    Option(
        "model.snapshot_gigabytes",
        4,
        sentence("Remember read chats on disk"),
        sentence("So that a long chat is continued at once after a restart. At most this many gigabytes."),
        MODEL,
        minimum=0,
        maximum=1_000,
        special=(0, sentence("Off")),
    ),
    Option(
        "model.kv_type",
        "f16",
        sentence("Precision of the model's memory"),
        sentence(
            "Smaller ones let longer chats fit. Half the size can hardly be told from full, a quarter makes the "
            "answers of small models worse. Both need flash attention, which is then on."
        ),
        MODEL,
        choices=(
            ("f16", sentence("Full")),
            ("q8_0", sentence("Half the size")),
            ("q4_0", sentence("A quarter of the size")),
        ),
        advanced=True,
    ),
    Option(
        "model.flash_attention",
        "auto",
        sentence("Flash attention"),
        sentence("A way to compute that takes less memory for long chats, and is mostly faster."),
        MODEL,
        choices=(("auto", sentence("Automatic")), ("on", sentence("On")), ("off", sentence("Off"))),
        advanced=True,
    ),
    Option(
        "model.weights",
        "mapped",
        sentence("The model's file in memory"),
        sentence("Kept in memory, the first answer after a long pause comes as fast as any other."),
        MODEL,
        choices=(
            ("mapped", sentence("As the system sees fit")),
            ("read", sentence("Read as a whole")),
            ("locked", sentence("Kept in memory always")),
        ),
        advanced=True,
    ),
    Option(
        "model.speculate",
        True,
        sentence("Guess words ahead"),
        sentence("Faster where an answer repeats what was said or read. The answer stays the same."),
        MODEL,
        advanced=True,
    ),
    Option(
        "model.draft_path",
        "",
        sentence("Small model that guesses ahead"),
        sentence("A GGUF file of the same family as the large model, and much smaller."),
        MODEL,
        advanced=True,
        file=True,
    ),
    Option(
        "model.adapters",
        (),
        sentence("Adapters"),
        sentence("LoRA files by model, each with its weight. The list of models shows and changes them."),
        MODEL,
        hidden=True,
    ),
    Option(
        "model.projectors",
        (),
        sentence("Looks at images with"),
        sentence(
            "Vision files by model, where not the one beside it is used. The list of models shows and changes them."
        ),
        MODEL,
        hidden=True,
    ),
    Option(
        "model.n_gpu_layers",
        -2,
        sentence("Layers on the graphics card"),
        sentence("0 uses the processor only, -1 puts all layers on the card."),
        MODEL,
        minimum=-2,
        maximum=1_000,
        special=(-2, sentence("Automatic")),
        advanced=True,
    ),
    Option(
        "model.n_threads",
        0,
        sentence("Processor threads"),
        sentence("How many the model computes with. Automatic measures in an idle moment which number is fastest."),
        MODEL,
        minimum=0,
        maximum=512,
        special=(0, sentence("Automatic")),
        advanced=True,
    ),
    Option(
        "model.resident",
        2,
        sentence("Models kept in memory"),
        sentence("Going back to a model that is still in memory takes no time. It leaves when memory gets short."),
        MODEL,
        minimum=1,
        maximum=16,
        special=(1, sentence("Only the one in use")),
        advanced=True,
    ),
    Option(
        "model.idle_minutes",
        60,
        sentence("Free the memory after"),
        sentence("Minutes without a question. The next question loads the model again by itself."),
        MODEL,
        minimum=0,
        maximum=100_000,
        special=(0, sentence("Never")),
        advanced=True,
        step=10,
    ),
    Option(
        "remote.enabled",
        False,
        sentence("Let another computer answer"),
        sentence(
            "Your messages and attachments then leave this computer and go to the address below, and to no other."
            " Off, nothing leaves this computer."
        ),
        REMOTE,
    ),
    Option(
        "remote.address",
        "",
        sentence("Address"),
        sentence(
            "Of a server on your own network: llama-server, vLLM, Ollama or LM Studio, as http://192.168.1.20:8080."
        ),
        REMOTE,
    ),
    Option(
        "remote.model",
        "",
        sentence("Model there"),
        sentence("The name that the server gives it. Left empty, the first one is used."),
        REMOTE,
    ),
    Option(
        "api.enabled",
        False,
        sentence("Let other programs on this computer use Hearth"),
        sentence(
            "Editors, scripts and other programs can then ask your models and personas, with a token that you give"
            " them. Only this computer can reach it, and no web page."
        ),
        PROGRAMS,
    ),
    Option(
        "api.port",
        8_791,
        sentence("Port"),
        sentence("Another one, if some other program has this one already."),
        PROGRAMS,
        minimum=1_024,
        maximum=65_535,
        parted=False,
    ),
)

DYNAMIC_PREFIXES: dict[str, str] = {"shortcuts.": ""}
"""Keys that are not known beforehand, by prefix, and their default. Their type is that of the default."""
