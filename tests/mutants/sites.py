# SPDX-License-Identifier: GPL-2.0-or-later
"""Where C and C++ can be broken, and how: conditions turned, terms of them left out, bounds moved, statements deleted.

Read is what is written as this house writes it, not the languages; what does not compile so is left out by
tests/mutants/sow. A mutant is chosen when the program runs, by its number, so that all of them take one build:
MUTANT(n) is whether it is number n."""

import re
from dataclasses import dataclass

BLANKED = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\''
                     r'|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.M | re.S)
CONDITION = re.compile(r"\b(?:if|while) \(")
RETURNED = re.compile(r"\breturn ([^;{}]*);")
DECLARES = re.compile(r"[^=!<>]=[^=]|\bconstexpr\b|;")
COMPARISON = re.compile(r"^([^<>=!&|?]+) (<=|<|>=|>) ([^<>=!&|?]+)$")
OTHER_BOUND = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
BY_ONE = re.compile(r"(?<=[\w)\]]) ([+-]) 1\b(?![.\w])")
NAME = r"(?:::)?[A-Za-z_]\w*"
PART = r"(?:(?:::|\.|->)[A-Za-z_]\w*|\[[^\]\n]*\]|\([^()]*\))"
STATEMENT = re.compile(rf"(?<=[;{{}})])(\s+)((?:\+\+|--)?\*?{NAME}{PART}*?(?:\((?:[^;{{}}]*)\)|(?:\+\+|--)"
                       rf"| (?:[-+|&^]|<<|>>)?= [^;{{}}]*)|(?:\+\+|--){NAME}{PART}*);")
NO_STATEMENT = re.compile(r"(?:return|if|for|while|switch|case|else|static_assert|throw|delete|using|goto|do|sizeof)\b")


@dataclass(frozen=True)
class Site:
    """From `start` to `end` stands what becomes `text`, in which @ is MUTANT(n)."""
    start: int
    end: int
    text: str
    what: str


def blanked(text):
    """Without comments, strings and the preprocessor's lines, and as long."""
    return BLANKED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def closing(text, start):
    """Where the parenthesis at `start` closes."""
    depth = 0
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return None


def terms(text, start, end):
    """What && or || join, if only one of them does: the operator, and each one's place."""
    depth, places, operators, begin = 0, [], set(), start
    for index in range(start, end):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text[index], 0)
        if depth == 0 and text[index:index + 2] in ("&&", "||"):
            operators.add(text[index:index + 2])
            places.append((begin, index))
            begin = index + 2
    places.append((begin, end))
    return (operators.pop() if len(operators) == 1 else None), places


def trimmed(text, start, end):
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())


def in_condition(source, text, start, end):
    if DECLARES.search(text[start:end]) or "?" in text[start:end]:
        return
    yield Site(start, end, f"(@ != !!({source[start:end]}))", "turned")
    operator, places = terms(text, start, end)
    for place in places if operator else []:
        a, b = trimmed(text, *place)
        left_out = f"(@ || ({source[a:b]}))" if operator == "&&" else f"(!@ && ({source[a:b]}))"
        yield Site(a, b, left_out, "term left out")
    for place in places if operator or len(places) == 1 else []:
        a, b = trimmed(text, *place)
        compared = COMPARISON.match(text[a:b])
        if compared and text[a:b].count("(") == text[a:b].count(")"):
            left, right = source[a:a + len(compared[1])], source[b - len(compared[3]):b]
            other = OTHER_BOUND[compared[2]]
            yield Site(a, b, f"(@ ? ({left}) {other} ({right}) : ({left}) {compared[2]} ({right}))", "bound moved")


def conditions(source, text):
    for match in CONDITION.finditer(text):
        end = closing(text, match.end() - 1)
        if end:
            yield from in_condition(source, text, match.end(), end)


def returned(source, text):
    for match in RETURNED.finditer(text):
        start, end = match.span(1)
        if match[1] in ("true", "false"):
            yield Site(start, end, f"(@ != {match[1]})", "turned")
        elif terms(text, start, end)[0]:
            yield from in_condition(source, text, start, end)


def by_one(text):
    for match in BY_ONE.finditer(text):
        yield Site(match.end(), match.end(), f" {match[1]} (@ ? 1 : 0)", "off by one")


def statements(source, text):
    depth, depths = 0, []
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        depths.append(depth)
    for match in STATEMENT.finditer(text):
        start, end = match.span(2)
        balanced = match[2].count("(") == match[2].count(")") and depths[start] - (text[start] == "(") == 0
        indented = match[1].endswith(("    ", "\t"))
        if balanced and indented and not NO_STATEMENT.match(match[2]):
            yield Site(start, end + 1, f"{{ if (!@) {{ {source[start:end]}; }} }}", "deleted")


def sites(source):
    """All of a file's, in the order of where they start."""
    text = blanked(source)
    found = [*conditions(source, text), *returned(source, text), *by_one(text), *statements(source, text)]
    return sorted(found, key=lambda site: (site.start, site.end, site.what))
