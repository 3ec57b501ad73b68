"""What the packages of each system say of Hearth, as far as logic can tell on this one."""

from __future__ import annotations

import argparse
import ctypes.util
import gzip
import os
import plistlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from app.command_line import parser
from app.i18n import set_language
from app.licences import Licence
from app.limits import MIB

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
FREEDESKTOP = "{http://www.freedesktop.org/standards/shared-mime-info}"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Scripts of `packaging/` by name; they import each other by their folder, which is no package."""
    monkeypatch.syspath_prepend(str(PACKAGING))
    before = set(sys.modules)

    def by_name(name: str) -> ModuleType:
        return __import__(name)

    yield by_name
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(PACKAGING)):
            del sys.modules[name]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """What PyInstaller makes, in small."""
    bundle = tmp_path / "bundle" / "hearth"
    (bundle / "_internal" / "numpy.libs").mkdir(parents=True)
    (bundle / "hearth").write_bytes(b"\x7fELF GLIBC_2.17 GLIBC_2.36")
    (bundle / "hearth").chmod(0o755)
    (bundle / "_internal" / "libz.so.1").write_bytes(b"GLIBC_2.4 GLIBC_2.9")
    (bundle / "_internal" / "numpy.libs" / "libblas.so").write_bytes(b"x" * 1000)
    (bundle / "_internal" / "libz.so").symlink_to("libz.so.1")
    return bundle


def test_no_address_scheme_is_registered_anywhere() -> None:
    """A web page must not be able to start Hearth, or to tell it anything."""
    told = {
        name: (ROOT / name).read_text("utf-8", "replace")
        for name in subprocess.run(
            ["git", "ls-files", "app", "packaging"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        if (ROOT / name).stat().st_size < MIB and not name.endswith((".png", ".ttf", ".mo"))
    }
    assert any(name.endswith("hearth.desktop") for name in told)
    for word in ("hearth://", "x-scheme-handler", "CFBundleURLTypes", "URL Protocol"):
        assert [name for name, text in told.items() if word in text] == []


def test_the_desktop_entry_opens_what_the_program_reads(load: object) -> None:
    facts = load("package_facts")  # type: ignore[operator]
    entry = ConfigParser(interpolation=None, delimiters=("=",))
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(PACKAGING / "linux" / "hearth.desktop", "utf-8")
    main = entry["Desktop Entry"]
    assert main["Type"] == "Application" and main["Icon"] == "hearth" and main["Name"] == facts.NAME
    assert main["Comment"] == facts.SUMMARY
    assert main["StartupWMClass"] == "hearth"
    assert main["MimeType"].strip(";").split(";") == [facts.PERSONA_TYPE, *facts.DOCUMENT_TYPES]
    command = main["Exec"].split()
    assert command[-1] == "%F", "several files are one call"
    assert parser().parse_args([*command[1:-1], "a.pdf", "b.hearth"]).command == "open"
    for action in main["Actions"].strip(";").split(";"):
        assert parser().parse_args(entry[f"Desktop Action {action}"]["Exec"].split()[1:]).command == "open"


def test_the_desktop_entry_is_valid() -> None:
    checker = shutil.which("desktop-file-validate")
    if checker is None:
        pytest.skip("desktop-file-validate is not installed")
    done = subprocess.run(
        [checker, PACKAGING / "linux" / "hearth.desktop"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_type_of_personas_is_the_same_for_every_system(load: object) -> None:
    facts = load("package_facts")  # type: ignore[operator]
    linux = ElementTree.parse(PACKAGING / "linux" / "hearth.xml").getroot().find(f"{FREEDESKTOP}mime-type")
    assert linux is not None and linux.get("type") == facts.PERSONA_TYPE
    glob = linux.find(f"{FREEDESKTOP}glob")
    assert glob is not None and glob.get("pattern") == f"*{facts.PERSONA_SUFFIX}"
    mac = plistlib.loads((PACKAGING / "macos" / "Info.plist").read_bytes())
    declared = mac["UTExportedTypeDeclarations"][0]
    assert declared["UTTypeTagSpecification"]["public.mime-type"] == [facts.PERSONA_TYPE]
    assert declared["UTTypeTagSpecification"]["public.filename-extension"] == [facts.PERSONA_SUFFIX.lstrip(".")]
    assert declared["UTTypeIdentifier"].startswith(facts.APP_ID)
    opened = [kind for each in mac["CFBundleDocumentTypes"] for kind in each["LSItemContentTypes"]]
    assert declared["UTTypeIdentifier"] in opened and "com.adobe.pdf" in opened
    windows = (PACKAGING / "windows" / "hearth.iss").read_text("utf-8")
    assert rf'Software\Classes\{facts.PERSONA_SUFFIX}"' in windows


def test_a_mac_asks_for_the_microphone_with_a_reason(load: object) -> None:
    facts = load("package_facts")  # type: ignore[operator]
    plist = plistlib.loads((PACKAGING / "macos" / "Info.plist").read_bytes())
    assert plist["NSMicrophoneUsageDescription"] == facts.MICROPHONE
    assert plist["NSHighResolutionCapable"] is True
    entitlements = plistlib.loads((PACKAGING / "macos" / "entitlements.plist").read_bytes())
    assert entitlements["com.apple.security.device.audio-input"] is True
    assert not [key for key in entitlements if "network" in key or "disable-library-validation" in key]


def test_the_windows_installer_starts_nothing_by_itself() -> None:
    script = (PACKAGING / "windows" / "hearth.iss").read_text("utf-8")
    assert not re.search(r"CurrentVersion\\Run|\{(?:user|common)startup\}", script)
    for name in ("Version", "Bundle", "Target", "BaseName"):
        assert f"{{#{name}}}" in script
    assert "UNTESTED" in script


def test_the_manual_names_every_command_and_option(load: object) -> None:
    set_language("en")
    page = load("man_page").man_page()  # type: ignore[operator]
    told = page.replace("\\-", "-").replace("\\&", "")
    names = set(_names(parser()))
    assert len(names) > 40
    assert [name for name in sorted(names) if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", told)] == []
    assert page.startswith(".TH HEARTH 1") and ".SH SYNOPSIS" in page
    assert not [line for line in page.splitlines() if line.startswith("'")], "roff would take it as a command"


def _names(given: argparse.ArgumentParser) -> Iterator[str]:
    for action in given._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield name
                yield from _names(command)


def test_the_tarball_is_one_folder_and_the_same_each_time(
    load: object, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    packages = load("linux_packages")  # type: ignore[operator]
    monkeypatch.setattr(packages, "BUILD", tmp_path / "build")
    made = [packages.make_tarball(program, _folder(tmp_path / name)) for name in ("a", "b")]
    assert made[0].read_bytes() == made[1].read_bytes()
    with tarfile.open(made[0]) as archive:
        members = {member.name: member for member in archive.getmembers()}
    (top,) = {name.split("/")[0] for name in members}
    assert members[f"{top}/hearth"].mode & 0o111 and members[f"{top}/install.sh"].mode & 0o111
    assert members[f"{top}/_internal/libz.so"].issym()
    assert f"{top}/LICENSE" in members and f"{top}/share/man/man1/hearth.1.gz" in members
    assert {(member.uid, member.mtime) for member in members.values()} == {(0, 1700000000)}


def test_the_debian_package_puts_everything_in_its_place(
    load: object, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("no Debian system")
    packages = load("linux_packages")  # type: ignore[operator]
    monkeypatch.setattr(packages, "BUILD", tmp_path / "build")
    package = packages.make_deb(program, _folder(tmp_path / "made"))
    root = tmp_path / "root"
    subprocess.run(["dpkg-deb", "--raw-extract", package, root], check=True)
    assert (root / "usr/bin/hearth").resolve() == root / "usr/lib/hearth/hearth"
    assert (root / "usr/share/applications/hearth.desktop").is_file()
    assert (root / "usr/share/mime/packages/hearth.xml").is_file()
    assert (root / "usr/share/icons/hicolor/scalable/apps/hearth.svg").is_file()
    assert gzip.decompress((root / "usr/share/man/man1/hearth.1.gz").read_bytes()).startswith(b".TH HEARTH")
    control = (root / "DEBIAN/control").read_text()
    assert "\nDepends: libc6 (>= 2.36), " in control and "\nVersion: 0" in control
    for script in ("postinst", "postrm"):
        subprocess.run(["sh", "-n", root / "DEBIAN" / script], check=True)
    assert program.joinpath("hearth").exists(), "what was linked is still there"


def test_a_tarball_finds_its_place_on_the_desktop_and_leaves_it(tmp_path: Path) -> None:
    place, home = tmp_path / "my programs" / "hearth", tmp_path / "home"
    (place / "share" / "applications").mkdir(parents=True)
    for name, source in (
        ("applications/hearth.desktop", PACKAGING / "linux" / "hearth.desktop"),
        ("mime/packages/hearth.xml", PACKAGING / "linux" / "hearth.xml"),
        ("icons/hicolor/scalable/apps/hearth.svg", ROOT / "app" / "ui" / "icons" / "hearth.svg"),
    ):
        (place / "share" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place / "share" / name)
    shutil.copy2(PACKAGING / "linux" / "install.sh", place / "install.sh")
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    subprocess.run([place / "install.sh"], env=environment, check=True, capture_output=True)
    entry = home / ".local/share/applications/hearth.desktop"
    assert f'Exec="{place}/hearth" open %F' in entry.read_text("utf-8").splitlines()
    assert (home / ".local/bin/hearth").readlink() == place / "hearth"
    subprocess.run([place / "install.sh", "--remove"], env=environment, check=True, capture_output=True)
    assert not entry.exists() and not (home / ".local/bin/hearth").is_symlink()


def test_sizes_and_what_it_needs_of_the_system(load: object, program: Path) -> None:
    bundle = load("make_bundle")  # type: ignore[operator]
    assert dict(bundle.sizes(program))["numpy"] == 1000
    assert sum(size for _, size in bundle.sizes(program)) == 1000 + len(b"\x7fELF GLIBC_2.17 GLIBC_2.36") + 19
    assert bundle.needed_glibc(program) == "2.36"


def test_what_may_not_go_along_ends_the_build(load: object) -> None:
    terms = load("terms")  # type: ignore[operator]
    for name in ("GPL-3.0-only", "AGPL-3.0", "(GPL-2.0 OR AGPL-3.0)"):
        assert terms.forbidden(name)
    for name in ("", "MIT", "LGPL-3.0-only", "GPL-2.0 OR MIT", "GPL-3.0-or-later WITH GCC-exception-3.1"):
        assert not terms.forbidden(name)
    assert not [name for name, text in terms.DEBIAN.items() if terms.forbidden(text)]
    terms.hold_terms([Licence("numpy", "", "BSD-3-Clause")], ["libportaudio2", "libpython3.11-minimal"])
    with pytest.raises(terms.ForbiddenError, match=r"libdb5\.3.*; shut: AGPL-3\.0"):
        terms.hold_terms([Licence("shut", "", "AGPL-3.0")], ["libportaudio2", "libdb5.3"])


def test_a_library_is_held_against_the_package_that_it_came_from(load: object) -> None:
    found = ctypes.util.find_library("portaudio")
    folder = next(Path("/usr/lib").glob("*-linux-gnu"), None)
    if shutil.which("dpkg-query") is None or found is None or folder is None:
        pytest.skip("no Debian system with PortAudio")
    terms = load("terms")  # type: ignore[operator]
    assert terms.debian_packages([str(folder / found), "/usr/lib/of/nobody.so"]) == ["libportaudio2"]


def test_portaudio_starts_without_jack(load: object, tmp_path: Path) -> None:
    found = ctypes.util.find_library("portaudio")
    folder = next(Path("/usr/lib").glob("*-linux-gnu"), None)
    if found is None or folder is None or shutil.which("objdump") is None:
        pytest.skip("no Linux with PortAudio and binutils")
    made = load("no_jack").make_no_jack(folder / found, tmp_path)  # type: ignore[operator]
    if made is None:
        pytest.skip("this PortAudio knows no JACK")
    code = (
        "import sounddevice; print([each['name'] for each in sounddevice.query_hostapis()]); "
        "maps = open('/proc/self/maps'); "
        "print({line.split('/')[-1].strip() for line in maps if 'libjack' in line or 'libdb-' in line})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    interfaces, libraries = done.stdout.splitlines()
    assert "ALSA" in interfaces and "JACK" not in interfaces
    assert libraries == "{'libjack.so.0'}", "and nothing of what the system's would bring along"


def test_a_package_is_signed_with_the_name_that_the_project_gives(load: object) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    control = load("linux_packages").control_file("2.36", 1)  # type: ignore[operator]
    assert f"\nMaintainer: {project['authors'][0]['name']}" in control


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
