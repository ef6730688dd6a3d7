"""How long a person takes for one screen, where nobody was timed.

Keystroke-level model (Card, Moran and Newell 1980, "The keystroke-level model for user performance time with
interactive systems"): a decision M = 1.35 s, pointing P = 1.10 s, a press B or K = 0.20 s. Looking at a picture:
0.30 s, about one fixation (Rayner 1998, "Eye movements in reading and information processing"). Reading: 238 words a
minute (Brysbaert 2019, "How many words do we read per minute?").
"""

from db.nouns import Answer, Kind, Question, Verdict

DECIDE_S, POINT_S, PRESS_S, LOOK_S = 1.35, 1.10, 0.20, 0.30
READ_S = 60 / 238 / 5.5  # of a letter
CLICKED = {  # what the person clicks on, layout by layout; everything else is left as it is
    Kind.TICK: (Verdict.SAME,),
    Kind.MISSING: (Verdict.SAME,),
    Kind.ODD: (Verdict.DIFFERENT,),
}


def seconds(question: Question, answer: Answer | None) -> float:
    """Measured time where the answer carries one, else the model's, in seconds. No answer: looking, pressing skip."""
    if answer is not None and answer.seconds is not None:
        return answer.seconds
    return looking(question) + DECIDE_S + PRESS_S + clicks(question, answer) * (POINT_S + PRESS_S)


def looking(question: Question) -> float:
    """Seconds to see every picture once, and to read the words."""
    return LOOK_S * (1 + len(question.candidates) + len(question.context)) + READ_S * len(question.text)


def clicks(question: Question, answer: Answer | None) -> int:
    """Pictures the person clicks on. A pair and a merge are answered by one key."""
    clicked = CLICKED.get(question.kind, ())
    return sum(said.verdict in clicked for said in answer.verdicts) if answer else 0


def expected_seconds(question: Question) -> float:
    """The model's time before the answer is known, from the expected share of same (one half where unknown)."""
    clicked = CLICKED.get(question.kind)
    if clicked is None:
        return looking(question) + DECIDE_S + PRESS_S
    same = sum(question.expected) if question.expected else len(question.candidates) / 2
    count = same if clicked == (Verdict.SAME,) else len(question.candidates) - same
    return looking(question) + DECIDE_S + PRESS_S + count * (POINT_S + PRESS_S)
