"""The parts a named system is made of: a method builds a `Recipe`, the one trainer follows it.

views -> encoder and target -> candidates -> [positives -> negatives -> obey -> objective] for each term -> sum
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol

from torch import Tensor

from db.errors import BadInput, unknown
from oracle import plugins
from trainer.candidates import FAMILY as SELECTORS
from trainer.candidates import Selector
from trainer.columns import Column, Sounds, Words
from trainer.negatives.uniform import NegativePolicy as Uniform
from trainer.network import Head
from trainer.pool import Pool
from trainer.positives.own_view import PositiveSource as OwnView
from trainer.views import Views

Curation = Callable[[Pool], Pool]
Objective = Callable[[Pool], Tensor]
FAMILY = "trainer.methods"
FAMILIES = {  # parts that can be exchanged
    "negatives": "trainer.negatives", "objective": "trainer.objectives", "selector": SELECTORS,
}  # fmt: skip
BESIDE = {"words": Words, "sounds": Sounds}  # what stands beside pictures, by the name of its part
PARTS = (*FAMILIES, "views", *BESIDE)  # whose settings are said as PART.KEY


@dataclass(frozen=True)
class Term:
    """One summand of the loss: who pulls, who pushes, and the number that follows.

    predictor: which of the recipe's predictors the anchors go through, None for z itself; one with a `bag` puts a
    centroid in the place of anchors and keys (see `trainer.centroid`). matches: of which views the anchors and keys
    are, None for those of the recipe; the summand is their mean. beside: whether its keys are of pictures beside the
    batch, as generated ones are, so that no key is an anchor.
    """

    objective: Objective
    negatives: Curation = field(default_factory=Uniform)
    positives: tuple[Curation, ...] = (OwnView(),)
    weight: float = 1.0
    predictor: int | None = None
    matches: tuple[tuple[int, int], ...] | None = None
    beside: bool = False

    @property
    def parts(self) -> tuple[Any, ...]:
        """Objective, negatives and positives, some of which keep a state or learn by themselves."""
        return self.objective, self.negatives, *self.positives

    @property
    def mates(self) -> Any:
        """The source that draws a partner of every item, whose picture is the second view; None without one."""
        return next((source for source in self.positives if hasattr(source, "drawn")), None)


@dataclass(frozen=True)
class Recipe:
    """terms: summands of the loss. views: how each view of a picture is drawn. head: from features to z, None for
    SimCLR's; outputs: numbers of z, None for what the run says; predictors: from z to what a term compares instead.
    unit: whether anchors and keys have length 1.

    both_views: anchors and keys are views 0 and 1 of the batch (2B x 2B, an anchor never meets itself). Otherwise each
    of `matches` names the view of the anchors and the view of the keys (B x B).

    Who gives the keys: a moving average of the network with `momentum`, rising to `final_momentum`; a frozen `teacher`,
    a backbone by name, that sees squares of `teacher_side` pixels, 0 for its own; else the network itself, without
    gradient where they are `stopped`.

    queue: how many earlier keys stay candidates. batch_pushes, queue_pushes: whether keys of the batch push, and those
    of the queue. steady_predictors: whether the step size of the predictors stays at its highest.
    support: further views of each anchor for policies that detect false negatives. held: epochs in which prototypes in
    the head stay as they started. groups: how many groups a second head sorts the features into, for objectives that
    need them, 0 for none. look: another way from pictures to pools than two views, as `trainer.patches` has it.
    selector: who of a super-batch enters the batch, None for everybody in turn. rate: highest step size where the run
    names none; answered: share of a batch drawn from answered items, likewise.
    """

    terms: tuple[Term, ...]
    momentum: float | None = None
    both_views: bool = True
    queue: int = 0
    batch_pushes: bool = True
    queue_pushes: bool = True
    steady_predictors: bool = False
    support: int = 0
    views: tuple[Views, ...] = (Views(), Views())
    matches: tuple[tuple[int, int], ...] = ((0, 1),)
    final_momentum: float | None = None
    stopped: bool = False
    teacher: str = ""
    teacher_side: int = 0
    head: Head | None = None
    outputs: int | None = None
    predictors: tuple[Head, ...] = ()
    unit: bool = True
    held: int = 0
    groups: int = 0
    look: Callable[..., Any] | None = None
    selector: Selector | None = None
    rate: float = 1e-3
    answered: float = 0.5

    @property
    def seen(self) -> bool:
        """Whether some objective sees the features before any head, beside z."""
        return self.groups > 0 or any("features" in getattr(term.objective, "needs", ()) for term in self.terms)

    @property
    def mates(self) -> Any:
        """The source whose partners lend their pictures to view 1, or None: the first that draws some."""
        return next((term.mates for term in self.terms if term.mates is not None), None)

    @property
    def generated(self) -> Any:
        """The source that takes generated pictures, or None."""
        return next((part for term in self.terms for part in term.positives if hasattr(part, "take")), None)

    @property
    def readers(self) -> list[Any]:
        """What reads metadata before the first step: parts of the terms, the way to look, and the selector."""
        parts = [*(part for term in self.terms for part in term.parts), self.look, self.selector]
        return [part for part in parts if hasattr(part, "learn_of")]

    def __post_init__(self) -> None:
        if self.both_views and (self.momentum is not None or self.teacher or self.stopped):
            raise BadInput("both_views with a target of its own is no recipe: keys would not be comparable.")
        both = any("key_groups" in getattr(term.objective, "needs", ()) for term in self.terms)
        if self.groups and not self.both_views and both:
            raise BadInput("groups of both views expected, and this recipe has no both_views.")
        if self.mates is not None and self.matches != ((0, 1),):
            raise BadInput("a partner's picture is in view 1, so matches = ((0, 1),) expected where metadata pairs.")
        if not self.queue and not self.batch_pushes:
            raise BadInput("queue = above 0 expected where the batch does not push, got 0.")
        if self.selector is not None and not hasattr(self.look, "codes"):
            raise BadInput("a selector chooses pictures by their words, and this system reads none. Try: train clip.")
        if self.momentum is not None and self.teacher:
            raise BadInput("either a moving average or a teacher gives the keys, and both were named.")


class Method(Protocol):
    """What a file of trainer/methods defines: a frozen dataclass of settings that knows its recipe."""

    def recipe(self) -> Recipe:
        """The parts, built with the settings."""
        ...


def build(name: str, settings: Mapping[str, Any] | None = None, *, seed: int = 0) -> Recipe:
    """The recipe of a named system.

    settings: the method's own fields; `negatives=NAME`, `objective=NAME` and `selector=NAME` put another part in its
    place, `negatives.KEY`, `objective.KEY`, `selector.KEY` and `views.KEY` set theirs; `words.train` and `sounds.train`
    say whether the tower of words, or of recordings, learns, too. Another objective keeps the temperature. seed: for
    parts that draw, where the settings have none. Raises: NotFound or BadInput naming the nearest spelling.
    """
    own, parts = sorted_out(settings or {})
    if "seed" in plugins.settings_of(FAMILY, name):
        own = {"seed": seed, **own}
    recipe: Recipe = plugins.load(FAMILY, name, **own).recipe()
    if parts["negatives"]:
        recipe = replace(recipe, terms=tuple(_with_policy(term, parts["negatives"], seed) for term in recipe.terms))
    if parts["objective"]:
        recipe = replace(recipe, terms=tuple(_with_objective(term, parts["objective"]) for term in recipe.terms))
    if parts["selector"]:
        recipe = replace(recipe, selector=_selector(recipe.selector, parts["selector"]))
    if parts["views"]:
        changed = plugins.checked(Views, "views", parts["views"])
        recipe = replace(recipe, views=tuple(replace(one, **changed) for one in recipe.views))
    for part in BESIDE:
        if parts[part]:
            _set_beside(recipe.look, part, parts[part])
    return recipe


def sorted_out(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Settings of the method itself, and of each of PARTS, whose own name is under ""."""
    own: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for key, value in settings.items():
        part, _, inner = key.partition(".")
        if inner and part not in parts:
            raise unknown("part with settings", part, parts)
        if inner:
            parts[part][inner] = value
        elif key in FAMILIES:
            parts[key][""] = value
        else:
            own[key] = value
    return own, parts


