"""The program for Linux: a tarball to unpack and run, and a package for Debian and Ubuntu. Both are made from one tree.

Same input, same bytes: names are sorted, owners are root, times are those of the last commit (`SOURCE_DATE_EPOCH`).
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from make_bundle import needed_glibc
from man_page import write_man_page
from package_facts import BUILD, ICON, MAINTAINER, PROGRAM, ROOT, SUMMARY, VERSION, architecture, bundle_name

HERE = ROOT / "packaging" / "linux"
SHARE = {
    "applications/hearth.desktop": HERE / "hearth.desktop",
    "mime/packages/hearth.xml": HERE / "hearth.xml",
    "icons/hicolor/scalable/apps/hearth.svg": ICON,
}
"""Below a folder `share`."""
# What every desktop has, and what is not taken along because it must fit the desktop's drivers (hearth.spec).
NEEDED_PACKAGES = (
    "libstdc++6", "libgcc-s1", "libegl1", "libgl1", "libfontconfig1", "libfreetype6", "libdbus-1-3", "libexpat1",
    "libx11-6", "libx11-xcb1", "libxcb1", "libasound2 | libasound2t64",
)  # fmt: skip
HELPFUL_PACKAGES = (
    "ffmpeg", "espeak-ng", "xdg-utils", "libwayland-client0", "libwayland-cursor0", "libwayland-egl1",
)  # fmt: skip
_LEVEL = 6
"""Of gzip; 9 takes thrice as long for 1 % less."""


def make_linux_packages(bundle: Path, target: Path) -> list[Path]:
    """The packages of a built program, in the folder `target`; one for Debian where its tools are."""
    made = [make_tarball(bundle, target)]
    if shutil.which("dpkg-deb") is not None:
        made.append(make_deb(bundle, target))
    return made


def add_share(share: Path) -> None:
    """What the desktop and `man` read."""
    for name, source in SHARE.items():
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, share / name)
    manual = share / "man" / "man1" / f"{PROGRAM}.1.gz"
    manual.parent.mkdir(parents=True, exist_ok=True)
    write_man_page(manual)


def make_tarball(bundle: Path, target: Path) -> Path:
    """One folder: `hearth` to run, `install.sh` to have it among the programs."""
    extra = BUILD / "tarball"
    shutil.rmtree(extra, ignore_errors=True)
    add_share(extra / "share")
    shutil.copyfile(ROOT / "LICENSE", extra / "LICENSE")
    shutil.copy2(HERE / "install.sh", extra / "install.sh")
    moment = _moment()

    def same_each_time(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = moment
        return member

    archive = target / f"{bundle_name()}.tar.gz"
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for source in (bundle, extra):
            for file in sorted(source.rglob("*")):
                if file.is_symlink() or not file.is_dir():
                    tar.add(file, f"{bundle_name()}/{file.relative_to(source)}", filter=same_each_time)
    return archive


def make_deb(bundle: Path, target: Path) -> Path:
    """Below /usr/lib/hearth, with a link in /usr/bin."""
    tree = BUILD / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    program = tree / "usr" / "lib" / PROGRAM
    program.parent.mkdir(parents=True)
    # Hard links: the tree is read once and thrown away.
    shutil.copytree(bundle, program, symlinks=True, copy_function=os.link)
    (tree / "usr" / "bin").mkdir()
    (tree / "usr" / "bin" / PROGRAM).symlink_to(f"../lib/{PROGRAM}/{PROGRAM}")
    add_share(tree / "usr" / "share")
    documentation = tree / "usr" / "share" / "doc" / PROGRAM
    documentation.mkdir(parents=True)
    shutil.copyfile(ROOT / "LICENSE", documentation / "copyright")
    control = tree / "DEBIAN"
    control.mkdir()
    (control / "control").write_text(control_file(needed_glibc(bundle), _kilobytes(tree)))
    for script in ("postinst", "postrm"):
        shutil.copy2(HERE / script, control / script)
        (control / script).chmod(0o755)
    package = target / f"{PROGRAM}_{VERSION}_{_debian_architecture()}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--build", str(tree), str(package)],
        check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": str(_moment())},
    )  # fmt: skip
    shutil.rmtree(tree)
    return package


def control_file(glibc: str, kilobytes: int) -> str:
    """What dpkg reads of the package."""
    needed = ", ".join((f"libc6 (>= {glibc or '2.36'})", *NEEDED_PACKAGES))
    return (
        f"Package: {PROGRAM}\n"
        f"Version: {VERSION}\n"
        f"Architecture: {_debian_architecture()}\n"
        f"Maintainer: {MAINTAINER}\n"
        f"Installed-Size: {kilobytes}\n"
        f"Depends: {needed}\n"
        f"Recommends: {', '.join(HELPFUL_PACKAGES)}\n"
        "Section: utils\n"
        "Priority: optional\n"
        f"Description: {SUMMARY[0].lower()}{SUMMARY[1:]}\n"
        " A language model answers in a desktop window or on the terminal, also from your own\n"
        " documents and by speech. Your words never leave the machine.\n"
    )


def _kilobytes(tree: Path) -> int:
    return sum(file.stat().st_size for file in tree.rglob("*") if file.is_file() and not file.is_symlink()) // 1024


def _debian_architecture() -> str:
    return {"x86_64": "amd64"}.get(architecture(), architecture())


def _moment() -> int:
    """Seconds since 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        command = ["git", "log", "-1", "--format=%ct"]
        given = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return int(given or 0)
