"""The look of every stock widget, made from a `Theme`: Fusion, a palette and one style sheet.

The sheet sets no general font or text colour, so that `setFont(theme.font(...))` and the palette work.

Widgets choose among a few kinds with `widget.setProperty("kind", ...)`:

QPushButton   primary, danger, quiet, link; without a kind: an outlined button
QToolButton   icon, chip
QLabel        display, title, large, muted, caption, danger, warning, code
QFrame        card, chip, panel, line, banner, float (a window without a frame)
QWidget       surface (the reading surface), window (sidebar and panels)
QLineEdit     search, plain (no frame)
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.icons import FOLDER
from app.ui.theme import CODE_FAMILY, TextSize, Theme

_SHEET_ICONS = ("chevron-down", "chevron-up", "chevron-right", "check", "minus")


def set_kind(widget: QWidget, kind: str) -> None:
    """Give a widget its kind, also after it was shown."""
    widget.setProperty("kind", kind)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def apply_style(app: QApplication, theme: Theme, assets: Path) -> None:
    """Dress the whole application in `theme`; the sheet's tinted icons are kept in the folder `assets`."""
    app.setPalette(build_palette(theme))
    app.setFont(theme.font())
    app.setStyleSheet(build_sheet(theme, assets))


def build_palette(theme: Theme) -> QPalette:
    """Colours for what no style sheet reaches: text selections, links, native bits."""
    palette = QPalette()
    role = QPalette.ColorRole
    for name, roles in {
        "window": (role.Window,),
        "surface": (role.Base, role.ToolTipBase),
        "raised": (role.AlternateBase, role.Button),
        "text": (role.WindowText, role.Text, role.ButtonText, role.ToolTipText, role.HighlightedText),
        "text_faint": (role.PlaceholderText,),
        "selection": (role.Highlight,),
        "accent": (role.Link, role.LinkVisited, role.Accent),
        "border": (role.Mid, role.Midlight, role.Dark),
    }.items():
        for each in roles:
            palette.setColor(each, theme.color(name))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, theme.color("text_faint"))
    return palette


def _tinted_urls(theme: Theme, assets: Path) -> dict[str, str]:
    """A style sheet can only name files, so the few icons it needs are written there in the theme's colours."""
    assets.mkdir(parents=True, exist_ok=True)
    urls = {}
    for color in ("text_muted", "on_accent"):
        value = theme.color(color).name()
        for name in _SHEET_ICONS:
            target = assets / f"{name}-{value[1:]}.svg"
            if not target.exists():
                drawing = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
                target.write_text(drawing.replace("currentColor", value), encoding="utf-8")
            urls[f"{name}/{color}"] = f'url("{target.as_posix()}")'
    return urls


def build_sheet(theme: Theme, assets: Path) -> str:
    """The style sheet of the whole program."""
    icons = _tinted_urls(theme, assets)
    return "\n".join(
        (
            _base(theme),
            _buttons(theme),
            _inputs(theme, icons),
            _lists_and_menus(theme, icons),
            _bars(theme, icons),
        )
    )


def _px(theme: Theme, size: TextSize) -> str:
    return f"font-size: {theme.font(size).pixelSize()}px;"


