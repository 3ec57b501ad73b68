"""A window: sidebar, conversation, panel and status bar side by side, and what the commands do in it.

Puts the pieces together and passes signals between them; each piece does its own work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt, QUrl
from PySide6.QtGui import QAction, QCloseEvent, QDesktopServices
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.i18n import tr
from app.store.types import Conversation, SourcePassage, StoredMessage
from app.ui.banner import Banner
from app.ui.commands import CommandActions
from app.ui.conversation_menu import conversation_menu
from app.ui.conversation_operations import ConversationOperations
from app.ui.conversation_page import ConversationPage
from app.ui.first_run import FirstRun, bind_first_run
from app.ui.icons import themed_icon
from app.ui.page_header import PageHeader
from app.ui.persona_window import WindowPersonas
from app.ui.remote_banner import RemoteBanner
from app.ui.restoring import restore_backup
from app.ui.side_panel import SidePanel
from app.ui.sidebar import Sidebar
from app.ui.sidebar_model import shown_title
from app.ui.status_bar import StatusBar
from app.ui.theme import ThemeChoice
from app.ui.toast import Toasts
from app.ui.updates import check_for_updates
from app.ui.workspace import Workspace
from engine.engine import EngineState, EngineStatus

if TYPE_CHECKING:
    from app.ui.voice_flow import VoiceFlow

ZOOM_STEP = 0.1
_DEFAULT_SIZE = QSize(1180, 800)


class MainWindow(QMainWindow):
    """One window onto the conversations. Several may be open; each shows its own."""

    def __init__(self, workspace: Workspace, *, conversation_id: str = "") -> None:
        super().__init__()
        self.workspace = workspace
        self._known_id = ""
        self._zoom_shown = workspace.theme.zoom
        self._voice: VoiceFlow | None = None
        self._folded: tuple[bool, bool] | None = None
        """Whether sidebar and panel are to come back when the voice view closes."""
        theme = workspace.theme
        self.setWindowTitle(tr("Hearth"))
        self.toasts = Toasts(theme, self)
        self.operations = ConversationOperations(workspace, self.toasts, self)
        self.sidebar = Sidebar(
            theme,
            workspace.library,
            workspace.answers,
            self,
            personas=workspace.personas,
            icons=workspace.persona_icons,
        )
        self.header = PageHeader(theme, self)
        self.page = ConversationPage(workspace, self.toasts, self)
        self.personas = WindowPersonas(
            workspace, self, self.toasts, page=self.page, header=self.header, sidebar=self.sidebar
        )
        self._lay_out()
        self.actions_of = CommandActions(workspace.commands, self, self._handlers())
        self._connect()
        self._build_menu_bar()
        self._restore()
        self.page.open(conversation_id)
        self._on_library_changed()
        self._show_store_notice()

    @property
    def conversation(self) -> Conversation | None:
        """The conversation on show; None for a new chat."""
        return self.workspace.library.conversation(self.page.conversation_id)

    def open_conversation(self, conversation_id: str, *, message_id: str = "") -> None:
        """Show a conversation in this window."""
        self.page.open(conversation_id, message_id=message_id)

    @property
    def sides_shown(self) -> tuple[bool, bool]:
        """Whether sidebar and panel are there, or come back when the voice view closes."""
        return self._folded or (not self.sidebar.isHidden(), not self.panel.isHidden())

    def talk(self) -> None:
        """Begin or end a conversation by speech."""
        self._talk()

    def add_files(self, files: Sequence[Path]) -> None:
        """Attach files to what is being written here."""
        if files:
            self.personas.exchange.sort(files, self.page.composer.add_files)

    def come_forward(self) -> None:
        """Show and raise, out of the dock too."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def _lay_out(self) -> None:
        centre = QWidget()
        centre.setProperty("kind", "surface")
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(RemoteBanner(self.workspace))
        self.banner = Banner(self.workspace.theme)
        column.addWidget(self.banner)
        self.first_run = FirstRun(self.workspace.theme)
        self.centre = QStackedWidget()
        self.centre.addWidget(self.page)
        self.centre.addWidget(self.first_run)
        column.addWidget(self.centre, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.sidebar)
        self.splitter.addWidget(centre)
        self.panel = SidePanel(self.workspace.theme, self.workspace.settings)
        self.splitter.addWidget(self.panel)
        self.splitter.setStretchFactor(1, 1)
        whole = QWidget()
        outer = QVBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.splitter, 1)
        self.status_bar = StatusBar(self.workspace.theme)
        outer.addWidget(self.status_bar)
        self.setCentralWidget(whole)

    def _connect(self) -> None:
        workspace, sidebar, page = self.workspace, self.sidebar, self.page
        workspace.theme.changed.connect(self._on_theme_changed)
        workspace.library.changed.connect(self._on_library_changed)
        workspace.library.failed.connect(self.toasts.show)
        workspace.library.replaced.connect(self._show_store_notice)
        workspace.ready.connect(self._show_store_notice)
        page.conversation_changed.connect(self._on_conversation_changed)
        page.generating_changed.connect(self._on_generating_changed)
        workspace.voice.changed.connect(self._on_voice_changed)
        self.operations.conversation_deleted.connect(self._on_conversation_deleted)
        sidebar.open_requested.connect(self.open_conversation)
        sidebar.message_requested.connect(lambda each, message: self.open_conversation(each, message_id=message))
        sidebar.new_requested.connect(self._new_chat)
        sidebar.rename_requested.connect(self.operations.rename)
        sidebar.folder_rename_requested.connect(self.operations.rename_folder)
        sidebar.move_requested.connect(self.operations.move)
        sidebar.delete_requested.connect(self._delete)
        sidebar.files_dropped.connect(self._on_files_dropped)
        sidebar.settings_requested.connect(self._open_settings)
        sidebar.menu_requested.connect(self._show_main_menu)
        sidebar.fold_requested.connect(self._toggle_sidebar)
        sidebar.conversation_menu_requested.connect(self._show_conversation_menu)
        sidebar.folder_menu_requested.connect(self._show_folder_menu)
        header = self.header
        header.menu_requested.connect(lambda at: self._show_conversation_menu(page.conversation_id, at))
        header.unfold_requested.connect(self._toggle_sidebar)
        header.new_requested.connect(self._new_chat)
        header.talk_requested.connect(self._talk)
        header.panel_requested.connect(self._toggle_panel)
        self._connect_status(self.status_bar)
        bind_first_run(self.first_run, workspace.models)
        self.first_run.picker_requested.connect(self._choose_model)
        workspace.engine_changed.connect(self._on_engine_changed)
        workspace.models.entries_changed.connect(self._on_models_changed)
        workspace.models.failed.connect(self.toasts.show)
        page.observed.connect(self.status_bar.follower.observe)
        page.citation_activated.connect(self._on_citation)
        page.documents.opened.connect(self._open_documents)
        self.panel.fold_requested.connect(self._toggle_panel)
        self.panel.built.connect(self._on_panel_built)
        page.path_shown.connect(self._on_path_shown)
        workspace.commands.changed.connect(self._on_commands_changed)
        self._on_commands_changed()
        self._on_generating_changed(page.is_generating)

    def _connect_status(self, status: StatusBar) -> None:
        workspace = self.workspace
        status.picker_requested.connect(self._choose_model)
        status.context_requested.connect(self._show_context)
        status.load_cancel_requested.connect(workspace.models.cancel_loading)
        status.reload_requested.connect(lambda on_cpu: workspace.models.reload(on_cpu=on_cpu))
        status.programs_requested.connect(lambda: self._open_setting("api.enabled"))
        workspace.programs.changed.connect(self._on_programs_changed)
        workspace.programs.failed.connect(self.toasts.show)
        self._on_programs_changed()

    def _handlers(self) -> dict[str, Callable[[], object]]:
        workspace, page, operations = self.workspace, self.page, self.operations

        def on_conversation(run: Callable[[Conversation], object]) -> Callable[[], None]:
            def handler() -> None:
                if (conversation := self.conversation) is not None:
                    run(conversation)

            return handler

        exports = {
            f"export_{name}": on_conversation(lambda each, which=name: operations.export(each, which))  # type: ignore[misc]
            for name in ("markdown", "html", "json", "pdf")
        }
        return {
            **exports,
            "new_chat": self._new_chat,
            "new_window": lambda: workspace.window_requested.emit(""),
            "quick_ask": workspace.quick_requested.emit,
            "open_in_new_window": lambda: workspace.window_requested.emit(page.conversation_id),
            "documents": self._open_documents,
            "import": self._import,
            "import_persona": self.personas.ask_for_file,
            "choose_persona": self.personas.open_palette,
            "new_persona": lambda: self.personas.operations.edit(None),
            "personas": self.personas.operations.gallery,
            "open_data_folder": self._open_data_folder,
            "settings": self._open_settings,
            "close_window": self.close,
            "quit": workspace.quit_requested.emit,
            "search": self._focus_search,
            "copy_answer": page.copy_last_answer,
            "rename": on_conversation(lambda each: self._rename(each.id)),
            "pin": on_conversation(operations.toggle_pinned),
            "archive": on_conversation(operations.toggle_archived),
            "edit_tags": on_conversation(operations.edit_tags),
            "new_folder": operations.new_folder,
            "delete": on_conversation(operations.delete),
            "toggle_sidebar": self._toggle_sidebar,
            "toggle_panel": self._toggle_panel,
            "next_conversation": lambda: self._step(1),
            "previous_conversation": lambda: self._step(-1),
            "zoom_in": lambda: self._zoom(ZOOM_STEP),
            "zoom_out": lambda: self._zoom(-ZOOM_STEP),
            "zoom_reset": lambda: self._zoom(None),
            "toggle_theme": self._toggle_theme,
            "model_picker": self._choose_model,
            "dictate": lambda: page.dictation.press_key(workspace.commands.sequences("dictate")),
            "read_aloud": page.read_last_aloud,
            "regenerate": page.regenerate_last,
            "stop": self._stop,
            "force_stop": self._force_stop,
            "focus_composer": page.focus_composer,
            "talk": self._talk,
            "shortcuts": self._open_shortcuts,
            "check_for_updates": lambda: check_for_updates(workspace.theme, self),
            "diagnostics": self._open_diagnostics,
            "about": self._open_about,
        }

    def _restore(self) -> None:
        state = self.workspace.state
        geometry = state.bytes_of("window/geometry")
        if geometry.isEmpty() or not self.restoreGeometry(geometry):
            screen = self.screen().availableGeometry().size()
            self.resize(_DEFAULT_SIZE.boundedTo(screen * 0.92))
        if not self.splitter.restoreState(state.bytes_of("window/splitter")):
            space = self.workspace.theme.space
            self.splitter.setSizes([space(68), self.width() - space(68 + 80), space(80)])
        self.sidebar.set_collapsed(state.texts("sidebar/collapsed"))
        self.sidebar.personas.set_folded(state.flag("sidebar/personas_folded", False))
        self.set_sidebar_visible(state.flag("sidebar/visible", True))
        self.panel.setVisible(state.flag("panel/visible", False))

    def set_sidebar_visible(self, visible: bool) -> None:
        self.sidebar.setVisible(visible)
        self.header.set_sidebar_folded(not visible)

    # Commands

    def _new_chat(self) -> None:
        self.page.open("")
        self.page.focus_composer()

    def _on_files_dropped(self, conversation_id: str, files: list[Path]) -> None:
        def attach(others: list[Path]) -> None:
            self.page.open(conversation_id, files=others)
            self.page.focus_composer()

        self.personas.exchange.sort(files, attach)

    def _focus_search(self) -> None:
        self.set_sidebar_visible(True)
        self.sidebar.focus_search()

    def _rename(self, conversation_id: str) -> None:
        self.set_sidebar_visible(True)
        self.sidebar.edit_title(conversation_id)

    def _delete(self, conversation_id: str) -> None:
        if (conversation := self.workspace.library.conversation(conversation_id)) is not None:
            self.operations.delete(conversation)

    def _step(self, step: int) -> None:
        neighbour = self.sidebar.neighbour(self.page.conversation_id, step)
        if neighbour is not None:
            self.open_conversation(neighbour)

    def _toggle_sidebar(self) -> None:
        self.set_sidebar_visible(not self.sidebar.isVisible())

    def _toggle_panel(self) -> None:
        self.panel.setVisible(self.panel.isHidden())

    def _zoom(self, step: float | None) -> None:
        zoom = 1.0 if step is None else min(2.0, max(0.7, self.workspace.theme.zoom + step))
        self.workspace.settings.set("appearance.zoom", round(zoom, 2))

    def _toggle_theme(self) -> None:
        other = ThemeChoice.LIGHT if self.workspace.theme.is_dark else ThemeChoice.DARK
        self.workspace.settings.set("appearance.theme", other.value)

    def _talk(self) -> None:
        if self.centre.currentWidget() is self.first_run:
            self.toasts.show(tr("Choose a model first"))
            return
        if self._voice is None:
            from app.ui.voice_flow import VoiceFlow  # noqa: PLC0415  # only when asked for

            self._voice = VoiceFlow(self.workspace, self.page, self.toasts, self)
            self._voice.shown.connect(self._on_voice_shown)
        self._voice.toggle()

    def _stop(self) -> None:
        if self._voice is not None and self._voice.is_open:
            self._voice.escape()
        else:
            self.page.stop_what_runs()

    def _on_voice_shown(self, shown: bool) -> None:
        """The voice view has the whole window."""
        if shown:
            self._folded = not self.sidebar.isHidden(), not self.panel.isHidden()
            self.set_sidebar_visible(False)
            self.panel.hide()
        elif self._folded is not None:
            sidebar, panel = self._folded
            self.set_sidebar_visible(sidebar)
            self.panel.setVisible(panel)
            self._folded = None
        self.header.setVisible(not shown)
        self._on_generating_changed(self.page.is_generating)

    def _force_stop(self) -> None:
        if (services := self.workspace.services) is not None:
            services.chat.force_stop()

    def _choose_model(self) -> None:
        from app.ui.model_dialog import open_model_picker  # noqa: PLC0415  # only when asked for

        open_model_picker(self.workspace.theme, self.workspace.models, self)

    def _open_data_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.workspace.paths.data)))

    def _on_citation(self, source: SourcePassage) -> None:
        from app.ui.sources_flow import show_source  # noqa: PLC0415  # only when asked for

        show_source(self.page, self.workspace, source)

    def _open_documents(self) -> None:
        from app.ui.documents_dialog import open_documents  # noqa: PLC0415  # only when asked for

        open_documents(self.workspace, self)

    def _import(self) -> None:
        from app.ui.import_dialog import import_conversations  # noqa: PLC0415  # only when asked for

        import_conversations(self.workspace, self)

    def _open_settings(self) -> None:
        from app.ui.settings_dialog import SettingsDialog  # noqa: PLC0415  # only when asked for

        SettingsDialog(self.workspace, self).open()

    def _open_setting(self, key: str) -> None:
        from app.ui.settings_dialog import SettingsDialog  # noqa: PLC0415  # only when asked for

        dialog = SettingsDialog(self.workspace, self)
        dialog.open()
        dialog.show_option(key)

    def _open_shortcuts(self) -> None:
        from app.ui.shortcuts_dialog import ShortcutsDialog  # noqa: PLC0415  # only when asked for

        ShortcutsDialog(self.workspace.theme, self.workspace.commands, self).open()

    def _open_diagnostics(self) -> None:
        from app.ui.diagnostics_dialog import DiagnosticsDialog  # noqa: PLC0415  # only when asked for

        DiagnosticsDialog(self.workspace, self).open()

    def _open_about(self) -> None:
        from app.ui.about_dialog import AboutDialog  # noqa: PLC0415  # only when asked for

        AboutDialog(self.workspace, self).open()

    # Menus

    def _menus(self) -> dict[str, list[QAction]]:
        menus: dict[str, list[QAction]] = {}
        for command in self.workspace.commands.all():
            if command.menu:
                menus.setdefault(command.menu, []).append(self.actions_of.action(command.id))
        return menus

    def _build_menu_bar(self) -> None:
        """Only where the system has one bar for all windows; elsewhere the menu button does the same."""
        if (
            not QApplication.testAttribute(Qt.ApplicationAttribute.AA_DontUseNativeMenuBar)
            and self.menuBar().isNativeMenuBar()
        ):
            for title, actions in self._menus().items():
                self.menuBar().addMenu(title).addActions(actions)
        else:
            self.menuBar().hide()

    def _show_main_menu(self, at: QPoint) -> None:
        theme = self.workspace.theme
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        for title, actions in self._menus().items():
            submenu = menu.addMenu(title)
            for action in actions:
                command = self.workspace.commands.command(action.objectName())
                action.setIcon(themed_icon(theme, command.icon))
                submenu.addAction(action)
        menu.popup(at)

    def _show_conversation_menu(self, conversation_id: str, at: QPoint) -> None:
        workspace = self.workspace
        conversation = workspace.library.conversation(conversation_id)
        if conversation is not None:
            conversation_menu(
                workspace,
                self.operations,
                conversation,
                self,
                rename=lambda: self._rename(conversation_id),
            ).popup(at)

    def _show_folder_menu(self, folder_id: str, at: QPoint) -> None:
        folder = self.workspace.library.folder(folder_id)
        if folder is None:
            return
        theme = self.workspace.theme
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction(themed_icon(theme, "pencil"), tr("Rename")).triggered.connect(
            lambda: self.sidebar.edit_title(folder_id)
        )
        menu.addAction(themed_icon(theme, "trash-2", color="danger"), tr("Delete folder")).triggered.connect(
            lambda: self.operations.delete_folder(folder)
        )
        menu.popup(at)

    # What happens elsewhere

    def _on_conversation_changed(self, conversation_id: str) -> None:
        self._show_centre()
        self.sidebar.set_open(conversation_id)
        self._show_parameters()
        self._show_title()

    def _on_conversation_deleted(self, conversation_id: str) -> None:
        if conversation_id == self.page.conversation_id:
            self.page.open("")

    def _on_library_changed(self) -> None:
        self._show_title()
        if self.conversation is not None:
            if self._known_id != self.page.conversation_id:
                self._show_parameters()
            self._known_id = self.page.conversation_id
        elif self._known_id and self._known_id == self.page.conversation_id:
            # It was there, and is gone: deleted, perhaps in another window.
            self.page.open("")
        self.sidebar.model.mark(open_id=self.page.conversation_id)

    def _on_engine_changed(self, state: EngineState) -> None:
        self.status_bar.set_engine_state(state, self._model_name(state))
        self.first_run.set_engine_state(state, self._model_name(state))
        if self.panel.context is not None:
            self.panel.context.set_n_ctx(state.model.n_ctx if state.model is not None else 0)
            self.panel.context.set_remote_host(state.model.remote_host if state.model is not None else "")
        self._show_centre()

    def _show_centre(self) -> None:
        """The first-run page stands where a new chat would, until a model is loaded for the first time."""
        models, status = self.workspace.models, self.workspace.engine_state.status
        new = not self.page.conversation_id
        if status is EngineStatus.READY or not new:
            self.centre.setCurrentWidget(self.page)
        elif models.scanned and not models.has_models() and status is EngineStatus.EMPTY:
            self.centre.setCurrentWidget(self.first_run)

    def _model_name(self, state: EngineState) -> str:
        """What the list of models calls it, which is kinder than the file's own name."""
        if state.status is EngineStatus.LOADING and self.workspace.models.loading_name:
            return self.workspace.models.loading_name
        services = self.workspace.services
        if services is None:
            return ""
        if state.model is not None:
            return services.models.display_name(state.model)
        return services.models.expected_name() if state.status is EngineStatus.LOADING else ""

    def _on_programs_changed(self) -> None:
        self.status_bar.set_programs_address(self.workspace.programs.address)

    def _on_models_changed(self) -> None:
        self._show_centre()
        self._on_engine_changed(self.workspace.engine_state)

    def _on_path_shown(self, path: list[StoredMessage]) -> None:
        self.status_bar.follower.show_path(path, self.page.live_meter)

    def _on_panel_built(self) -> None:
        from app.ui.memory_flow import MemoryFlow  # noqa: PLC0415  # most starts do without the panel
        from app.ui.sources_flow import SourcesFlow  # noqa: PLC0415

        parameters, context, sources = self.panel.parameters, self.panel.context, self.panel.sources
        assert parameters is not None
        assert context is not None
        assert sources is not None
        SourcesFlow(self.workspace, self.page, sources)
        parameters.changed.connect(self.page.set_parameters)
        parameters.setting_requested.connect(self._open_setting)
        MemoryFlow(self.workspace, self.page, context, self.toasts)
        self._show_parameters()
        self._on_engine_changed(self.workspace.engine_state)

    def _show_parameters(self) -> None:
        if self.panel.parameters is not None:
            self.panel.parameters.show_conversation(self.conversation)

    def _show_context(self) -> None:
        shown = not self.panel.isHidden() and self.panel.tabs.currentIndex() == 1
        self.panel.show_context()
        self.panel.setVisible(not shown)

    def _show_store_notice(self) -> None:
        """What is wrong with the file of the chats stays in sight, with the way to the last backup."""
        services = self.workspace.services
        if services is None:
            return
        recovery = services.recovery
        backup = recovery.newest_backup if recovery is not None and not recovery.restored else None
        read_only = services.store.read_only
        self.banner.show_text(
            services.store_notice(),
            action=tr("Restore the last backup…") if backup is not None and not read_only else "",
            run=lambda: self._restore_backup(backup) if backup is not None else None,
            closable=not read_only,
        )

    def _restore_backup(self, backup: Path) -> None:
        def said(text: str, kept: Path | None) -> None:
            self.toasts.show(text, action=tr("Show") if kept is not None else "", run=self._open_data_folder)

        restore_backup(self.workspace, self, backup, said)

    def _show_title(self) -> None:
        conversation = self.conversation
        title = shown_title(conversation) if conversation is not None else ""
        self.header.set_title(title)
        self.setWindowTitle(f"{title} - {tr('Hearth')}" if title else tr("Hearth"))

    def _on_voice_changed(self) -> None:
        self._on_generating_changed(self.page.is_generating)

    def _on_generating_changed(self, generating: bool) -> None:
        # Esc must stay free for everything else while there is nothing to stop.
        talks = self._voice is not None and self._voice.is_open
        runs = generating or talks or self.page.dictation.is_on or bool(self.workspace.voice.read_message)
        self.actions_of.action("stop").setEnabled(runs)
        self.actions_of.action("force_stop").setEnabled(generating)
        self.actions_of.action("regenerate").setEnabled(not generating)

    def _on_theme_changed(self) -> None:
        zoom = self.workspace.theme.zoom
        if zoom != self._zoom_shown:
            # The columns at the sides keep their width in letters.
            left, centre, right = self.splitter.sizes()
            wider = zoom / self._zoom_shown
            sides = (round(left * wider), round(right * wider))
            self.splitter.setSizes([sides[0], left + centre + right - sum(sides), sides[1]])
            self._zoom_shown = zoom

    def _on_commands_changed(self) -> None:
        keys = self.workspace.commands.keys_text
        self.sidebar.fold_button.set_label(tr("Hide the sidebar"), shortcut=keys("toggle_sidebar"))
        self.header.unfold_button.set_label(tr("Show the sidebar"), shortcut=keys("toggle_sidebar"))
        self.header.new_button.set_label(tr("New chat"), shortcut=keys("new_chat"))
        self.header.talk_button.set_label(tr("Talk to Hearth"), shortcut=keys("talk"))
        self.header.panel_button.set_label(tr("Show or hide the panel"), shortcut=keys("toggle_panel"))
        self.page.composer.microphone.set_shortcut(keys("dictate"))
        self.sidebar.set_search_keys(keys("search"))
        self.sidebar.new_button.setToolTip(keys("new_chat"))
        self.sidebar.personas.all_button.set_label(tr("All personas"), shortcut=keys("choose_persona"))

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._voice is not None:
            self._voice.close()
        if self.panel.parameters is not None:
            self.panel.parameters.flush()
        self.page.close_page()
        state = self.workspace.state
        state.keep("window/geometry", self.saveGeometry())
        state.keep("window/splitter", self.splitter.saveState())
        state.keep("sidebar/visible", not self.sidebar.isHidden())
        state.keep("panel/visible", not self.panel.isHidden())
        state.keep("sidebar/collapsed", self.sidebar.collapsed)
        state.keep("sidebar/personas_folded", self.sidebar.personas.folded)
        super().closeEvent(event)
        self.workspace.window_closed.emit(self)
        self.deleteLater()
