"""The files of `conf/` and of a folder of one's own: where they are, their names, what they say of themselves."""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from evsim.errors import BadRequest, StorageError

from .keys import nearest, shown

ALTERNATIVES = ("market", "pricing", "subsidy", "modes")
GROUPS = ("scenario", *ALTERNATIVES)
LARGEST_FILE = 1_000_000  # bytes
DEEPEST = 20  # brackets or indents inside each other
HEADER = "# @package _global_"
MISREAD = re.compile(r"[-+]?0\d+|[-+]?\d+(:[0-5]?\d)+")  # YAML reads 010 as 8 and 12:30 as 750


@dataclass(frozen=True)
class Description:
    """What a scenario is for."""

    name: str
    question: str
    source: str


def configuration_folder() -> Path:
    """The folder `conf`: inside the installed package, else at the root of the checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "conf", package.parents[1] / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise StorageError(f"the folder of scenarios is missing beside {package}; install evsim again")


def alternatives(group: str, config_dir: str | Path | None = None) -> dict[str, Path]:
    """The files of a group by name, the project's own first, then those of the user's folder.

    Raises:
        BadRequest: the user's folder does not exist, or has a file of the same name as one of the project's.
    """
    found = _files(configuration_folder() / group)
    if config_dir is not None:
        for name, path in _files(own_folder(config_dir) / group).items():
            if name in found:
                raise BadRequest(f"{path}: {group}={name} exists already in evsim; give the file another name")
            found[name] = path
    return found


def own_folder(config_dir: str | Path) -> Path:
    """The user's folder as an absolute path.

    Raises:
        BadRequest: it is no folder.
    """
    folder = Path(config_dir).expanduser().absolute()
    if not folder.is_dir():
        raise BadRequest(f"--config-dir={shown(config_dir)}: no such folder")
    if "${" in str(folder):
        raise BadRequest(f"--config-dir={shown(config_dir)}: the name of the folder must not contain ${{")
    return folder


def scenario_names(config_dir: str | Path | None = None) -> list[str]:
    """Names of all scenarios, the baseline first."""
    names = alternatives("scenario", config_dir)
    return sorted(names, key=lambda name: (name != "baseline", name))


def chosen(group: str, name: str, config_dir: str | Path | None = None) -> Path:
    """The file of a group's alternative.

    Raises:
        BadRequest: there is none of that name.
    """
    known = alternatives(group, config_dir)
    if name in known:
        return known[name]
    near = nearest(name, known)
    hint = f"; did you mean {near}?" if near else ""
    raise BadRequest(f"{group}={shown(name)}: must be one of {', '.join(known)}{hint}")


def describe(name: str, config_dir: str | Path | None = None) -> Description:
    """Question and source of a scenario, from the comments at the top of its file.

    Raises:
        BadRequest: there is no such scenario.
    """
    said = {"question": "", "source": ""}
    topic = ""
    for line in _text(chosen("scenario", name, config_dir)).splitlines():
        if not line.startswith("#"):
            break
        words = line.lstrip("# ").rstrip()
        heading = re.match(r"(question|sources?)\s*:\s*", words, re.IGNORECASE)
        if heading:
            topic = heading.group(1).lower().rstrip("s")
            words = words[heading.end() :]
        if topic:
            said[topic] = f"{said[topic]} {words}".strip()
    return Description(name, said["question"], said["source"])


def check_choice(group: str, name: str, config_dir: str | Path | None = None) -> dict[str, Any]:
    """Check the file of an alternative, and those it builds on, before Hydra reads them.

    Returns:
        What the file says itself, as a plain mapping without `defaults`.
    Raises:
        BadRequest: there is no such file, or it is not a plain mapping of values.
    """
    return _check(group, name, config_dir, ())


def _check(group: str, name: str, config_dir: str | Path | None, seen: tuple[str, ...]) -> dict[str, Any]:
    if name in seen:
        raise BadRequest(f"{group}={name} builds on itself: {' > '.join((*seen, name))}")
    path = chosen(group, name, config_dir)
    content = read_plain(path)
    first = next(iter(_text(path).splitlines()), "").strip()
    if group == "scenario" and first != HEADER:
        raise BadRequest(f"{path}: the first line of a scenario must be `{HEADER}`")
    if group != "scenario" and (first.startswith("# @") or "defaults" in content):
        raise BadRequest(f"{path}: an alternative of {group} holds values of {group} only")
    if "hydra" in content:
        raise BadRequest(f"{path}: hydra is not a key of a scenario")
    bases = content.pop("defaults", [])
    for base in bases if isinstance(bases, list) else [bases]:
        if not isinstance(base, str) or "/" in base:
            raise BadRequest(f"{path}: defaults: {shown(base)}: must be the name of a scenario to build on")
        if base != "_self_":
            _check(group, base, config_dir, (*seen, name))
    return content


def read_plain(path: Path) -> dict[str, Any]:
    """A YAML file that is a mapping of plain values: no alias, tag or interpolation, nothing YAML would misread.

    An alias can blow up into more memory than there is, a tag could name code, and `${…}` could read the environment:
    none is needed to state differences.

    Raises:
        BadRequest: the file is something else.
    """
    text = _text(path)
    try:
        if not _check_events(path, text):
            return {}
        content = OmegaConf.to_container(OmegaConf.load(io.StringIO(text)), resolve=False)  # refuses a key given twice
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise BadRequest(f"{path}{where}: {getattr(error, 'problem', None) or str(error).splitlines()[0]}") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise BadRequest(f"{path}: must be a mapping of keys to values")
    return {str(key): value for key, value in content.items()}


def _check_events(path: Path, text: str) -> bool:
    """Refuse what a list of differences does not need; whether the file has any content."""
    depth, filled = 0, False
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = f"{path}, line {event.start_mark.line + 1}"
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise BadRequest(f"{line}: values nested more than {DEEPEST} deep")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise BadRequest(f"{line}: aliases (& and *) are not allowed; write the value out")
        if getattr(event, "tag", None):
            raise BadRequest(f"{line}: tags (!) are not allowed")
        if isinstance(event, yaml.NodeEvent) and not filled:
            filled = True
            if not isinstance(event, yaml.MappingStartEvent):
                raise BadRequest(f"{path}: must be a mapping of keys to values")
        if isinstance(event, yaml.ScalarEvent):
            if "${" in event.value:
                raise BadRequest(
                    f"{line}: {shown(event.value)}: interpolation (${{…}}) is not allowed; write the value out"
                )
            if event.style is None and MISREAD.fullmatch(event.value):
                raise BadRequest(f"{line}: YAML misreads {event.value}; drop the leading zero, or put it in quotes")
    return filled


def _files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))} if folder.is_dir() else {}


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise BadRequest(f"{path}: larger than {LARGEST_FILE} bytes")
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path}: not text in UTF-8") from error
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
