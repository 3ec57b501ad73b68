"""What Hearth is, which version, and whose work it stands on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6 import __version__ as pyside_version
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from app.i18n import tr
from app.ui.dialogs import CalmDialog, line
from app.ui.icons import tinted_pixmap
from app.ui.workspace import Workspace

_THANKS = (
    ("llama.cpp, llama-cpp-python", "MIT"),
    ("Qt for Python", "LGPL 3"),
    ("Inter, JetBrains Mono", "OFL 1.1"),
    ("Lucide", "ISC"),
)


class AboutDialog(CalmDialog):
    """Version and thanks."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        theme = workspace.theme
        super().__init__(theme, parent, tr("About Hearth"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._workspace = workspace
        self.heading.hide()
        mark = QLabel()
        mark.setPixmap(tinted_pixmap(theme, "hearth", size=theme.space(20)))
        mark.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.body.addWidget(mark)
        name = QLabel(tr("Hearth"))
        name.setProperty("kind", "display")
        name.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.body.addWidget(name)
        sentence = self.add_sentence(tr("An assistant that lives wholly on your own computer."))
        sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        details = self.add_sentence(
            "  ·  ".join((tr("Version {number}", number=_version()), f"Qt {pyside_version}", _python())),
            kind="caption",
        )
        details.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addWidget(line())
        for what, licence in _THANKS:
            thanks = self.add_sentence(f"{what}  ·  {licence}", kind="caption")
            thanks.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.licences_button = self.add_button(tr("Licences…"))
        self.licences_button.clicked.connect(self._on_licences)
        self.add_button(tr("Close"), kind="primary", default=True).clicked.connect(self.accept)

    def _on_licences(self) -> None:
        from app.ui.licences_dialog import LicencesDialog  # noqa: PLC0415  # only when asked for

        LicencesDialog(self._workspace, self).open()


def _python() -> str:
    return f"Python {platform.python_version()}"


def _version() -> str:
    try:
        return version("hearth-assistant")
    except PackageNotFoundError:
        return "0"
