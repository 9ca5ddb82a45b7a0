"""The story of an answer on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from cds_service.card_text import clean, number_text
from cds_service.clinical.mme import DailyMme, OrderMme
from cds_service.story import Data, Read, Ruling, Said, Shown, Story

_WIDTH_WHEN_PIPED = 120
_LONGEST = 400  # characters of one piece of text from the chart
_COLOURS = {"info": "cyan", "warning": "yellow", "critical": "bold red"}
_MARKS = {"met": ("✔", "green"), "unknown": ("?", "magenta")}
_HOW = {
    "prefetch": "sent in prefetch",
    "fetched": "fetched from the FHIR server",
    "empty": "known to be empty",
    "missing": "missing",
}


def print_story(told: Story, *, everything: bool = False, console: Console | None = None) -> None:
    """Print it part by part; what has nothing to say is left out."""
    page = console or Console(
        width=None if Console().is_terminal else _WIDTH_WHEN_PIPED, highlight=False
    )
    trace = told.answer.trace
    count = len(told.shown)
    cards = f"{count} card{'' if count == 1 else 's'}" if told.answer.status == 200 else "no advice"
    page.print(
        Line(
            f"{told.title} · {trace.hook} · {trace.as_of} · {told.answer.status}, {cards}",
            align="left",
        )
    )
    for part in _parts(told, everything):
        page.print(part)
    page.print()


def _parts(told: Story, everything: bool) -> Iterator[RenderableType]:
    yield from _who(told)
    if told.data:
        yield _heading("What was known")
        yield _known(told.data)
    yield from _troubles(told)
    if told.mme is not None and told.mme.seen:
        yield _heading("Opioids")
        yield from _opioids(told, told.mme)
    if told.rules:
        yield _heading("What each rule said")
        yield from _rules(told, everything)
    yield from _gaps(told)
    yield _heading("What is shown")
    yield from _cards(told)
    yield _closing(told)


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _said(text: str, style: str = "") -> Text:
    """Text that may come from the chart: one line, no control characters, no markup."""
    return Text(clean(text, _LONGEST), style=style)


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _who(told: Story) -> Iterator[RenderableType]:
    """Who asked about whom, and which knowledge answered."""
    grid, who, trace = _grid(), told.who, told.answer.trace
    if who is not None:
        age = f", {who.age} years" if who.age is not None else ", age not known"
        grid.add_row("patient", _said(f"{who.patient}{age}{', ' + who.sex if who.sex else ''}"))
        grid.add_row(
            "asked by", _said(who.user + (f", encounter {who.encounter}" if who.encounter else ""))
        )
        access = (
            f"{who.fhir_server}, {'with' if who.token else 'without'} a token"
            if who.fhir_server
            else "none"
        )
        grid.add_row("FHIR access", _said(access))
        grid.add_row("payers", _said(", ".join(told.payers) or "none recognised"))
    grid.add_row("knowledge", f"{trace.knowledge}, factors {trace.factors}")
    if trace.notes:
        grid.add_row("notes", _said("; ".join(trace.notes)))
    yield grid


def _known(data: tuple[Data, ...]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for name, right in (("data", False), ("key", False), ("how it came", False), ("facts", True)):
        table.add_column(name, justify="right" if right else "left")
    for each in data:
        how = _HOW.get(each.how, each.how)
        missing = bool(each.why)
        text = f"{how}: {each.why}" if each.why else how
        style = "magenta" if missing else "dim" if each.how == "empty" else ""
        table.add_row(
            each.words, Text(each.key, style="dim"), _said(text, style), str(each.facts or "")
        )
    return table


def _troubles(told: Story) -> Iterator[Text]:
    for ref, why in told.unread:
        yield _said(f"Could not be read: {ref}: {why}", "magenta")
    if told.dropped:
        yield Text(
            f"Left out because they belong to another patient: {told.dropped}", style="magenta"
        )


def _opioids(told: Story, mme: DailyMme) -> Iterator[RenderableType]:
    """Each order with its arithmetic, the total, and the course."""
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("order", overflow="fold")
    table.add_column("arithmetic", overflow="fold")
    table.add_column("MME/day", justify="right")
    for order in mme.orders:
        amount = number_text(order.per_day) if order.counted and order.per_day is not None else "–"
        table.add_row(
            _said(order.label + (" (being signed)" if order.draft else "")), _sum(order), amount
        )
    bound = "at least " if mme.is_lower_bound else ""
    total = Text(f"{bound}{number_text(mme.per_day)}", style="bold")
    table.add_row(Text("total", style="bold"), Text(f"factors {mme.factors}", style="dim"), total)
    yield table
    if mme.without_drafts != mme.per_day:
        yield Text(f"Without what is being signed: {number_text(mme.without_drafts)} MME/day")
    if mme.duplicates:
        yield _said(f"Possible duplicates: {', '.join(mme.duplicates)}", "yellow")
    if (course := told.course) is not None:
        then = (
            f", {course.projected_days} with these orders"
            if course.projected_days > course.days
            else ""
        )
        yield Text(f"Course since {course.start}: {course.days} days{then}, {course.phase}")


def _sum(order: OrderMme) -> Text:
    if not order.counted:
        return _said(f"not counted: {order.why}", "magenta")
    notes = f" ({'; '.join(order.notes)})" if order.notes else ""
    return _said(f"{order.arithmetic}{notes}")


def _rules(told: Story, everything: bool) -> Iterator[RenderableType]:
    """Rules that said something or failed in full, the silent ones in a line unless all are
    wanted.
    """
    if told.emergency:
        yield Text("An emergency red flag is met: routine advice is kept back.", style="bold red")
    silent: list[Ruling] = []
    for rule in told.rules:
        if everything or rule.said or rule.failed:
            yield _rule(rule, everything)
        else:
            silent.append(rule)
    for why, applies in (
        ("Did not apply", False),
        ("Looked and found nothing", True),
        ("Could not tell", None),
    ):
        names = [rule.card for rule in silent if rule.applies is applies]
        if names:
            yield Text(f"{why}: {', '.join(names)}", style="dim")


def _rule(rule: Ruling, everything: bool) -> RenderableType:
    head = Text(rule.card, style="bold")
    head.append(f"  {rule.title}", style="dim")
    applies = {True: "applies", False: "does not apply", None: "cannot tell whether it applies"}[
        rule.applies
    ]
    head.append(f"  {applies} → {rule.stands}  {rule.microseconds / 1000:.2f} ms", style="dim")
    lines: list[RenderableType] = (
        [_said(f"could not run: {rule.failed}", "magenta")] if rule.failed else []
    )
    lines += [line for said in rule.said for line in _criterion(said)]
    lines += [_number(read) for read in rule.read if everything or not read.shared]
    return Group(head, *(Padding(line, (0, 0, 0, 2)) for line in lines))


def _criterion(said: Said) -> Iterator[Text]:
    mark, colour = _MARKS.get(said.status, ("·", "dim"))
    line = Text(f"{mark} {said.name} ", style=colour)
    if said.status == "met":
        line.append(said.indicator, style=_COLOURS.get(said.indicator, ""))
    else:
        line.append(
            "not known" + (f" for want of {', '.join(said.missing)}" if said.missing else "")
        )
    if said.kept_back:
        line.append(f", kept back: {said.kept_back}", style="dim")
    yield line
    if said.values:
        yield Text("  ") + _said(
            " · ".join(f"{word} = {value}" for word, value in said.values.items())
        )
    if said.because:
        yield Text("  ") + _said("because of " + ", ".join(said.because), "dim")


def _number(read: Read) -> Text:
    line = Text(f"# {read.name} ", style="blue")
    line.append(f"{read.boundary} {read.value} {read.unit}", style="")
    line.append(f" since {read.since} ({read.source})", style="dim")
    if read.payer:
        line.append(f", set by {read.payer}", style="yellow")
    return line


def _gaps(told: Story) -> Iterator[RenderableType]:
    if told.not_evaluated:
        yield _heading("Not checked")
        for criterion, why, serious in told.not_evaluated:
            yield _said(
                f"{criterion}: {why}" + (" (could have warned)" if serious else ""), "magenta"
            )


def _cards(told: Story) -> Iterator[RenderableType]:
    if told.answer.status != 200:
        issue = told.answer.body["issue"][0]
        yield _said(
            str(issue.get("details", {}).get("text", issue.get("diagnostics", ""))), "bold red"
        )
    elif not told.shown:
        yield Text("Nothing.", style="dim")
    for card in told.shown:
        yield _card(card)


def _card(card: Shown) -> Panel:
    grid = _grid()
    if card.from_cards and card.from_cards != (card.card,):
        grid.add_row("gathers", ", ".join(card.from_cards))
    for button in card.buttons:
        grid.add_row("button", _said(button))
    if card.url:
        grid.add_row("source", _said(card.url))
    colour = _COLOURS.get(card.indicator, "")
    title = Text(f"{card.indicator} · {card.card}", style=colour)
    return Panel(
        Group(_said(card.summary, "bold"), grid),
        title=title,
        title_align="left",
        border_style=colour,
    )


def _closing(told: Story) -> Text:
    times = ", ".join(
        f"{name} {spent / 1000:.1f} ms" for name, spent in told.answer.trace.microseconds.items()
    )
    sound = (
        "Everything that could warn was checked."
        if told.sound
        else "Not everything could be checked."
    )
    return Text(f"{sound} {times}", style="dim")