def _base(t: Theme) -> str:
    c, s = t.colors, t.space
    return f"""
QMainWindow, QDialog {{ background: {c.window}; }}
QDialog {{ background: {c.surface}; }}
QWidget[kind="surface"] {{ background: {c.surface}; }}
QWidget[kind="window"] {{ background: {c.window}; }}
QLabel {{ background: transparent; }}
QLabel[kind="display"] {{ {_px(t, TextSize.DISPLAY)} font-weight: 600; }}
QLabel[kind="title"] {{ {_px(t, TextSize.TITLE)} font-weight: 600; }}
QLabel[kind="large"] {{ {_px(t, TextSize.LARGE)} font-weight: 600; }}
QLabel[kind="muted"] {{ color: {c.text_muted}; }}
QLabel[kind="caption"] {{ color: {c.text_muted}; {_px(t, TextSize.CAPTION)} }}
QLabel[kind="danger"] {{ color: {c.danger}; }}
QLabel[kind="warning"] {{ color: {c.warning}; }}
QLabel[kind="code"] {{ font-family: "{CODE_FAMILY}"; }}
QLabel:disabled {{ color: {c.text_faint}; }}
QFrame[kind="card"] {{ background: {c.surface}; border: 1px solid {c.border}; border-radius: {s(3)}px; }}
QFrame[kind="card"]:hover {{ border-color: {c.text_faint}; }}
QFrame[kind="float"] {{ background: {c.surface}; border: 1px solid {c.border}; border-radius: {s(3)}px; }}
QFrame[kind="chip"] {{ background: {c.raised}; border-radius: {s(2)}px; }}
QFrame[kind="panel"] {{ background: {c.window}; border: none; }}
QFrame[kind="banner"] {{ background: {c.raised}; border: 1px solid {c.border}; border-radius: {s(2.5)}px; }}
QFrame[kind="line"] {{ background: {c.border}; border: none; max-height: 1px; min-height: 1px; }}
QFrame[kind="toast"] {{ background: {c.text}; border-radius: {s(2.5)}px; }}
QFrame[kind="toast"] QLabel {{ color: {c.surface}; }}
QFrame[kind="toast"] QPushButton {{ color: {c.surface}; background: transparent; border: none;
  font-weight: 600; padding: {s(1)}px {s(2)}px; border-radius: {s(1.5)}px; text-decoration: underline; }}
QFrame[kind="toast"] QPushButton:focus {{ border: 1px solid {c.surface}; }}
QToolTip {{ background: {c.text}; color: {c.surface}; border: none; padding: {s(1)}px {s(2)}px;
  {_px(t, TextSize.CAPTION)} }}
QSplitter::handle {{ background: {c.border}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QSplitter::handle:hover {{ background: {c.accent}; }}
QScrollArea, QScrollArea > QWidget > QWidget[kind="plain"] {{ background: transparent; border: none; }}
QTextEdit, QPlainTextEdit, QTextBrowser {{ background: transparent; border: none;
  selection-background-color: {c.selection}; selection-color: {c.text}; }}
"""


def _buttons(t: Theme) -> str:
    c, s = t.colors, t.space
    return f"""
QPushButton {{ background: {c.surface}; border: 1px solid {c.border}; border-radius: {s(2)}px;
  padding: {s(1.75)}px {s(3.5)}px; font-weight: 500; min-height: {s(5)}px; }}
QPushButton:hover {{ background: {c.raised}; }}
QPushButton:pressed, QPushButton:checked {{ background: {c.pressed}; }}
QPushButton:focus {{ border: 1px solid {c.focus}; outline: none; }}
QPushButton:disabled {{ color: {c.text_faint}; background: {c.window}; }}
QPushButton[kind="primary"] {{ background: {c.accent}; border-color: {c.accent}; color: {c.on_accent}; }}
QPushButton[kind="primary"]:hover {{ background: {c.accent_hover}; border-color: {c.accent_hover}; }}
QPushButton[kind="primary"]:pressed {{ background: {c.accent}; }}
QPushButton[kind="primary"]:focus {{ border: 2px solid {c.selection}; }}
QPushButton[kind="primary"]:disabled {{ background: {c.pressed}; border-color: {c.pressed}; color: {c.text_faint}; }}
QPushButton[kind="danger"] {{ color: {c.danger}; }}
QPushButton[kind="danger"]:hover {{ border-color: {c.danger}; }}
QPushButton[kind="quiet"] {{ background: transparent; border-color: transparent; color: {c.text_muted}; }}
QPushButton[kind="quiet"]:hover {{ background: {c.raised}; color: {c.text}; }}
QPushButton[kind="quiet"]:pressed, QPushButton[kind="quiet"]:checked {{ background: {c.pressed}; color: {c.text}; }}
QPushButton[kind="quiet"]:focus {{ border-color: {c.focus}; }}
QPushButton[kind="link"] {{ background: transparent; border: 1px solid transparent; color: {c.accent}; padding: 0;
  text-align: left; }}
QPushButton[kind="link"]:hover {{ color: {c.accent_hover}; text-decoration: underline; }}
QPushButton[kind="link"]:focus {{ border-color: {c.focus}; }}
QPushButton[kind="link"]:disabled {{ color: {c.text_faint}; background: transparent; }}
QPushButton[kind="row"] {{ background: transparent; border: 1px solid transparent; text-align: left;
  padding: {s(1.5)}px {s(2)}px; border-radius: {s(2)}px; }}
QPushButton[kind="row"]:hover {{ background: {c.raised}; }}
QPushButton[kind="row"]:checked {{ background: {c.pressed}; }}
QPushButton[kind="row"]:focus {{ border-color: {c.focus}; }}
QPushButton[kind="starter"] {{ background: {c.surface}; border: 1px solid {c.border}; border-radius: {s(3)}px;
  text-align: left; padding: {s(3)}px {s(3.5)}px; font-weight: 400; }}
QPushButton[kind="starter"]:hover {{ background: {c.raised}; }}
QPushButton[kind="starter"]:focus {{ border-color: {c.focus}; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: {s(2)}px; padding: {s(1.25)}px; }}
QToolButton:hover {{ background: {c.raised}; }}
QToolButton:pressed, QToolButton:checked {{ background: {c.pressed}; }}
QToolButton:focus {{ border-color: {c.focus}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QToolButton[kind="chip"] {{ background: {c.raised}; color: {c.text_muted}; border-radius: {s(2)}px;
  padding: {s(0.5)}px {s(2)}px; {_px(t, TextSize.CAPTION)} }}
QToolButton[kind="chip"]:hover {{ background: {c.pressed}; color: {c.text}; }}
QToolButton[kind="chip"]:checked {{ background: {c.accent}; color: {c.on_accent}; }}
QToolButton[kind="chip"]:focus {{ border-color: {c.focus}; }}
"""


