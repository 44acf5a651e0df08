"""The language of a message, guessed once from what its sender wrote.

Knows the small words and some letters of the languages that mail here is written in, and scripts that are one
language's alone. Deliberately cautious: code and lists of numbers are no language, and of a text
in two languages, or of three words that several languages have, it says nothing. No model, no statistics of n-grams:
a message costs some thirty microseconds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache

SAMPLE = 700
"""Characters of a text that are looked at."""

_ENOUGH = 1.6
"""Weight that a language needs at least: two of its own words, or one that only it has with letters of its own."""

_ENOUGH_OF_OTHERS = 2.4
"""The same for a language that mail here is rarely written in: code has words of Portuguese."""

_MARGIN = 1.45
"""How much heavier the first language is than the second."""

_SHARE = 0.12
"""Weight for each word of the text, at least: prose is a third small words, code and lists are not."""

_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_MARKS = '.,?!:;()"*'

_SMALL: dict[str, str] = {
    "nl": (
        "de het een en van ik je u we wij ze zij hij niet geen dat die dit deze is zijn was waren ben bent heb hebt "
        "heeft hebben had te in op aan voor met bij naar uit over om door tot als dan maar of ook nog wel al er hier "
        "daar waar wat wie hoe wanneer waarom kan kunnen kunt zal zullen zou zouden moet moeten mag willen wil wilt "
        "wordt worden werd mijn jouw uw onze ons hun haar jullie mij me hem alvast bedankt dank graag groeten groet "
        "vriendelijke beste hallo dag geachte mevrouw meneer heer alstublieft aub bijlage factuur sinds volgens "
        "tijdens via omdat zodat toch even gewoon weer veel meer alle alles iets niets nieuwe nieuw goed goede morgen "
        "goedemorgen goedemiddag gelieve ontvangen sturen stuur werkt lukt bericht vraag vandaag gisteren reeds "
        "hierbij indien kunnen na onder tegen tussen zonder sleutel bestelling offerte betaling krijg krijgen "
        "probleem mvg gr groetjes doen doet gaat gaan komt komen welke welk hoeveel iemand"
    ),
    "fr": (
        "le la les l un une des du de d et à au aux en dans sur sous pour par avec sans chez ce cet cette ces je tu il "
        "elle nous vous ils elles on me te se s ne n pas plus que qu qui quoi dont où est sont était étaient suis es "
        "êtes sommes ai as a avons avez ont avait être avoir faire fait peut peux pouvez pouvons pourriez veuillez mon "
        "ma mes ton ta tes son sa ses notre nos votre vos leur leurs mais ou donc car si comme aussi très bien tout "
        "tous toute toutes bonjour bonsoir merci cordialement salutations monsieur madame cher chère svp ci-joint "
        "facture depuis pendant entre vers après avant déjà encore toujours jamais quand comment pourquoi parce "
        "cela ça ceci ici là demande licence clé devis commande paiement aujourd hui demain hier reçu recevoir "
        "envoyer envoyé fonctionne marche besoin problème c j m t jour nouvelle nouveau "
        "quel quelle quels quelles combien quelqu souhaite souhaitons devons devez jusqu lundi"
    ),
    "de": (
        "der die das den dem des ein eine einen einem einer eines und oder aber ich du er sie es wir ihr nicht kein "
        "keine keinen ist sind war waren bin bist habe hast hat haben hatte hatten zu zum zur in im an am auf aus bei "
        "beim mit nach von vom vor für über unter durch gegen ohne um bis als wie wenn dass daß weil ob auch noch "
        "schon nur sehr mehr hier dort da was wer wo wann warum kann können könnten könnte soll sollte muss müssen "
        "möchte möchten will wollen wird werden wurde wurden würde mein meine meinen dein unser unsere unseren Ihre "
        "ihre ihren ihrem ihnen uns mich mir dir sich man bitte danke dank vielen grüße grüßen gruß freundlichen "
        "freundliche sehr geehrte geehrter herr frau hallo guten tag rechnung seit heute gestern morgen bereits "
        "anbei anhang angebot bestellung zahlung schlüssel lizenz funktioniert geht erhalten senden schicken bekomme "
        "leider gerne gern diese dieser dieses diesen alle alles etwas nichts neue neuen neues doch mal mfg wegen "
        "welche welcher welches sollen siehe jemand"
    ),
    "en": (
        "the a an and or but of to in on at for from by with without about as is are was were be been being am i you "
        "he she it we they me him her us them my your his its our their this that these those not no do does did "
        "don doesn didn can cannot could will would should shall may might must have has had if then than when where "
        "what who which why how there here also just only very more most some any all each other so because since "
        "until while after before between into over under again still already thanks thank please regards hi hello "
        "dear sir madam hey best kind attached invoice yesterday today tomorrow get got need needs want send sent "
        "received receive know let see new up out off key works working order quote payment license licence re ll ve "
        "somebody anybody"
    ),
    "es": (
        "el los las un una unos unas del al y o pero que de en con por para sin sobre es son era está están fue ser "
        "estar ha han hay no sí se su sus mi mis tu nos le les lo me te como cuando donde porque si más muy también "
        "ya este esta estos estas ese esa eso todo todos hola gracias saludos estimado estimada usted ustedes favor "
        "buenos buenas días factura adjunto desde hasta pero puede puedo pueden tengo tiene quiero hacer"
    ),
    "it": (
        "il lo gli un una uno di del della dello dei degli delle da dal dalla in nel nella con su per tra fra e o ma "
        "che chi non è sono era ha hanno ho abbiamo essere avere si ci vi mi ti suo sua mio mia nostro vostro come "
        "quando dove perché se più anche già questo questa questi queste ciao buongiorno grazie saluti cordiali "
        "gentile fattura allegato può posso vorrei fare tutto tutti molto al alla alle ai"
    ),
    "pt": (
        "o os as um uma uns umas do da dos das no na nos nas ao aos à às e ou mas que de em com por para sem sobre é "
        "são foi ser está estão tem têm há não sim se seu sua seus suas meu minha nosso você vocês como quando onde "
        "porque mais muito também já este esta isto isso esse essa ele ela olá obrigado obrigada "
        "cumprimentos atenciosamente caro prezado prezados fatura anexo pelo pela pelos favor bom dia boa tarde pode "
        "posso"
    ),
    "da": "og det er at en den til på som ikke med har jeg vi du de for af om men kan vil skal være hvor hvad hej tak "
    "hilsen venlig mvh fra eller også når blev efter faktura mig min din dette kunne",
    "sv": "och det är att en den till på som inte med har jag vi du de för av om men kan vill ska vara var vad hej "
    "tack hälsningar vänliga mvh från eller också när efter faktura mig min din detta kunde ett",
    "nb": "og det er at en den til på som ikke med har jeg vi du de for av om men kan vil skal være hvor hva hei takk "
    "hilsen vennlig mvh fra eller også når ble etter faktura meg min din dette kunne et",
    "fi": "ja on ei se että en ole olen hän me te he mutta tai kun jos niin kuin myös vain tämä sen hei kiitos "
    "terveisin ystävällisin lasku mitä missä voi voin mukaan kanssa sekä",
    "pl": "i w na z do się nie to jest że o od po za dla jak ale czy przez jestem są był była tym tego dzień dobry "
    "dziękuję pozdrawiam proszę faktura oraz lub już tylko",
    "tr": "ve bir bu da de için ile çok ne mi var yok ben sen biz siz olarak gibi daha kadar ama veya merhaba "
    "teşekkürler teşekkür saygılarımla fatura lütfen değil",
    "hu": "a az és hogy nem is egy ez van meg de ha csak mint már még kell volt lesz köszönöm üdvözlettel tisztelt "
    "számla szia ezt azt vagy",
    "ro": "și în de la cu pe nu este sunt că se o un din pentru mai sau dar ca am ai are mulțumesc salut bună ziua "
    "factura vă care prin fost",
    "cs": "a v na se že je to s z do o k ve pro ale jako by jsem jsou není už nebo dobrý den děkuji pozdravem faktura "
    "prosím který také",
}

_LETTERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # Letters and groups of letters within a word that speak for a language; each counts a little.
    ("nl", ("ij", "oe", "aa", "uu", "sch", "cht", "eer", "oor", "heid", "gev", "ngen", "eel", "ooi")),
    ("de", ("ß", "ü", "ö", "ä", "sch", "cht", "ung", "keit", "tz", "pf", "ück", "chen")),
    ("fr", ("é", "è", "ê", "ç", "eau", "eux", "aux", "ez", "œ", "ique", "tion", "ment", "ille")),
    ("en", ("th", "wh", "ght", "tion", "ing", "ould", "ough", "ck", "shi", "ally")),
    ("es", ("ñ", "ción", "ll", "rr", "ó", "í", "dad")),
    ("it", ("zione", "zz", "gli", "cch", "ò", "ù")),
    ("pt", ("ã", "õ", "ção", "ções", "nh", "lh")),
    ("da", ("ø", "æ", "å")), ("nb", ("ø", "æ", "å")), ("sv", ("å", "ä", "ö")), ("fi", ("ää", "yy", "kk", "uo")),
    ("pl", ("ł", "ą", "ę", "ż", "ś", "cz", "sz")), ("tr", ("ş", "ğ", "ı")), ("hu", ("ő", "ű", "gy", "sz")),
    ("ro", ("ă", "ț", "ș")), ("cs", ("ř", "ě", "ů", "č")),
)  # fmt: skip
_LETTER_WEIGHT = 0.16
_COMMON = frozenset({"nl", "fr", "de", "en"})
_RARER = 0.8
"""A word of any other language weighs so much less: mail here is mostly in the four."""

_NON_LATIN = re.compile(
    "[\u0370-\u03ff\u0400-\u052f\u0590-\u06ff\u0900-\u097f\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
)
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7a3]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
_ARABIC = re.compile("[\u0600-\u06ff]")
_PERSIAN = re.compile("[\u067e\u0686\u0698\u06af\u06cc\u06a9]")
_CYRILLIC = re.compile("[\u0400-\u052f]")
_UKRAINIAN = re.compile("[\u0456\u0457\u0454\u0491]", re.IGNORECASE)
_BULGARIAN = frozenset("и на да не за се от ще това със които".split())  # noqa: SIM905 - a table
_RUSSIAN = frozenset("и в не на что я с по это как для мы вы но к из у за от же так бы".split())  # noqa: SIM905
_RUSSIAN_ONLY = re.compile("[ыэё]", re.IGNORECASE)


def language_of(text: str, subject: str = "", quoted: str = "") -> str | None:
    """Return the ISO 639-1 code of a message's language, from its own text, else its subject, else what it quotes."""
    if text:
        found = guess(text)
        if found is None and len(text) < 200 and subject:
            found = guess(f"{subject}\n{text}")
        if found is not None or len(text) > 200:
            return found
    return (guess(subject) if subject else None) or (guess(quoted) if quoted else None)


