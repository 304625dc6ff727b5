"""A review as a value, and as Markdown and HTML."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One answer: `value` is None where nothing tells, and `note` then says what would."""

    question: str
    value: str | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Answers that belong together."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Review:
    """A review: `period` says of when it is."""

    title: str
    period: str
    sections: tuple[Section, ...]


_HTML = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{{ review.title }}</title>
<style>
 body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
 table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; }
 th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ddd; }
 th { font-weight: 600; width: 30%; } td.note { color: #555; width: 40%; } td.unknown { color: #a33; }
</style>
<h1>{{ review.title }}</h1>
<p>{{ review.period }}</p>
{% for section in review.sections %}
<h2>{{ section.title }}</h2>
<table>
{% for line in section.lines %}
<tr><th scope="row">{{ line.question }}</th>
<td{% if line.value is none %} class="unknown"{% endif %}>{{ unknown if line.value is none else line.value }}</td>
<td class="note">{{ line.note }}</td></tr>
{% endfor %}
</table>
{% endfor %}
</html>
"""
_HTML_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_HTML)


def as_html(review: Review) -> str:
    """Return the review as a page of its own, without anything from outside."""
    return _HTML_PAGE.render(review=review, unknown=UNKNOWN) + "\n"


def as_markdown(review: Review) -> str:
    """Return the review as Markdown."""
    lines = [f"# {review.title}", "", review.period, ""]
    for section in review.sections:
        lines += [f"## {section.title}", "", "| | | |", "| --- | --- | --- |"]
        for line in section.lines:
            cells = (line.question, UNKNOWN if line.value is None else line.value, line.note)
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        lines.append("")
    return "\n".join(lines)