def _inputs(t: Theme, icons: dict[str, str]) -> str:
    c, s = t.colors, t.space
    down, up = icons["chevron-down/text_muted"], icons["chevron-up/text_muted"]
    knob = s(1) + 2 * s(1.5)  # with its border; a radius of more than half of it would not be drawn at all
    return f"""
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QKeySequenceEdit QLineEdit {{ background: {c.surface};
  border: 1px solid {c.border};
  border-radius: {s(2)}px; padding: {s(1.25)}px {s(2)}px; min-height: {s(5)}px;
  selection-background-color: {c.selection}; selection-color: {c.text}; }}
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover {{ border-color: {c.text_faint}; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QComboBox:on
  {{ border: 1px solid {c.focus}; }}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {{ color: {c.text_faint};
  background: {c.window}; }}
QSpinBox QLineEdit, QDoubleSpinBox QLineEdit {{ background: transparent; border: none; min-height: 0;
  padding: 0 0 0 {s(2)}px; }}
QLineEdit[kind="search"] {{ background: {c.raised}; border-color: transparent; }}
QLineEdit[kind="search"]:focus {{ background: {c.surface}; border-color: {c.focus}; }}
QLineEdit[kind="plain"] {{ background: transparent; border: none; padding: 0; }}
QLineEdit[kind="rename"] {{ padding: 0 {s(1)}px; min-height: 0; border-radius: {s(1)}px; }}
QPlainTextEdit[kind="field"], QTextEdit[kind="field"] {{ background: {c.surface}; border: 1px solid {c.border};
  border-radius: {s(2)}px; padding: {s(1)}px; }}
QPlainTextEdit[kind="field"]:focus, QTextEdit[kind="field"]:focus {{ border-color: {c.focus}; }}
QComboBox {{ padding-right: {s(6)}px; combobox-popup: 0; }}
QComboBox::drop-down {{ border: none; width: {s(6)}px; subcontrol-position: center right; }}
QComboBox::down-arrow {{ image: {down}; width: {s(3.5)}px; height: {s(3.5)}px; }}
QComboBox QAbstractItemView {{ background: {c.surface}; border: 1px solid {c.border}; padding: {s(1)}px;
  selection-background-color: {c.raised}; selection-color: {c.text}; outline: none; }}
QComboBox QAbstractItemView::item {{ min-height: {s(7)}px; padding: 0 {s(1.5)}px; border-radius: {s(1.5)}px; }}
QComboBox QAbstractItemView::item:selected, QComboBox QAbstractItemView::item:hover {{ background: {c.raised};
  color: {c.text}; }}
QSpinBox::up-button, QDoubleSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::down-button {{
  border: none; width: {s(5)}px; background: transparent; margin-right: {s(0.5)}px; }}
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: {up}; width: {s(3)}px; height: {s(3)}px; }}
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: {down}; width: {s(3)}px; height: {s(3)}px; }}
QCheckBox, QRadioButton {{ spacing: {s(2)}px; background: transparent; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: {s(4)}px; height: {s(4)}px; border: 1px solid {c.text_faint};
  border-radius: {s(1)}px; background: {c.surface}; }}
QRadioButton::indicator {{ border-radius: {s(2)}px; }}
QCheckBox::indicator:checked {{ background: {c.accent}; border-color: {c.accent};
  image: {icons["check/on_accent"]}; }}
QRadioButton::indicator:checked {{ background: {c.accent}; border: {s(1)}px solid {c.surface}; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border-color: {c.focus}; }}
QSlider {{ background: transparent; min-height: {s(5)}px; }}
QSlider::groove:horizontal {{ height: {s(1)}px; background: {c.pressed}; border-radius: {s(0.5)}px; }}
QSlider::sub-page:horizontal {{ background: {c.accent}; border-radius: {s(0.5)}px; }}
QSlider::handle:horizontal {{ background: {c.surface}; border: 1px solid {c.text_faint}; width: {knob - 2}px;
  height: {knob - 2}px; margin: -{s(1.5)}px 0; border-radius: {knob // 2}px; }}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ border-color: {c.accent}; }}
"""


