"""Rows of a file of answers: CSV, TSV, JSONL or Parquet, or the pair indices that `export pairs --style pml` writes."""

import json
from pathlib import Path
from typing import Any

from app.exporters.formats import plain_cell
from app.importers.manifests import MAX_BYTES, Rows, read_manifest
from db.errors import BadInput, NotFound

INDICES = {"a1", "p", "a2", "n", "sha256"}


def read_table(file: Path) -> Rows:
    """(columns, rows); cells of a CSV that were made harmless for spreadsheets are what they were. Raises BadInput."""
    if not file.is_file():
        raise NotFound(f"there is no file '{file}'. Check the path.")
    if file.stat().st_size > MAX_BYTES:
        raise BadInput(f"'{file.name}' is larger than {MAX_BYTES // 1024**3} GB. Split it.")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadInput(f"'{file}' cannot be read ({error.strerror}). Check its permissions.") from error
    if file.suffix.lower() == ".safetensors":
        return _indices(content, file.name)
    columns, rows = read_manifest(content, file.name)
    if file.suffix.lower() in (".csv", ".tsv"):
        rows = [{key: plain_cell(value) for key, value in row.items()} for row in rows]
    return columns, rows


def nested(value: Any, where: str) -> list[Any]:
    """A list, given as one or as JSON text. Raises BadInput."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise BadInput(f"{where}: a JSON list expected, got {value!r:.80}. Export the answers again.")
    return found


def _indices(content: bytes, name: str) -> Rows:
    """Rows of content hashes from (a1, p) and (a2, n)."""
    from safetensors.numpy import load

    try:
        arrays = load(content)
        hashes = [bytes(row).hex() for row in arrays["sha256"]]
        pairs = [(arrays["a1"], arrays["p"], "same"), (arrays["a2"], arrays["n"], "different")]
        rows = [
            {"a_sha256": hashes[a], "b_sha256": hashes[b], "verdict": verdict}
            for one, other, verdict in pairs
            for a, b in zip(one.tolist(), other.tolist(), strict=True)
        ]
    except Exception as error:  # safetensors has errors of its own besides Python's
        expected = ", ".join(sorted(INDICES))
        raise BadInput(f"'{name}' holds no pair indices ({error}). It needs the arrays {expected}.") from error
    return ["a_sha256", "b_sha256", "verdict"], rows
