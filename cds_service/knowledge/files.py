"""Where the knowledge files lie, and which one counts when a site lays its own over ours."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cds_service.errors import KnowledgeError

ROOT = Path(__file__).parent
FOLDERS = {
    "parameters": "parameters",
    "payers": "payers",
    "valuesets": "valuesets",
    "factors": "drugs/factors",
}
SINGLE = ("sources", "systems")
_YAML = re.compile(r"\.ya?ml(\.txt)?$", re.IGNORECASE)  # also as an editor may name it


@dataclass(frozen=True, slots=True)
class Shelf:
    """One directory of knowledge files; `label` is what faults call it."""

    root: Path
    label: str

    def files(self, kind: str) -> list[Path]:
        """The files of a kind, by name."""
        if kind in SINGLE:
            path = self.root / f"{kind}.yaml"
            return [path] if path.is_file() else []
        return sorted((self.root / FOLDERS[kind]).glob("*.yaml"))

    def name(self, path: Path) -> str:
        """What faults call a file."""
        return f"{self.label}/{path.relative_to(self.root).as_posix()}"

    def strays(self) -> Iterator[KnowledgeError]:
        """YAML files that no kind of knowledge would read."""
        kinds = (*SINGLE, *FOLDERS)
        known = {path for kind in kinds for path in self.files(kind)}
        places = [f"{kind}.yaml" for kind in SINGLE] + [
            f"{folder}/*.yaml" for folder in FOLDERS.values()
        ]
        for path in files_under(self.root):
            if is_yaml(path) and path not in known:
                yield KnowledgeError(
                    self.name(path), None, "nothing reads this file", ", ".join(places)
                )


def is_yaml(path: Path) -> bool:
    """Whether a file is meant to be YAML by its name.

    >>> [is_yaml(Path(name)) for name in ("a.yaml", "A.YML", "a.yaml.txt", "README.txt", "a.yaml~")]
    [True, True, True, False, False]
    """
    return _YAML.search(path.name) is not None


def expect_directory(root: Path) -> None:
    """Raises KnowledgeError for a directory that is missing or cannot be read."""
    # it does not exist, either, where a directory above it cannot be entered
    if not (os.access(root, os.F_OK) and root.is_dir()):
        raise KnowledgeError(str(root), None, "no such directory")
    if not os.access(root, os.R_OK | os.X_OK):
        raise KnowledgeError(str(root), None, "cannot be read: Permission denied")


def files_under(root: Path) -> list[Path]:
    """The files of a directory and of those in it, by name.

    Links are followed and what is hidden is passed over: a mounted ConfigMap keeps its files in a
    hidden directory of another name each time, and links to them. Raises KnowledgeError for a link
    that has no end, and for a directory that cannot be read.
    """
    found: list[Path] = []
    for folder, folders, names in os.walk(root, onerror=_unreadable, followlinks=True):
        here = Path(folder).resolve()
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            if here.is_relative_to(Path(folder, name).resolve()):
                raise KnowledgeError(str(Path(folder, name)), None, "a link to where it stands in")
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _unreadable(error: OSError) -> None:
    raise KnowledgeError(str(error.filename), None, f"cannot be read: {error.strerror}")


def shelves(root: Path | None = None, overlay: Path | None = None) -> tuple[Shelf, ...]:
    """Our own files, then the site's. Raises KnowledgeError when a directory is missing."""
    found = [Shelf(root or ROOT, (root or ROOT).name)]
    if overlay is not None:
        found.append(Shelf(overlay, overlay.as_posix()))
    for shelf in found:
        expect_directory(shelf.root)
    return tuple(found)


def digest(shelves: tuple[Shelf, ...]) -> str:
    """The version of the knowledge: a digest of every file's place and bytes, code left out.

    Raises KnowledgeError for a file that cannot be read.
    """
    total = hashlib.sha256()
    for shelf in shelves:
        for path in files_under(shelf.root):
            if path.suffix not in (".py", ".pyc", ".pyi"):
                try:
                    content = hashlib.sha256(path.read_bytes()).digest()
                except OSError as error:
                    what = f"cannot be read: {error.strerror}"
                    raise KnowledgeError(shelf.name(path), None, what) from None
                total.update(path.relative_to(shelf.root).as_posix().encode() + b"\0" + content)
    return total.hexdigest()[:16]
