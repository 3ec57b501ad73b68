"""A sentence to try a voice with, in the language of the voice. Data only: it is spoken, so it is not translated."""

from __future__ import annotations

_SAMPLES = {
    "en": "Hello. This is how I sound. On 3 May I read 24 pages in an hour and a half.",
    "de": "Hallo. So klinge ich. Am 3. Mai habe ich in anderthalb Stunden 24 Seiten gelesen.",
    "fr": "Bonjour. Voici ma voix. Le 3 mai, j'ai lu 24 pages en une heure et demie.",
    "es": "Hola. Así sueno yo. El 3 de mayo leí 24 páginas en una hora y media.",
    "it": "Ciao. Questa è la mia voce. Il 3 maggio ho letto 24 pagine in un'ora e mezza.",
    "pt": "Olá. É assim que eu falo. No dia 3 de maio li 24 páginas em uma hora e meia.",
    "nl": "Hallo. Zo klink ik. Op 3 mei las ik 24 bladzijden in anderhalf uur.",
    "pl": "Cześć. Tak brzmi mój głos. Trzeciego maja przeczytałem 24 strony w półtorej godziny.",
    "sv": "Hej. Så här låter jag. Den 3 maj läste jag 24 sidor på en och en halv timme.",
    "ru": "Здравствуйте. Вот так я звучу. Третьего мая я прочитал 24 страницы за полтора часа.",
    "uk": "Вітаю. Ось так я звучу. Третього травня я прочитав 24 сторінки за півтори години.",
    "ja": "こんにちは。これが私の声です。五月三日に、一時間半で二十四ページ読みました。",
    "zh": "你好。这就是我的声音。五月三日，我用一个半小时读了二十四页。",
}


def sample_sentence(language: str) -> str:
    """In English where there is none in that language (ISO 639-1)."""
    return _SAMPLES.get(language, _SAMPLES["en"])
