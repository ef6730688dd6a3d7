"""What the demo needs before it can start: pictures, criteria, features."""

from collections.abc import Callable
from contextlib import closing

from app.features import ensure_features
from app.settings import Settings


def prepare(settings: Settings, progress: Callable[[int, int], None] | None = None) -> str:
    """Make the demo collection and its features, or find them made; returns the collection's name."""
    from app.demo import prepare_demo

    with closing(settings.open()) as database:
        demo = prepare_demo(database, settings.folder, progress)
        ensure_features(database, settings.folder, demo.collection, progress=progress)
    return demo.collection
