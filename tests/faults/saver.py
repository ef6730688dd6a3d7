"""Saves one artifact after the other until it is killed; prints a name only once it is stored.

python -m tests.faults.saver FOLDER FIRST
"""

import sys
from itertools import count

from db.artifacts import ArtifactStore


def content(number: int) -> dict[str, bytes]:
    """What artifact `number` holds: two files, the larger of a megabyte."""
    return {"head.safetensors": bytes([number % 251]) * 2**20, "notes.json": b'{"number": %d}' % number}


if __name__ == "__main__":
    store = ArtifactStore(sys.argv[1])
    for number in count(int(sys.argv[2])):
        store.save(f"v{number}", content(number))
        print(number, flush=True)
