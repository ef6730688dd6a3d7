"""Write docs/reference.md's list of commands from the commands themselves: `make docs`."""

import sys
from typing import Any

import typer

from app.cli.main import app

HEAD = """# Reference

Made by `make docs` from the commands' own help; a test fails when it is out of date.

Every command takes `--workspace DIR` (or `PAIRWRIGHT_WORKSPACE`; default `./workspace`), `--database-url URL` (or
`PAIRWRIGHT_DATABASE_URL`; default SQLite in the workspace), `--json` (exactly one JSON document on stdout), `--debug`
(the whole traceback when something fails) and `--help`.

Exit codes: 0 done, 2 bad input or usage, 3 refused (permission, conflict, budget), 1 our fault or the machine's, 130
stopped with Ctrl-C. Errors are one sentence on stderr.
"""
SHARED = {"workspace", "database_url", "as_json", "debug", "help"}


def main() -> None:
    """Print the page."""
    sys.stdout.write(page())


def page() -> str:
    """The whole reference as Markdown."""
    parts = [HEAD, "## Commands\n"]
    parts += [_section(name, command) for name, command in commands(typer.main.get_command(app), "pairwright")]
    return "\n".join([*parts, FILES])


def commands(group: Any, path: str) -> list[tuple[str, Any]]:
    """Every command below a group, with the words one types for it."""
    found: list[tuple[str, Any]] = []
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found += commands(command, f"{path} {name}") if inner else [(f"{path} {name}", command)]
    return found


def _section(name: str, command: Any) -> str:
    words, _, examples = command.help.partition("\b")
    own = [parameter for parameter in command.params if parameter.name not in SHARED]
    lines = [_line(parameter) for parameter in own]
    kept = ("", "Examples:")
    shown = "\n".join(line[2:] for line in examples.splitlines() if line.strip() not in kept)
    table = "\n".join(["| option | meaning | default |", "|---|---|---|", *lines, ""]) if lines else ""
    return f"### `{name}`\n\n{words.strip()}\n\n{table}\n```sh\n{shown}\n```\n"


def _line(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    name = parameter.opts[0] if is_option else parameter.name.upper()
    default = "required" if parameter.required else _default(parameter.default)
    return f"| `{name}` | {(parameter.help or '').replace('|', '/')} | {default} |"


def _default(value: Any) -> str:
    if value is None or value is False or callable(value) or str(value).startswith("Sentinel"):
        return ""
    return f"`{getattr(value, 'value', value)}`"


FILES = """## Files of a simulated run

| file | holds |
|---|---|
| `curve.csv` | one row per checkpoint, the first before any answer, then every 10 screens and at the end |
| `summary.json` | arguments, seed, versions, machine, first and final row, areas under the curve, k-means baseline |
| `answers.jsonl` | every answer, images by content hash; `--oracle replay:answers.jsonl` gives them again |
| `transcript.jsonl` | plan, versions, then every screen as asked and answered; `pairwright replay` runs it again |
| `groups.csv` | the groups at the end, images by content hash; `pairwright diff` compares two |
| `report.html` | the curves on one page that works offline |
| `log.sqlite` | the run's own database: queue and feedback log |

Columns of `curve.csv`: `screens` (questions answered), `pair_verdicts`, `seconds` (time model), `ari`, `nmi`,
`accuracy`, `pair_precision`, `pair_recall`, `pair_f1`, `knn_accuracy`, `recall_at_10`, `clusters`, `wrong_answers`,
`conflicts_open`, `model_version` (candidates promoted). Quality is over all items that carry a label,
asked about or not. Areas in `summary.json` are mean heights (trapezoids over the range); `..._raw` is the area itself.

## Files of an exported model

| file | holds |
|---|---|
| `model.safetensors` | backbone (`network.*`) and head (`head.*`) |
| `config.json` | which network it is, how pictures become its input, where the model comes from |
| `README.md` | the model card |
| `model.onnx` | with `--format onnx`: squares (N, S, S, 3) uint8 -> vectors (N, d) float32 |

## Files of the workspace

| path | holds |
|---|---|
| `pairwright.sqlite` | items, criteria, questions, answers, versions, users |
| `media/` | the images' own bytes, by content hash |
| `packs/` | the same in few big tar files, of imports with `--packed` |
| `linked/` | where the big files are that hold the images of imports with `--in-place` |
| `thumbs/` | re-encoded small pictures; a cache |
| `features/` | backbone features; a cache |
| `artifacts/` | model versions and trained encoders with checksums |
| `backups/` | backups, each a folder with a manifest |
| `training/` | unfinished runs of `train`; the same command goes on with them |

## Environment

| variable | meaning |
|---|---|
| `PAIRWRIGHT_WORKSPACE` | the workspace folder |
| `PAIRWRIGHT_DATABASE_URL` | the database |
| `PAIRWRIGHT_ARTIFACTS` | where models and maps are: a folder or `s3://bucket/folder` (`artifacts` in the workspace) |
| `PAIRWRIGHT_PROXIES` | proxies whose `X-Forwarded` headers are believed, by address or network (127.0.0.1,::1) |
| `PAIRWRIGHT_LOG` | `json` makes every line of the log an object |
| `PAIRWRIGHT_ADDRESSES` | 1 lets imports fetch addresses of the open internet and read object stores (off) |
| `PAIRWRIGHT_RATE` | requests a minute that one caller may send over REST, 0 for no limit (12000) |
| `PAIRWRIGHT_SEARCH` | how collections beyond 100,000 items are searched: `lists` in memory, `shards` on the disk, \
`pgvector` in PostgreSQL, `exact`; `auto` takes lists, or shards where memory is short (auto) |
| `PAIRWRIGHT_UPLOAD_MB` | largest request body the app accepts, in megabytes (2048) |
| `PAIRWRIGHT_BACKUPS` | the folder of the backups (`backups` in the workspace); better on another disk |
| `PAIRWRIGHT_BACKUP_EVERY`, `PAIRWRIGHT_BACKUP_KEEP` | hours between two backups (0: never), how many stay (7) |
| `PAIRWRIGHT_PASSWORD` | password for `users add` instead of a generated one |

What is secret may be in a file: `PAIRWRIGHT_DATABASE_URL_FILE` names one that holds the database's address; so
for every variable but `PAIRWRIGHT_LOG`, `_ADDRESSES` and `_PASSWORD`.
"""

if __name__ == "__main__":
    main()
