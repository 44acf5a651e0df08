"""`archiver completion`: what a shell needs to complete commands, options and the words of a query.

click finds out what there is to complete. Its scripts do not do here: bash cuts the words of a line at colons
(COMP_WORDBREAKS) and would have `from:` completed as if it were three words, and after a field no space may follow. The
scripts of this module send the line as it was typed up to the cursor, and what they are answered is agreed here alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from archiver.cli.invocation import Invocation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from click.shell_completion import CompletionItem

_BASH = """\
_archiver_completion() {
    local IFS=$'\\n' line
    COMPREPLY=()
    compopt +o nospace
    for line in $(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \\
        _ARCHIVER_COMPLETE=bash_complete "$1"); do
        case $line in
            dir,*) compopt -o dirnames ;;
            file,*) compopt -o default ;;
            part,*) compopt -o nospace; COMPREPLY+=("${line#*,}") ;;
            *) COMPREPLY+=("${line#*,}") ;;
        esac
    done
}
complete -o nosort -F _archiver_completion archiver
"""
_ZSH = """\
#compdef archiver

_archiver_completion() {
    local -a plain part response
    local kind value help
    response=("${(@f)$(env COMP_WORDS="${words[1,CURRENT]}" _ARCHIVER_COMPLETE=zsh_complete archiver)}")
    for kind value help in "${response[@]}"; do
        case $kind in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            part) part+=("$value${help:+:$help}") ;;
            plain) plain+=("$value${help:+:$help}") ;;
        esac
    done
    (( $#part )) && _describe -V archiver part -U -S ''
    (( $#plain )) && _describe -V archiver plain -U
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _archiver_completion "$@"
else
    compdef _archiver_completion archiver
fi
"""
_FISH = """\
function _archiver_completion
    for line in (env COMP_WORDS=(commandline -cp | string collect) _ARCHIVER_COMPLETE=fish_complete archiver)
        set -l answer (string split -m 1 , -- $line)
        switch $answer[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case '*'
                echo $answer[2]
        end
    end
end
complete --no-files --command archiver --arguments "(_archiver_completion)"
"""


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_obj
def command(invocation: Invocation, shell: str) -> None:
    """Print the completion script for a shell.

    bash: source <(archiver completion bash). zsh: the same, in ~/.zshrc. fish: archiver completion fish | source.
    """
    invocation.terminal.text({"bash": _BASH, "zsh": _ZSH, "fish": _FISH}[shell])


def complete(root: click.Command, invocation: Invocation, instruction: str) -> int:
    """Answer a shell that asks for completions ("bash_complete"): one a line, as the shell's script reads them."""
    from click.shell_completion import ShellComplete

    answers = {"bash_complete": _for_bash, "zsh_complete": _for_zsh, "fish_complete": _for_fish}
    if instruction not in answers:
        return 1
    line = split(invocation.environ.get("COMP_WORDS", ""))
    completion = ShellComplete(root, {"obj": invocation}, "archiver", "_ARCHIVER_COMPLETE")
    items = completion.get_completions(list(line.words[1:]), line.last)
    for answer in answers[instruction](items, line, invocation.environ):
        invocation.terminal.text(f"{answer}\n")
    return 0


def _for_bash(items: Sequence[CompletionItem], line: Line, environ: Mapping[str, str]) -> Iterator[str]:
    breaks = "" if line.quoted else environ.get("COMP_BREAKS", "")
    # bash puts in only what stands behind the last break; at "=" click cuts by itself.
    cut = line.last.rfind(":") + 1 if ":" in breaks else 0
    for item in items:
        value = item.value[cut:] if item.value.startswith(line.last[:cut]) else item.value
        yield f"{_kind(item)},{value}"
        if line.quoted and len(items) == 1 and _kind(item) == "part":
            # One candidate alone would have bash close the quote; with two it puts in what they share.
            yield f"part,{value}…"


def _for_zsh(items: Sequence[CompletionItem], line: Line, _environ: Mapping[str, str]) -> Iterator[str]:
    for item in items:
        value = (_option(line) + item.value).replace("\\", "\\\\").replace(":", "\\:")
        yield f"{_kind(item)}\n{value}\n{item.help or ''}"


def _for_fish(items: Sequence[CompletionItem], line: Line, _environ: Mapping[str, str]) -> Iterator[str]:
    # fish itself leaves out the space behind a colon.
    for item in items:
        yield f"{item.type},{_option(line)}{item.value}" + (f"\t{item.help}" if item.help else "")


def _option(line: Line) -> str:
    """Return "--name=" of --name=value: click completes the value only, where zsh and fish replace the whole word."""
    name, equals, _ = line.last.partition("=")
    return name + equals if equals and name.startswith("--") else ""


def _kind(item: CompletionItem) -> str:
    """Return what the scripts go by: "part" is to be typed on, and gets no space."""
    return "part" if item.type == "plain" and item.value.endswith(":") else item.type


class Line(NamedTuple):
    """A command line up to the cursor: whole words, the last one as far as it goes, and whether a quote is open."""

    words: tuple[str, ...]
    last: str
    quoted: bool


def split(line: str) -> Line:
    """Cut a line as a shell does (quotes and backslashes only); what is open at the end is the word to complete."""
    words: list[str] = []
    word: str | None = None
    quote = ""
    escaped = False
    for character in line:
        if escaped:
            word, escaped = (word or "") + character, False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            word, quote = ((word or ""), "") if character == quote else ((word or "") + character, quote)
        elif character in "'\"":
            word, quote = word or "", character
        elif character.isspace():
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + character
    return Line(tuple(words), word or "", bool(quote))
