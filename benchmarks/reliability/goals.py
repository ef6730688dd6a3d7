"""The promises, each with the experiments that try to break it, and what happens elsewhere."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """tests: node ids for pytest; more: further variables of the long form. elsewhere: the fault as others have it."""

    number: int
    title: str
    faults: str
    expected: str
    elsewhere: str
    tests: tuple[str, ...]


FEATURES = "tests/trainer/test_features.py"
IMPORT = "tests/importers/test_import.py"
KILLED, QUEUE, FAULTS = "tests/db/test_kill.py", "tests/db/test_queue.py", "tests/faults"
GATE, STORES, PICTURES = "tests/app/test_gate.py", "tests/importers/test_stores.py", "tests/importers/test_pictures.py"

GOALS = [
    Goal(
        1, "Zero lost, zero double",
        "kill -9 of the app, of one of two, under eight clients, and of three writers, anywhere, both databases",
        "acknowledged is stored; one row a key; a retry gets the same receipt",
        "19 of 21,910 acknowledgements lost after the commit in a loop of kills: without keys, doubled",
        (KILLED, f"{FAULTS}/test_server_killed.py", f"{FAULTS}/test_web_processes_killed.py"),
    ),
    Goal(
        2, "Exact overlap", "8 clients at once, overlap 1 to 3", "0 over-assigned, 0 starved",
        "\"count the locks, then insert\" over-assigned 145 of 150 tasks at overlap 2",
        (f"{QUEUE}::test_eight_clients_at_once_never_get_one_slot_twice_and_leave_nothing",),
    ),
    Goal(
        3, "Leases come back", "the holder of a question killed; leases run out while held",
        "somebody else gets the question; a late answer is kept",
        "APScheduler drops a job that is a second late, and a killed one-off job",
        (f"{FAULTS}/test_leases.py", QUEUE, "tests/app/test_children.py"),
    ),
    Goal(
        4, "One trainer", "the leader killed, or paused and woken; trainers killed while people answer",
        "takeover within 30 s; a stale token is refused; each answer learnt once a version",
        "a shared job store runs jobs twice",
        (
            f"{FAULTS}/test_leaders.py", "tests/journeys/test_kill.py", "tests/trainer/test_leading.py",
            "tests/app/test_children.py",
        ),
    ),
    Goal(
        5, "Models are whole or not there", "kill -9 during a save", "always loadable",
        "torch.save in place: unreadable after 8 of 8 kills",
        (
            f"{FAULTS}/test_saving.py",
            f"{FEATURES}::test_after_kill_minus_nine_only_the_current_batch_is_computed_again",
        ),
    ),
    Goal(
        6, "Damaged caches",
        "features and snapshots flipped, cut, overwritten, grown; every byte of an artifact flipped",
        "all found, rebuilt or told", "raw faiss files: 28 of 48 flipped ones loaded silently",
        (
            f"{FAULTS}/test_corruption.py",
            "tests/db/test_artifacts.py::test_any_single_byte_of_damage_is_detected",
            "tests/trainer/test_snapshot.py::test_a_flipped_byte_is_found",
            f"{FEATURES}::test_any_flipped_byte_is_noticed_and_repaired",
            "tests/trainer/test_worker.py::test_a_lost_snapshot_is_rebuilt_from_the_head",
        ),
    ),
    Goal(
        7, "Migrations", "up, down, from every release, five processes at once", "one set of tables, nothing lost", "",
        ("tests/db/test_migrate.py",),
    ),
    Goal(
        8, "Backups", "made while people answer; damaged; cut short", "every acknowledged answer comes back", "",
        ("tests/app/test_backup.py", "tests/app/test_backup_postgres.py"),
    ),
    Goal(
        9, "Disk and database gone",
        "full disk; PostgreSQL stopped; packets that vanish; replies lost after the commit; the clock a day ahead and "
        "back",
        "never a false \"saved\"; recovers by itself", "Label Studio shows an error and saves twice on a second click",
        (
            f"{FAULTS}/test_database_gone.py", "tests/db/test_engine.py",
            "tests/faults/test_disk_full.py",
            f"{FAULTS}/test_clock.py",
            "tests/db/test_artifacts.py::test_a_full_disk_is_one_sentence_and_leaves_nothing",
            f"{IMPORT}::test_a_full_disk_is_our_fault_and_leaves_no_row",
        ),
    ),
    Goal(
        10, "Queue, log and API as modelled",
        "random sequences of claims, answers, undos, expiries, crashes; random requests",
        "the model agrees; no 5xx", "", (f"{FAULTS}/test_machine.py", "tests/app/test_fuzz_rest.py"),
    ),
    Goal(
        11, "No click lost", "the server killed under eight browsers; offline; replies lost",
        "every click stored once", "Label Studio's duplicate-save error",
        ("tests/journeys/test_browser_crowd.py", "tests/journeys/test_browser_outage.py"),
    ),
    Goal(
        12, "Roles",
        "every role at every route of the OpenAPI document, every scope likewise", "exactly its routes", "",
        ("tests/app/test_roles.py", "tests/app/test_scopes.py"),
    ),
    Goal(
        13, "Other sites", "seven kinds of foreign senders at every write, Gradio's own routes too", "nothing accepted",
        "Gradio alone reflects any Origin with credentials and accepted a cross-site click", (GATE,),
    ),
    Goal(
        14, "Scripts in texts", "42 scripts in every text of every table, every screen in a browser", "none runs", "",
        ("tests/journeys/test_browser_scripts.py",),
    ),
    Goal(
        15, "Paths and private networks",
        "464 paths at sixteen doors; 37 special networks, five spellings of this machine",
        "none passes", "", ("tests/app/test_paths.py", "tests/importers/test_addresses.py"),
    ),
    Goal(
        16, "Bombs and broken pictures", "a PNG of 169 megapixels, damaged bytes, a picture that kills its process",
        "refused, by the header", "Pillow takes 843 MB for a PNG of 21 KB",
        (
            PICTURES,
            f"{IMPORT}::test_a_picture_that_kills_its_process_is_refused_and_its_neighbours_are_not",
        ),
    ),
    Goal(
        17, "Guessed passwords", "wrong passwords for one account, and from one address", "slowed down",
        "Gradio: 60 wrong logins, not slowed",
        (f"{GATE}::test_guessing_passwords_is_slowed_down", "tests/db/test_users.py"),
    ),
    Goal(
        18, "Archives, pickles, formulas", "escaping names, links, devices, bombs; formulas in exported tables",
        "none escapes", "", (
            STORES,
            "tests/test_road.py::test_nothing_is_unpickled_and_no_shell_is_started",
            "tests/journeys/test_cli.py::test_groups_leave_as_csv_without_formulas",
        ),
    ),
    Goal(
        19, "Secrets", "first start; stored tokens and replies; the log; files of the database",
        "shown once, hashed, readable by the owner alone", "",
        (
            f"{GATE}::test_the_first_start_makes_an_admin_and_the_second_does_not",
            "tests/app/test_once.py::test_a_secret_is_not_kept",
            "tests/app/test_doctor.py::test_a_new_database_belongs_to_its_owner_alone", "tests/app/test_watching.py",
        ),
    ),
    Goal(
        20, "Importers", "any bytes as a manifest, any names, any damage to a picture", "rows or one sentence", "",
        (STORES, PICTURES, IMPORT),
    ),
]  # fmt: skip
