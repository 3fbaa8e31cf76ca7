"""What became of libvirt's mutants, as a table and as a picture."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import takewhile
from math import ceil

from mutant_record import End, Judged, Key, Sort, Sorted, key_of, stale
from reached_lines import Reached

QUICK, DEFAULT = "quick", "default"
NOT_SORTED = "not sorted yet"
SHOWN_MAX = 70  # characters of what was mutated
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 360, 44, 40, 34, 20
TICKS, TICK_SECONDS = 6, 10  # of seconds, a tick is a multiple of so many
WITHIN_SECONDS = (30, 60, 120, 240)
CURVES = ((DEFAULT, "#0969da", "noticed by the quick run or the default run"), (QUICK, "#bf3989", "by the quick run"))
STYLE = (
    "text{font:12px sans-serif;fill:#1b1f24}rect{fill:#fff}"
    "@media (prefers-color-scheme:dark){text:not([style]){fill:#e6edf3}rect{fill:#0d1117}}"
)


def table(lines: Sequence[Judged], reached: Reached, entries: Mapping[Key, Sorted]) -> Iterator[str]:
    """Everything that the record tells, in a few lines each."""
    mutants = [each for each in lines if each.mutation is not None]
    dates = sorted({each.date[:10] for each in lines})
    when = " to ".join(dict.fromkeys((*dates[:1], *dates[-1:]))) or "nothing judged"
    yield f"libvirt {reached.version}, source {reached.source}, kit {reached.kit}, {when}"
    yield ""
    yield from _coverage(reached)
    yield ""
    yield from _ends(mutants, reached, entries)
    yield from _controls([each for each in lines if each.mutation is None])
    yield ""
    yield from _killers(mutants)
    yield ""
    yield from _operators(mutants)
    yield ""
    yield from _survivors(mutants, entries)
    yield from (
        f"sorted as a survivor, and did not survive: {each.file}:{each.line}:{each.column}"
        for each in stale(entries, lines)
    )


def rate_text(part: int, whole: int) -> str:
    """So many of so many, and as a percentage."""
    return f"{part} of {whole} ({part / whole:.0%})" if whole else f"{part} of {whole}"


def _coverage(reached: Reached) -> Iterator[str]:
    yield f"{'lines that are reached':28} {'quick':>18} {'quick or default':>18}"
    for file, code, quick, either in reached.told():
        yield f"{file:28} {rate_text(quick, code):>18} {rate_text(either, code):>18}"


def _ends(mutants: Sequence[Judged], reached: Reached, entries: Mapping[Key, Sorted]) -> Iterator[str]:
    seeds = ", ".join(str(seed) for seed in sorted({each.seed for each in mutants}))
    yield f"{len(mutants)} mutants judged, drawn by seed {seeds} from {reached.mutations:,} on lines that are reached"
    for (end, by), count in Counter((each.end, each.by) for each in mutants).most_common():
        yield f"{count:5} {end}{f', in the {by} run' if by and end is not End.SURVIVED else ''}"
    compiled = [each for each in mutants if each.end is not End.NOT_COMPILED]
    counted = [each for each in compiled if sort_of(each, entries) is not Sort.EQUIVALENT]
    noticed = [each for each in counted if each.is_noticed]
    named = [each for each in noticed if each.requirements]
    quick = [each for each in noticed if each.by == QUICK]
    yield f"of those that compile and are not equivalent: noticed {rate_text(len(noticed), len(counted))},"
    yield f"  by the quick run {rate_text(len(quick), len(counted))};"
    yield f"  a requirement was named for {rate_text(len(named), len(counted))}"
    within = (f"{sum(each.seconds <= most for each in noticed)} within {most} s" for most in WITHIN_SECONDS)
    yield f"  {', '.join(within)}, from the start of the first run"


def _controls(controls: Sequence[Judged]) -> Iterator[str]:
    quiet = sum(each.end is End.SURVIVED for each in controls)
    yield f"the unchanged source, judged as if it were a mutant: nothing noticed in {quiet} of {len(controls)}"
    for each in controls:
        if each.end is not End.SURVIVED:
            yield f"  {each.end}, in the {each.by} run: {'; '.join(each.told)[:SHOWN_MAX]}"


def _killers(mutants: Sequence[Judged]) -> Iterator[str]:
    """Each requirement with the mutants that it was named for; one may be named for several."""
    noticed = [each for each in mutants if each.is_noticed]
    names = Counter(name for each in noticed for name in each.requirements or (f"none ({each.end})",))
    alone = Counter(each.requirements[0] for each in noticed if len(each.requirements) == 1)
    yield f"{'named':24} {'mutants':>8} {'it alone':>9}"
    for name, count in sorted(names.items(), key=lambda each: (-each[1], each[0])):
        yield f"{name:24} {count:8} {alone[name]:9}"


def _operators(mutants: Sequence[Judged]) -> Iterator[str]:
    compiled = [each for each in mutants if each.mutation is not None and each.end is not End.NOT_COMPILED]
    counts = Counter(each.mutation.operator for each in compiled if each.mutation)
    noticed = Counter(each.mutation.operator for each in compiled if each.mutation and each.is_noticed)
    yield f"{'mistake':28} {'noticed':>18}"
    for operator, count in counts.most_common():
        yield f"{operator:28} {rate_text(noticed[operator], count):>18}"


def _survivors(mutants: Sequence[Judged], entries: Mapping[Key, Sorted]) -> Iterator[str]:
    survivors = [each for each in mutants if each.end is End.SURVIVED]
    sorts = Counter(str(sort_of(each, entries) or NOT_SORTED) for each in survivors)
    told = ", ".join(f"{count} {sort}" for sort, count in sorts.most_common())
    yield f"survivors: {len(survivors)}{f' ({told})' if told else ''}"
    for each in survivors:
        assert each.mutation is not None
        what = f"{each.mutation.place} in {each.mutation.function}, {each.mutation.operator}"
        yield f"  {what}: {' -> '.join(shown(each.mutation.was, each.mutation.now))}"
        entry = entries.get(key_of(each.mutation))
        yield f"    {NOT_SORTED if entry is None else f'{entry.sort}: {entry.why}'}"


def shown(was: str, now: str) -> tuple[str, str]:
    """Both on one line each, without the long beginning that they share."""
    before, after = (" ".join(text.split()) for text in (was, now))
    alike = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))) - SHOWN_MAX // 2
    if alike > 0:
        before, after = (f"…{text[alike:]}" for text in (before, after))
    return before[:SHOWN_MAX], after[:SHOWN_MAX]


def sort_of(judged: Judged, entries: Mapping[Key, Sorted]) -> Sort | None:
    """What was found out about a survivor; None of what is not sorted, or was noticed."""
    entry = entries.get(key_of(judged.mutation)) if judged.mutation and not judged.is_noticed else None
    return None if entry is None else entry.sort


# -- the picture ------------------------------------------------------------------------------------------------------


def plot(lines: Sequence[Judged]) -> str:
    """How many mutants were noticed within how many seconds of judging, out of all that compile."""
    compiled = [each for each in lines if each.mutation is not None and each.end is not End.NOT_COMPILED]
    noticed = [each for each in compiled if each.is_noticed]
    longest = max((each.seconds for each in noticed), default=1.0)
    seconds_max = ceil(longest / TICK_SECONDS / (TICKS - 1)) * TICK_SECONDS * (TICKS - 1)
    count_max = max(len(compiled), 1)

    def x(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / seconds_max

    def y(count: int) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * count / count_max

    parts = [_label(LEFT, 16, f"mutants of libvirt that were noticed, of {len(compiled)}")]
    for tick in range(TICKS):
        seconds, count = seconds_max * tick / (TICKS - 1), round(count_max * tick / (TICKS - 1))
        parts.append(_label(x(seconds), HEIGHT - BOTTOM + 16, f"{seconds:.0f} s", "middle"))
        parts.append(_label(LEFT - 6, y(count) + 4, str(count), "end"))
        parts.append(f'<path d="M{LEFT} {y(count):.1f}H{WIDTH - RIGHT}" stroke="#8884"/>')
    for place, (by, colour, words) in enumerate(CURVES):
        times = sorted(each.seconds for each in noticed if by in (DEFAULT, each.by))
        steps = "".join(f"H{x(time):.1f}V{y(count):.1f}" for count, time in enumerate(times, start=1))
        parts.append(
            f'<path d="M{LEFT} {y(0):.1f}{steps}H{WIDTH - RIGHT}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        legend = f'x="{LEFT + 330 * place}" y="{HEIGHT - 6}" style="fill:{colour}"'
        parts.append(f"<text {legend}>{escape(f'{len(times)} {words}')}</text>")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f"<style>{STYLE}</style><rect width='{WIDTH}' height='{HEIGHT}'/>{''.join(parts)}</svg>\n"
    )


def _label(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
