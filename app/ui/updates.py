"""Where newer versions of Hearth are told of. Hearth itself never looks: the page opens in the browser, when asked."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget

from app.i18n import tr
from app.licences import PROGRAM
from app.ui.dialogs import CalmDialog
from app.ui.links import open_url
from app.ui.theme import Theme

_LABEL = "Releases"


def releases_page() -> str | None:
    """The address that whoever published this Hearth gave it: `Releases` of `[project.urls]` in pyproject.toml."""
    try:
        urls = metadata(PROGRAM).get_all("Project-URL") or ()
    except PackageNotFoundError:
        return None
    pairs = (each.partition(",") for each in urls)
    return next((address.strip() for label, _, address in pairs if label == _LABEL), None)


def check_for_updates(theme: Theme, parent: QWidget | None = None) -> QDialog | None:
    """Show the address and ask, as for every link; say so where there is none. Nothing is fetched by Hearth."""
    page = releases_page()
    if page is not None:
        return open_url(page, parent)
    dialog = CalmDialog(theme, parent, tr("Check for updates"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.add_sentence(
        tr("Hearth never looks by itself. This copy names no page that tells of newer ones: ask where you got it from.")
    )
    dialog.add_button(tr("Close"), kind="primary", default=True).clicked.connect(dialog.accept)
    dialog.open()
    return dialog
