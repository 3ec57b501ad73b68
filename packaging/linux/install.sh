#!/bin/sh
# Give this folder's Hearth a place among the programs of the desktop, for this user only; `--remove` takes it back.
# Nothing is copied: move the folder, and run this again.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
share=${XDG_DATA_HOME:-$HOME/.local/share}
entry=$share/applications/hearth.desktop
icon=$share/icons/hicolor/scalable/apps/hearth.svg
type=$share/mime/packages/hearth.xml
command=$HOME/.local/bin/hearth
if [ "${1:-}" = --remove ]; then
    rm -f "$entry" "$icon" "$type"
    if [ -L "$command" ]; then rm -f "$command"; fi
else
    mkdir -p "$(dirname "$entry")" "$(dirname "$icon")" "$(dirname "$type")" "$(dirname "$command")"
    # A path may hold blanks; in an entry those stand between quotation marks.
    sed -e "s|^Exec=hearth|Exec=\"$here/hearth\"|" -e "s|^TryExec=hearth|TryExec=$here/hearth|" \
        "$here/share/applications/hearth.desktop" >"$entry"
    cp "$here/share/icons/hicolor/scalable/apps/hearth.svg" "$icon"
    cp "$here/share/mime/packages/hearth.xml" "$type"
    ln -sf "$here/hearth" "$command"
fi
if command -v update-desktop-database >/dev/null; then update-desktop-database "$share/applications" || true; fi
if command -v update-mime-database >/dev/null; then update-mime-database "$share/mime" || true; fi
