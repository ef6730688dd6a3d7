"""What the demo needs before it can start: pictures, criteria, features."""

from collections.abc import Callable
from contextlib import closing

from app.features import ensure_features
from app.settings import Settings

COLLECTION = "openmoji"


def prepare(settings: Settings, progress: Callable[[int, int], None] | None = None) -> None:
    """Make the demo collection and its features; what is there already is left alone."""
    from app.demo import prepare_demo

    with closing(settings.open()) as database:
        prepare_demo(database, settings.folder, progress)
        ensure_features(database, settings.folder, COLLECTION, progress=progress)