def _with_policy(term: Term, said: Mapping[str, Any], seed: int) -> Term:
    return replace(term, negatives=_changed("negatives", term.negatives, said, {"seed": seed}))


def _with_objective(term: Term, said: Mapping[str, Any]) -> Term:
    kept = {"temperature": term.objective.temperature} if hasattr(term.objective, "temperature") else {}
    objective = _changed("objective", term.objective, said, kept)
    if "" in said and (lacking := getattr(objective, "needs", ())):
        raise BadInput(
            f"the objective '{said['']}' cannot train from pictures: it needs what only the online loop fills in "
            f"({', '.join(lacking)}). Try objective=contrast."
        )
    return replace(term, objective=objective)


@dataclass(frozen=True)
class Tower:
    """train: whether the tower learns with the head on top of it."""

    train: bool = False


def _set_beside(look: Any, part: str, said: Mapping[str, Any]) -> None:
    """Set the tower of a column of this recipe, which nobody has read yet. Raises: BadInput where it has none."""
    given = Tower(**plugins.checked(Tower, part, dict(said)))
    columns = [one for one in columns_of(look) if isinstance(one, BESIDE[part])]
    if not columns:
        raise BadInput(f"this system reads no {part} through a tower, so {part}.train cannot be set. Leave it out.")
    for column in columns:
        column.train = given.train
        column.learner  # noqa: B018  # says at once where the tower cannot learn


def columns_of(look: Any) -> tuple[Column, ...]:
    """What stands beside the pictures of a way to look, in the order of its predictors; empty where nothing does."""
    if isinstance(look, Column):
        return (look,)
    found: tuple[Column, ...] = getattr(getattr(look, "beside", look), "columns", ())
    return found


def _selector(now: Selector | None, said: Mapping[str, Any]) -> Selector:
    if now is None and "" not in said:
        raise BadInput(f"this system has no selector to set {next(iter(said))} of. Say selector=NAME, too.")
    changed: Selector = _changed("selector", now, said, {})
    return changed


def _changed(kind: str, part: Any, said: Mapping[str, Any], kept: Mapping[str, Any]) -> Any:
    """The part that `said` names, with what it takes of `kept`; without a name the same part with other settings."""
    settings = {key: value for key, value in said.items() if key}
    if "" in said:
        takes = plugins.settings_of(FAMILIES[kind], said[""])
        return plugins.load(FAMILIES[kind], said[""], **{key: kept[key] for key in kept if key in takes} | settings)
    now = {f.name: getattr(part, f.name) for f in fields(part) if f.init}
    return type(part)(**now | plugins.checked(type(part), f"the {kind}", settings))
