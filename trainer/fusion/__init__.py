"""Pictures and words read together by one network: what it says of hidden words, hidden places and of the pair.

    picture -> view -> backbone's map -> (P places, d)  \
                                                          network of `nets` -> rows against a table of what they may be
    column  -> `vocabulary` -> (T tokens)               /

A pool of it: an anchor is one thing to be told (a hidden word, the next word, whether the two belong together), a key
is one thing it may be (a word of the vocabulary, a visual word, yes or no), the own key is the right one. So telling is
contrast against a table, with temperature 1: cross entropy. `looking` makes these pools for the one trainer.
"""
