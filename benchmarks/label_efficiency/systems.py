"""Systems by name, and the names the command line understands.

Peers:  cobras, dedupe, {random, explore, minmax, npu}-{pckmeans, mpckmeans}; kmeans asks nothing.
Ours:   MODE, MODE:ACQUISITION, MODE+learn, MODE:ACQUISITION+learn with MODE one of pairs, screens, picks.
"""

from functools import partial

from sklearn.cluster import KMeans

from benchmarks.label_efficiency.trial import System, Trial
from db.errors import BadInput, NotFound

STRATEGIES, CLUSTERERS = ("random", "explore", "minmax", "npu"), ("pckmeans", "mpckmeans")
SEMI = tuple(f"{strategy}-{clusterer}" for strategy in STRATEGIES for clusterer in CLUSTERERS)
PEERS = ("cobras", "dedupe", *SEMI)
BASELINE = "kmeans"
MODES = ("pairs", "screens", "picks")


def is_ours(name: str) -> bool:
    """Whether this name is one of Pairwright's own."""
    return name.replace(":", " ").replace("+", " ").replace("[", " ").split()[0] in MODES


def find(name: str, settings: dict[str, str]) -> System:
    """The system behind a name. settings: of Pairwright's acquisition. Raises BadInput for an unknown name."""
    if is_ours(name):
        from benchmarks.label_efficiency import ours

        return ours.system(name, settings)
    if name == BASELINE:
        return _kmeans
    if name not in PEERS:
        raise NotFound(f"no system named '{name}'. Known: {', '.join((*MODES, BASELINE, *PEERS))}.")
    try:
        return _peer(name)
    except ImportError as error:
        raise BadInput(
            f"{name} needs packages that are not here ({error}): pip install 'pairwright[benchmarks]'."
        ) from error


def _peer(name: str) -> System:
    if name == "cobras":
        from benchmarks.label_efficiency.peers import cobras

        return cobras.run
    if name == "dedupe":
        from benchmarks.label_efficiency.peers import records

        return records.run
    from benchmarks.label_efficiency.peers import semi

    strategy, clusterer = name.split("-")
    return partial(semi.run, strategy=strategy, clusterer=clusterer)


def _kmeans(trial: Trial) -> None:
    """No question at all, told the true number of groups: what the features alone give."""
    found = KMeans(trial.groups, n_init=10, random_state=trial.seed).fit_predict(trial.features)
    trial.ended(lambda: found)
