"""Analysis: what a store answers, in words and tables, and how it is written."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from evsim import words
from evsim.files import whole_folder, write_whole
from evsim.study.store import Store
from evsim.words.outcomes import outcome_name

from .material import Part

FOLDER = "analysis"
WIDTH = 98  # of a terminal
ANALYSES: Mapping[str, str] = {
    "heat_map": "Where it tips",
    "sobol": "Parts of its variance (Sobol)",
    "morris": "Effects of each key (Morris)",
    "tornado": "Swings, the largest first",
    "boxes": "Where cases lie (PRIM and CART)",
    "regret": "Regret of levers",
    "fan": "Paths of the runs",
}


@dataclass(frozen=True, eq=False)
class Analysis:
    """What a store answers.

    Attributes:
        store: that was analysed.
        parts: one an analysis and outcome.
        refusals: analysis -> why its design cannot answer it, and which could.
        notes: what to know of the store.
    """

    store: Store
    parts: Sequence[Part]
    refusals: Mapping[str, str]
    notes: Sequence[str]

    def __getitem__(self, name: str) -> Part:
        """The first part of that name, such as `analysis["tornado"].tables["swings"]`."""
        for part in self.parts:
            if part.name == name:
                return part
        reason = self.refusals.get(name, f"there are {', '.join(dict.fromkeys(part.name for part in self.parts))}")
        raise KeyError(f"{name}: {reason}")

    def summary(self) -> str:
        """Every sentence, by outcome and analysis, for a terminal."""
        lines = list(self.notes)
        for subject in dict.fromkeys(part.subject for part in self.parts):
            lines += ["", words.label(outcome_name(subject.outcome)) + f" ({subject.outcome})"]
            for part in self.parts:
                if part.subject == subject:
                    lines += [
                        f"  {ANALYSES[part.name]}",
                        *(f"    {words.wrap(text, WIDTH - 4, 4)}" for text in part.sentences),
                    ]
        if self.refusals:
            lines += ["", "Not answered by this design"]
            lines += [f"  {words.wrap(f'{name}: {reason}', WIDTH - 2, 4)}" for name, reason in self.refusals.items()]
        return "\n".join(lines).strip()

    __str__ = summary

    def _repr_html_(self) -> str:
        """The sentences in a notebook."""
        return f"<pre>{escape(self.summary())}</pre>"

    def to_json_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "store": str(self.store.path),
            "digest": self.store.digest,
            "notes": list(self.notes),
            "parts": [
                {
                    "analysis": part.name,
                    "outcome": part.subject.outcome,
                    "finding": part.finding,
                    "sentences": list(part.sentences),
                    "threshold": part.about.get("threshold"),
                }
                for part in self.parts
            ],
            "refusals": dict(self.refusals),
        }

    def save(self, folder: Path) -> list[Path]:
        """Write words (`analysis.txt`, `analysis.json`), then tables (CSV), into a folder that is there.

        Raises:
            StorageError: it cannot be written.
        """
        about = json.dumps(self.to_json_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        paths = [
            write_whole(folder / "analysis.txt", f"{self.summary()}\n".encode()),
            write_whole(folder / "analysis.json", f"{about}\n".encode()),
        ]
        for part in self.parts:
            for name, table in part.tables.items():
                content = table.to_csv(index=table.index.name is not None, lineterminator="\n").encode()
                paths.append(write_whole(folder / f"{part.stem}-{name}.csv", content))
        return paths


def save_analysis(analysis: Analysis, draw: Callable[[Analysis, Path], object], out: Path | None = None) -> Path:
    """Write words, tables, then figures, as one whole folder in place of the former one; returns it.

    Args:
        analysis: what is written.
        draw: draws the figures into a folder.
        out: the folder; none: `analysis` in the store's.
    Raises:
        StorageError: it cannot be written; a former one is as it was.
    """
    final = analysis.store.path / FOLDER if out is None else out
    with whole_folder(final) as folder:
        analysis.save(folder)
        draw(analysis, folder)
    return final
