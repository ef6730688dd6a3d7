"""One client of the kill -9 journey: claims, answers, and prints a key only once its answer is acknowledged.

python tests/db/writer.py URL CRITERION NAME
"""

import sys
from uuid import uuid4

from db import feedback, queue
from db.engine import open_database
from tests.db.factories import answer


def work(url: str, criterion: int, name: str) -> None:
    """Go on until killed, or until nothing is left."""
    database = open_database(url, migrate=False)
    print("ready", flush=True)
    while True:
        with database.write() as s:
            leased = queue.claim(s, criterion, f"{name} {uuid4()}", 2, lease_s=0.5)
        for one in leased:
            key = str(uuid4())
            with database.write() as s:
                receipt = feedback.record(s, answer(one.question, key=key, source=name, lease=one.token))
            print(f"{key} {one.question.id} {receipt.id}", flush=True)


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]), sys.argv[3])
