"""How values are shown, and that text from the chart stays text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from jinja2.sandbox import SecurityError
from markdown_it import MarkdownIt

from cds_service.card_templates import (
    WordFault,
    compiled,
    line_of,
    lines_of,
    summary_of,
    uses,
)
from cds_service.card_text import Rendered, clean, escaped, in_markdown, number_text
from cds_service.clinical.dates import FuzzyDate
from cds_service.clinical.facts import Quantity
from cds_service.knowledge.codes import Code
from cds_service.knowledge.numbers import Boundary, Number

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://e.example/x.png)",
    "http://e.example www.e.example a@e.example mailto:a@e.example",
    "WWW.E.EXAMPLE",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "2) item",
    "> quote",
    "===",
    "---",
    "`code` ```fence```",
    "*a* _b_ **c** ~~d~~",
    "a | b | c",
    "&lt;b&gt; &amp; &#60;",
    "\\* \\",
    "{{ 7 * 7 }} {% raw %}",
    "<!-- comment -->",
    "[a]: http://e.example",
)
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def plain(source: str) -> str:
    """The text a reader sees, if the Markdown is one paragraph of nothing but text."""
    opening, inline, closing = MARKDOWN.parse(source)
    assert (opening.type, inline.type, closing.type) == (
        "paragraph_open",
        "inline",
        "paragraph_close",
    )
    assert inline.children is not None
    assert {child.type for child in inline.children} <= {"text"}, source
    return "".join(child.content for child in inline.children)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(text: str) -> None:
    assert plain(escaped(text)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_makes_no_markup_inside_a_line(text: str) -> None:
    template = compiled("- {{ label }}: {{ label }}", ("label",))
    tokens = MARKDOWN.parse(line_of(template, {"label": text}))
    kinds = {token.type for token in tokens} | {c.type for t in tokens for c in t.children or ()}
    assert kinds <= {
        "bullet_list_open", "list_item_open", "paragraph_open", "inline", "text",
        "paragraph_close", "list_item_close", "bullet_list_close",
    }  # fmt: skip


@given(st.text(alphabet="<>[]()!*_`~|#+-=.:/@&\\;1aw \t\n\u202e\u200b\x00", max_size=60))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    line = clean(text, 200)
    if line:
        assert plain(escaped(line)) == line


@given(
    st.text(alphabet="<>[]()!*_`~|#+-=.:/@&\\;1aAwW,% \t\xe9", max_size=8) | st.text(max_size=300)
)
def test_plain_text_is_what_cleaning_and_escaping_leave_alone(text: str) -> None:
    for said in (text, text * 30, f"take {text} daily"):
        assert in_markdown(said) == escaped(clean(said, 200))


@given(st.text(max_size=300))
def test_cleaned_text_is_one_short_printable_line(text: str) -> None:
    line = clean(text, 80)
    assert len(line) <= 80
    assert line == line.strip()
    assert line.isprintable()


def test_bidirectional_and_control_characters_go() -> None:
    assert clean("a\u202egpj.exe\u2066b\u0000c\ue000d\ufeff", 80) == "agpj.exebcd"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(99, 2), "49.5"),
        (Decimal("49.95"), "49.95"),
        (Decimal("49.996"), "49.996"),
        (Decimal("49.9996"), "49.9996"),
        (Fraction(50) - Fraction(1, 10**9), "49.999999"),
        (Fraction(50) + Fraction(1, 10**9), "50.000001"),
        (Decimal("50.001"), "50.001"),
        (Decimal("33.7996"), "33.7996"),
        (Fraction(200, 3), "66.67"),
        (Decimal("-12.345"), "-12.34"),
        (Decimal("50.00"), "50"),
        (1200, "1200"),
        (0, "0"),
    ],
)
def test_numbers_never_round_onto_a_limit(value: Fraction | Decimal | int, shown: str) -> None:
    assert number_text(value) == shown


@given(st.fractions(min_value=0, max_value=1000), st.integers(0, 1000))
def test_a_shown_number_stays_on_its_side_of_every_whole_limit(exact: Fraction, limit: int) -> None:
    shown = Fraction(number_text(exact))
    assert (shown >= limit) == (exact >= limit)
    assert (shown > limit) == (exact > limit)


def test_every_kind_of_word_is_shown() -> None:
    words: dict[str, Any] = {
        "text": "a*b",
        "yes": True,
        "no": False,
        "number": Number(
            "n", Decimal("50.0"), "MME/day", Boundary.AT_OR_ABOVE, "s", "a", date(2022, 1, 1)
        ),
        "day": date(2026, 3, 1),
        "month": FuzzyDate(date(2026, 2, 1), date(2026, 2, 28)),
        "quantity": Quantity(Decimal("6.50"), "{score}"),
        "bare": Quantity(Decimal(6)),
        "code": Code("SNOMED", "1_2"),
        "several": ("a", 1, date(2026, 3, 1)),
        "ours": Rendered("**b**"),
    }
    template = compiled(" ".join(f"{{{{ {word} }}}}" for word in words), words)
    assert line_of(template, words) == (
        "a\\*b yes no 50 2026-03-01 2026-02 6.5 {score} 6 SNOMED#1\\_2 a, 1, 2026-03-01 **b**"
    )


@pytest.mark.parametrize("value", [None, object(), 1.5, {"a": 1}])
def test_what_has_no_text_is_a_fault(value: object) -> None:
    with pytest.raises(TypeError):
        compiled("{{ word }}", ("word",)).render({"word": value})


def test_a_word_the_rule_did_not_give_is_a_fault() -> None:
    with pytest.raises(UndefinedError):
        compiled("{{ word }}", ("word",)).render({})
    with pytest.raises(SecurityError):
        compiled("{{ (word if word else word).__class__ }}", ("word",)).render({"word": "a"})
    with pytest.raises(SecurityError):
        compiled("{{ (word if word else word).upper }}", ("word",)).render({"word": "a"})
    with pytest.raises(AttributeError):  # of a word that no kind was declared for
        one_by_one = "{% for each in (word if word else word) %}{{ each.name }}{% endfor %}"
        compiled(one_by_one, ("word",)).render({"word": (1,)})


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("{{ mme.perday }}", "unknown part perday in mme.perday"),
        ("{{ mme.per_day.real.foo }}", "unknown part foo in mme.per_day.real.foo"),
        (
            "{% for o in mme.orders %}{{ o.aritmetic }}{% endfor %}",
            "unknown part aritmetic in mme.orders.*.aritmetic",
        ),
        ("{% for o in mme.orders %}{% if o.x %}{% endif %}{% endfor %}", "mme.orders.*.x"),
        ("{% for o in limit %}{% else %}{{ mme.x }}{% endfor %}", "unknown part x in mme.x"),
        ("{% for o in limit %}{{ o.value }}{% endfor %}", "unknown part value in limit.*.value"),
        ("{% for o in mme.orders %}{{ loop.lasst }}{% endfor %}", "unknown part lasst in loop"),
        ("{{ limit.foo.bar }}", "unknown part foo in limit.foo.bar"),
        ("{{ limit.__class__ }}", "unknown part __class__"),
        ("{{ limit.class }}", "unknown part class in limit.class"),
        ("{{ response.latest.when.foo }}", "unknown part foo"),
    ],
)
def test_what_a_template_reads_of_a_word_is_known_at_the_start(source: str, what: str) -> None:
    with pytest.raises(WordFault) as caught:
        compiled(source, ("mme", "limit", "response"))
    assert what in caught.value.what


def test_a_template_may_read_what_its_words_have() -> None:
    compiled(
        "{% for o in mme.orders %}{{ o.mme }}{% if not loop.last %}, {% endif %}{% endfor %}"
        "{{ limit.value }}{{ response.latest.when.first.year }}{% for n in (limit if mme else mme) %}"
        "{{ n.anything }}{% endfor %}",
        ("mme", "limit", "response"),
    )


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("{{ other }}", "unknown word other"),
        ("{{ word|upper }}", "Filter"),
        ("{{ word() }}", "Call"),
        ("{{ word + 1 }}", "Add"),
        ("{% set x = 1 %}", "Assign"),
        ("{% include 'x' %}", "Include"),
        ("{% macro m() %}{% endmacro %}", "Macro"),
        ("{{ word is defined }}", "Test"),
        ("{% if word %}", "not a template"),
        ("\ue000", "private-use"),
        ("<b onclick=x>bold</b>", "HTML"),
        ("{{ word }} </b>", "HTML"),
        ("<!-- x -->", "HTML"),
        ("![x](http://example.org)", "image"),
    ],
)
def test_a_template_knows_if_for_and_its_words(source: str, what: str) -> None:
    with pytest.raises(WordFault, match=what):
        compiled(source, ("word",))


def test_lines_leave_empty_ones_out_and_keep_their_indent() -> None:
    template = compiled("{% for n in ns %}\n- {{ n }}\n\n  more\n{% endfor %}\n", ("ns",))
    assert lines_of(template, {"ns": (1, 2)}) == ("- 1", "  more", "- 2", "  more")


def test_a_smaller_sign_is_no_html() -> None:
    compiled("{% if word <word %}below < 5, <5{% endif %}", ("word",))


def test_uses_tells_whether_a_word_is_said() -> None:
    assert uses("{{ lines }}", "lines")
    assert not uses("lines", "lines")


def test_a_summary_of_our_own_words_stays_under_140() -> None:
    assert len(summary_of(compiled("x" * 139, (), summary=True), {})) == 139
    for source in ("x" * 140, "{{ dose }} " + "x" * 140 + "{% if dose %}y{% endif %}"):
        with pytest.raises(WordFault, match="140 characters"):
            compiled(source, ("dose",), summary=True)
        compiled(source, ("dose",))
    branch = compiled(
        "x" * 100 + "{% if dose %}" + "y" * 60 + "{% endif %}", ("dose",), summary=True
    )
    summary = summary_of(branch, {"dose": 1})
    assert (len(summary), summary[-1]) == (139, "…")


def test_chart_text_gives_way_before_the_number() -> None:
    words = {"label": "l" * 500, "other": "o" * 60, "dose": Decimal("63.75")}
    template = compiled("{{ label }} and {{ other }}: {{ dose }} MME/day", words, summary=True)
    summary = summary_of(template, words)
    assert len(summary) == 120
    assert summary.endswith(": 63.75 MME/day")


def test_a_decimal_number_is_no_list() -> None:
    assert escaped("33.3 mg x 2/day") == "33.3 mg x 2/day"
    assert escaped("33. mg") == "33\\. mg"


@given(st.text(max_size=200), st.lists(st.text(max_size=100), max_size=9))
def test_a_summary_is_one_short_plain_line_whatever_the_chart_says(
    label: str, several: list[str]
) -> None:
    template = compiled("Act\non {{ label }}: {{ several }}", ("label", "several"), summary=True)
    summary = summary_of(template, {"label": label, "several": tuple(several)})
    assert len(summary) < 140
    assert summary.isprintable()
    assert "<" not in summary


@given(st.text(alphabet="ab1.):/#+=-@<&wWmMailtoxp \n", max_size=12))
def test_text_that_is_not_searched_for_markup_holds_none(text: str) -> None:
    """What stands behind a text makes it searched, and changes nothing of it; the space between them
    leaves a number the end of its word, as it is alone.
    """
    assert escaped(text + " |") == escaped(text) + " \\|"
