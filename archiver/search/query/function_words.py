"""Words that say nothing of what a message is about: articles, prepositions, conjunctions, pronouns.

What questions are asked with (how, why, auxiliary verbs) are among them: people type questions as they think them.

Folded as the index folds. Never a word that denies (not, geen, sans, ohne): those matter in support mail; and no word
that is also a common noun of another of the languages (car, son, mes, man, comment, war, hat), or
the name of a country or a month (be, may). A word written in capitals is a name (IT, US). Which of them a query leaves
out is `archiver.search.query.language`'s to say.
"""

from __future__ import annotations

from functools import cache

_WORDS = {
    "nl": "de het een en of van in op aan met voor door naar bij uit over om te tot als dat die dit deze er ik je jij"
    " hij zij ze we wij jullie u uw mijn jouw ons onze hun hen hem haar zich want omdat maar dus terwijl wanneer wie"
    " wat welke ook nog dan tegen tussen onder na sinds vanaf tijdens via hoe waar waarom hoeveel is zijn ben bent heb"
    " hebt heeft hebben had kan kunnen kunt moet moeten mag mogen wil wilt willen wordt worden werd zal zullen zou"
    " zouden",
    "fr": "le la les l un une des du de d au aux et ou a en dans sur sous pour par avec chez vers entre depuis pendant"
    " ce cet cette ces qui que quoi dont je j tu il elle on nous vous ils elles me m te t se s lui leur leurs mon ma ta"
    " sa ses tes notre nos votre vos mais donc car si quand comme y qu pourquoi combien est sont suis sommes etes"
    " etait etre ont avoir peut peux pouvez peuvent doit dois devons faut",
    "en": "the a an and or of in on at to for from by with about into as that this these those it its i you he she we"
    " they me him her us them my your his our their which who what but so if than then when while how why where is are"
    " was were has have had do does did can could will would should must",
    "de": "der die das den dem des ein eine einen einem einer eines und oder in im an am auf mit fur fuer von vom zu"
    " zum zur bei beim aus nach uber ueber um durch gegen unter vor zwischen seit wahrend waehrend als dass wenn weil"
    " aber denn ich du er sie es wir ihr mich dich sich uns euch ihm ihn ihnen mein dein sein unser euer was wer welche"
    " diese dieser dieses warum wieso weshalb wann wo ist sind habe haben kann konnen koennen muss mussen muessen soll"
    " sollen wird werden wurde wuerde",
}  # fmt: skip

REPLIES = frozenset(("re", "fw", "fwd", "aw", "wg", "tr", "antw", "doorst", "sv", "vs", "rif"))
"""What programs put in front of a subject, with a colon, when a message is answered or passed on."""

_NOUNS_ELSEWHERE = frozenset(("car",))


@cache
def function_words(languages: tuple[str, ...]) -> frozenset[str]:
    """Return those of the languages given (ISO 639-1), folded; an unknown language has none."""
    return frozenset(" ".join(_WORDS.get(language, "") for language in languages).split()) - _NOUNS_ELSEWHERE
