"""One who wants to lead: prints its token whenever it leads anew, and what became of a write as the leader.

python -m tests.faults.leader URL NAME LEASE_S
"""

import sys
import time

from db.engine import open_database
from db.errors import StaleLease
from trainer.leading import Lead

if __name__ == "__main__":
    url, name, lease_s = sys.argv[1:]
    database = open_database(url, migrate=False)
    lead, shown = Lead(database, "trainer:1", name, lease_s=float(lease_s)), None
    while True:
        if lead.hold():
            token = lead.token
            try:
                time.sleep(0.02)  # the work; somebody may pause us here
                with database.write() as s:
                    lead.check(s)
                if token != shown:
                    print(f"leads {token}", flush=True)
                    shown = token
            except StaleLease:
                print(f"refused {token}", flush=True)
        time.sleep(0.02)
