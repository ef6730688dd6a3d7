"""One who wants to lead: prints its token whenever it leads anew, and what became of a write as the leader.

python -m tests.faults.leader URL NAME LEASE_S WHERE

It pauses itself when it is sent SIGUSR1, at its work or in the middle of its write: WHERE is "working" or "writing".
"""

import os
import signal
import sys
import time

from db.engine import open_database
from db.errors import Broken, StaleLease
from trainer.leading import Lead

wanted = []


def pause(here: str) -> None:
    """Stop until somebody sends SIGCONT."""
    if wanted and here == where:
        wanted.clear()
        os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    url, name, lease_s, where = sys.argv[1:]
    signal.signal(signal.SIGUSR1, lambda *_: wanted.append(True))
    database = open_database(url, migrate=False)
    lead, shown = Lead(database, "trainer:1", name, lease_s=float(lease_s)), None
    while True:
        if lead.hold():
            token = lead.token
            try:
                time.sleep(0.02)
                pause("working")
                with database.write() as s:
                    lead.check(s)
                    pause("writing")
                if token != shown:
                    print(f"leads {token}", flush=True)
                    shown = token
            except (StaleLease, Broken):
                print(f"refused {token}", flush=True)
        time.sleep(0.02)
