"""Ask a Python function of yours: `rule:my_module:same_shop` calls `same_shop(item_a, item_b)`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from db.errors import BadInput, NotFound
from db.nouns import Item, PairVerdict, Verdict
from oracle.answerers._scripted import Scripted, same_if

Rule = Callable[[Item, Item], Any]


@dataclass
class Answerer(Scripted):
    """rule: a function of two items, or the text MODULE:NAME that finds one.

    It returns True (same), False (different), None (unsure), or a verdict by name. It must not depend on their order.
    """

    ARGUMENT = "rule"

    items: Sequence[Item] = field(repr=False)
    rule: str | Rule

    def __post_init__(self) -> None:
        self._call = imported(self.rule) if isinstance(self.rule, str) else self.rule
        self._item = {item.id: item for item in self.items}

    def verdict(self, a: int, b: int) -> PairVerdict:
        """What the function says about the two items."""
        for one in (a, b):
            if one not in self._item:
                raise NotFound(f"no item {one} among the {len(self._item)} the rule knows. Reload the collection.")
        said = self._call(self._item[a], self._item[b])
        if said is None or isinstance(said, bool):
            return same_if(a, b, said)
        return PairVerdict(a, b, named(said))


def named(said: Any) -> Verdict:
    """A verdict by name. Raises BadInput."""
    try:
        return Verdict(said)
    except ValueError:
        known = ", ".join(verdict.value for verdict in Verdict)
        raise BadInput(f"a rule returns True, False, None or one of {known}; got {said!r}. Change the rule.") from None


def imported(text: str) -> Rule:
    """The function MODULE:NAME. Raises BadInput with what is missing."""
    module, _, name = text.partition(":")
    if not module or not name:
        raise BadInput(f"rule = MODULE:NAME expected, got '{text}'. For example rule:my_rules:same_shop.")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise BadInput(f"rule '{text}' cannot be loaded: {error}. Is the module on PYTHONPATH?") from error
    if not callable(found):
        raise BadInput(f"rule '{text}' is not a function, but {type(found).__name__}. Name a function of two items.")
    return found  # type: ignore[no-any-return]
