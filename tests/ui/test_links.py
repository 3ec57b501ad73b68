"""P3: no dangerous address opens, and a harmless one only after the dialog has shown it whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from pytestqt.qtbot import QtBot

from app.limits import LINK_CHARACTERS
from app.ui.links import LinkDialog, checked_address, open_url

SCHEMES = """
about acap acct admin aim android-app app apt archive as atom attachment bitcoin blob bolo bytecode calculator calc
callto chrome chrome-extension cid coap content cvs data dav dict dns dropbox ed2k edge exec facetime feed file
filesystem finger firefox fish freenode ftp ftps gemini geo git git+ssh go gopher gtalk h323 help hcp htt hxxp iax
icap im imap info intent ipn ipp irc irc6 ircs iris itms jabber jar javascript jms keyparc knowledgebase ldap ldaps
livescript local-file lync magnet mailbox maps market message mhtml microsoft-edge mid mms mocha moz-extension mp4
ms-access ms-appinstaller ms-browser-extension ms-calculator ms-cxh ms-excel ms-gamingoverlay ms-help ms-infopath
ms-its ms-msdt ms-officecmd ms-powerpoint ms-project ms-publisher ms-screenclip ms-search ms-settings ms-spd ms-visio
ms-word msnim mtqp mumble mvn news nfs ni nntp nomachine notes oid onenote opaque outlook pack palm paparazzi pkcs11
platform pop pres prospero proxy psyc qrc query redis rediss res resource rlogin rmi rsync rtmp rtsp search search-ms
secondlife service session sftp sgn shell shttp sieve sip sips skype smb sms snmp soldat spotify ssh steam stun svn
tag teamspeak tel telnet tftp things tip tn3270 tool turn tv udp unreal urn ut2004 vbscript view-source vnc wais
webcal wpid ws wss wtai wyciwyg x-apple.systempreferences x-man-page xcon xfire xmlrpc xmpp xri ymsgr z39.50 zoommtg
""".split()  # noqa: SIM905  # a list of 200 strings is no easier to read

FORMS = [
    r"\\evil.example\share\x.exe",
    "//evil.example/share",
    r"\/evil.example/x",
    "file:////evil.example/share",
    "file://localhost/etc/passwd",
    "/etc/passwd",
    "C:\\Windows\\system32\\calc.exe",
    "c:/windows/system32/calc.exe",
    "~/secrets",
    "../../etc/passwd",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "javascript&colon;alert(1)",
    "http:javascript:alert(1)",
    "http:/etc/passwd",
    "http:///etc/passwd",
    "https:\\\\evil.example",
    "https://user:password@evil.example",
    "https://good.example@evil.example",
    "https://good.example%2f@evil.example",
    "https://evil.example\u202emoc.doog",
    "https://evil.example/\u200bx",
    "https://a b.example",
    "https://[::1",
    "http://evil.example:99999/",
    "http://",
    "http:",
    "mailto:",
    "mailto://evil.example/x",
    "mailto:/etc/passwd",
    "file:%2f%2fevil",
    "data:text/html,<script>alert(1)</script>",
    "data:image/svg+xml;base64,PHN2Zz4=",
    "vbscript:msgbox(1)",
    "https://example.com/\nx",
    "https://example.com/" + "a" * LINK_CHARACTERS,
]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    urls: list[str] = []

    def note(url: QUrl) -> bool:
        urls.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", note)
    yield urls


def dangerous() -> list[str]:
    by_scheme = [f"{scheme}:{rest}" for scheme in SCHEMES for rest in ("//evil.example/x", "x@evil.example")]
    return [*by_scheme, *FORMS]


def test_there_are_enough() -> None:
    assert len(set(SCHEMES)) >= 170
    assert len(SCHEMES) + len(FORMS) >= 200


def test_nothing_dangerous_opens(qtbot: QtBot, opened: list[str]) -> None:
    asked = [url for url in dangerous() if open_url(url) is not None]
    assert asked == []
    assert opened == []


@pytest.mark.parametrize(
    ("url", "text", "host"),
    [
        ("https://example.com/a?b=c#d", "https://example.com/a?b=c#d", "example.com"),
        ("HTTP://Example.COM", "http://example.com", "example.com"),
        ("https://пример.example/ж", "https://xn--e1afmkfd.example/%D0%B6", "xn--e1afmkfd.example"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x", "::1"),
        ("mailto:a@example.com?subject=b", "mailto:a@example.com?subject=b", ""),
    ],
)
def test_harmless_addresses(url: str, text: str, host: str) -> None:
    address = checked_address(url)
    assert address is not None
    assert (address.text, address.host) == (text, host)


def test_look_alike_letters_are_shown_in_their_ascii_form() -> None:
    address = checked_address("https://аррӏе.com/")  # Cyrillic throughout
    assert address is not None
    assert address.host.startswith("xn--")


def test_asks_before_opening(qtbot: QtBot, opened: list[str]) -> None:
    dialog = open_url("https://example.com/path?q=1")
    assert isinstance(dialog, LinkDialog)
    qtbot.addWidget(dialog)
    assert opened == []
    assert dialog.shown_address() == "https://example.com/path?q=1"
    assert dialog.cancel_button.isDefault()
    dialog.open_button.click()
    assert opened == ["https://example.com/path?q=1"]


def test_cancel_and_copy_open_nothing(qtbot: QtBot, opened: list[str]) -> None:
    first = open_url("https://example.com/1")
    second = open_url("https://example.com/2")
    assert isinstance(first, LinkDialog)
    assert isinstance(second, LinkDialog)
    first.cancel_button.click()
    second.copy_button.click()
    assert opened == []
    assert QGuiApplication.clipboard().text() == "https://example.com/2"


def test_host_is_bold_even_where_the_scheme_repeats_it(qtbot: QtBot) -> None:
    dialog = open_url("http://http/http")
    assert isinstance(dialog, LinkDialog)
    qtbot.addWidget(dialog)
    view = dialog.address_view
    cursor = view.textCursor()
    bold = []
    for position in range(1, len("http://http/http") + 1):
        cursor.setPosition(position)
        if cursor.charFormat().fontWeight() > 500:
            bold.append(position)
    assert bold == [8, 9, 10, 11]


def test_positive_control_the_system_door_takes_anything(opened: list[str]) -> None:
    """Without `checked_address` a file would have been opened."""
    QDesktopServices.openUrl(QUrl("file:///etc/passwd"))
    assert opened == ["file:///etc/passwd"]