def guess(text: str) -> str | None:
    """Return the ISO 639-1 code of a text's language, None where it cannot be told."""
    sample = text[:SAMPLE]
    if not sample.isascii() and len(_NON_LATIN.findall(sample)) * 5 > len(sample):
        return _by_script(sample)
    sample = sample.lower()
    for mark in _MARKS:
        if mark in sample:
            sample = sample.replace(mark, " ")
    words = sample.split()
    weights = _weights()
    known = [weights[word] for word in words if word in weights]
    if "'" in sample or "’" in sample:
        known += [_of_parts(word) for word in words if word not in weights and ("'" in word or "’" in word)]
    scores: defaultdict[str, float] = defaultdict(float)
    for pairs in known:
        for language, weight in pairs:
            scores[language] += weight
    if len(words) < 25:
        _add_letters(words, scores)
    if not scores:
        return None
    (first, best), (_, second) = [*sorted(scores.items(), key=lambda item: -item[1]), ("", 0.0)][:2]
    enough = _ENOUGH if first in _COMMON else _ENOUGH_OF_OTHERS
    if best < enough or best < _MARGIN * second or best < _SHARE * len(words):
        return None
    return first


def _of_parts(word: str) -> tuple[tuple[str, float], ...]:
    """Look the piece before an apostrophe up: "l'offre", "don't", "zo'n"."""
    piece = word.replace("’", "'").partition("'")[0]
    return _weights().get(piece, ())