def _lists_and_menus(t: Theme, icons: dict[str, str]) -> str:
    c, s = t.colors, t.space
    return f"""
QListView, QTreeView, QTableView, QListWidget {{ background: transparent; border: none; outline: none; }}
QListView::item, QTreeView::item {{ border-radius: {s(1.5)}px; padding: {s(1)}px {s(1.5)}px; }}
QListView::item:hover, QTreeView::item:hover {{ background: {c.raised}; }}
QListView::item:selected, QTreeView::item:selected {{ background: {c.pressed}; color: {c.text}; }}
QHeaderView::section {{ background: transparent; color: {c.text_muted}; border: none;
  border-bottom: 1px solid {c.border}; padding: {s(1.5)}px; {_px(t, TextSize.CAPTION)} }}
QMenu {{ background: {c.surface}; border: 1px solid {c.border}; border-radius: {s(2)}px; padding: {s(1.25)}px; }}
QMenu::item {{ padding: {s(1.5)}px {s(6)}px {s(1.5)}px {s(2.5)}px; border-radius: {s(1.5)}px; }}
QMenu::item:selected {{ background: {c.raised}; color: {c.text}; }}
QMenu::item:disabled {{ color: {c.text_faint}; }}
QMenu::icon {{ padding-left: {s(2)}px; }}
QMenu::separator {{ height: 1px; background: {c.border}; margin: {s(1.25)}px {s(2)}px; }}
QMenu::indicator {{ width: {s(4)}px; height: {s(4)}px; left: {s(1.5)}px; }}
QMenu::indicator:checked {{ image: {icons["check/text_muted"]}; }}
QMenu::right-arrow {{ image: {icons["chevron-right/text_muted"]}; width: {s(3.5)}px; height: {s(3.5)}px; }}
QMenuBar {{ background: {c.window}; }}
QMenuBar::item {{ padding: {s(1.25)}px {s(2.5)}px; background: transparent; border-radius: {s(1.5)}px; }}
QMenuBar::item:selected {{ background: {c.raised}; }}
QTabWidget::pane {{ border: none; }}
QTabBar {{ background: transparent; border: none; }}
QTabBar::tab {{ background: transparent; color: {c.text_muted}; padding: {s(2)}px {s(1)}px; margin: 0 {s(2)}px;
  border: none; border-bottom: 2px solid transparent; font-weight: 500; }}
QTabBar::tab:hover {{ color: {c.text}; }}
QTabBar::tab:selected {{ color: {c.text}; border-bottom-color: {c.accent}; }}
QTabBar::tab:focus {{ border-bottom-color: {c.focus}; }}
"""


def _bars(t: Theme, icons: dict[str, str]) -> str:
    c, s = t.colors, t.space
    return f"""
QScrollBar:vertical {{ background: transparent; width: {s(2.5)}px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {s(2.5)}px; margin: 0; }}
QScrollBar::handle {{ background: {c.pressed}; border-radius: {max(2, s(0.75))}px; margin: {s(0.5)}px; }}
QScrollBar::handle:vertical {{ min-height: {s(8)}px; }}
QScrollBar::handle:horizontal {{ min-width: {s(8)}px; }}
QScrollBar::handle:hover {{ background: {c.text_faint}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{ background: {c.pressed}; border: none; border-radius: {s(0.75)}px; text-align: center;
  min-height: {s(1.5)}px; max-height: {s(1.5)}px; color: transparent; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: {s(0.75)}px; }}
"""