def _add_letters(words: list[str], scores: defaultdict[str, float]) -> None:
    joined = " ".join(words)
    for language, groups in _LETTERS:
        for group in groups:
            if group in joined:
                scores[language] += _LETTER_WEIGHT * min(3, joined.count(group))


@cache
def _weights() -> dict[str, tuple[tuple[str, float], ...]]:
    """Return word → (language, weight): a word that several languages have tells less."""
    languages: dict[str, list[str]] = {}
    for language, table in _SMALL.items():
        for word in dict.fromkeys(table.lower().split()):
            languages.setdefault(word, []).append(language)
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    for word, of in languages.items():
        common = sum(language in _COMMON for language in of)
        found[word] = tuple(
            (language, (1.0 if language in _COMMON else _RARER) / (1 if len(of) == 1 else max(1.4, 1.4 * common)))
            for language in of
        )
    return found


def _by_script(sample: str) -> str | None:  # noqa: PLR0911 - a table
    for language, pattern in _SCRIPTS[:2]:
        if len(pattern.findall(sample)) >= 2:
            return language
    for language, pattern in _SCRIPTS[2:]:
        if pattern.search(sample):
            return language
    if _ARABIC.search(sample):
        return "fa" if len(_PERSIAN.findall(sample)) >= 3 else "ar"
    if not _CYRILLIC.search(sample):
        return None
    if _RUSSIAN_ONLY.search(sample):
        return "ru"
    if _UKRAINIAN.search(sample):
        return "uk"
    words = _WORDS.findall(sample.lower())
    russian, bulgarian = sum(word in _RUSSIAN for word in words), sum(word in _BULGARIAN for word in words)
    return "ru" if russian > bulgarian else "bg" if bulgarian > russian + 1 else None
