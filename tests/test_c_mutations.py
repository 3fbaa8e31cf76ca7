"""Mistakes are made in code only, each in one place, and the same each time."""

import pytest
from c_mutations import Mutation, Operator, drawn, mutated, mutations

from jobtck.conformance.errors import BackendFailure

PLACES = b"""
#define LIMIT(x) if ((x) < 3) return 7
#if VERSION > 9000
# include "limits.h"
#endif
/* if (a < 3) return 7; */
// goto out;
enum { ONE = 1, TWO = 2 };
static const int table[12] = { 1 };
static int begin(struct job *job, int limit)
{
    const char *text = "if (a < 3) goto out;";
#ifdef DEBUG
    note("%d", 'x');
#endif
    VIR_DEBUG("limit=%d", limit);
    switch (limit) {
    case 5:
        break;
    }
    if (job->limit < limit && job->live) /* limit > 1 */
        goto out;
    return 0;
 out:
    return -1;
}
"""


def found(text: str, operator: Operator) -> list[tuple[str, str]]:
    """What is changed into what, of one sort."""
    return [(each.was, each.now) for each in mutations("file.c", text.encode()) if each.operator is operator]


@pytest.mark.parametrize(
    ("text", "operator", "expected"),
    [
        ("void f(void) { if (a) g(); }", Operator.NEGATED, [("(a)", "(!(a))")]),
        ("void f(void) { while (a) g(); }", Operator.NEGATED, [("(a)", "(!(a))")]),
        ("void f(void) { do g(); while (a); }", Operator.NEGATED, [("(a)", "(!(a))")]),
        ("void f(void) { for (;a;) g(); }", Operator.NEGATED, [("a", "!(a)")]),
        ("void f(void) { h(a ? b : c); }", Operator.NEGATED, [("a", "!(a)")]),
        ("void f(void) { if (a && b) g(); }", Operator.HALF, [("a && b", "a"), ("a && b", "b")]),
        ("bool f(void) { return a || b; }", Operator.HALF, [("a || b", "a"), ("a || b", "b")]),
        ("void f(void) { g(1); }", Operator.CALL_OUT, [("g(1);", ";")]),
        ("void f(void) { VIR_DEBUG(1); }", Operator.CALL_OUT, []),
        ("void f(void) { goto end; end: g(); }", Operator.GOTO_OUT, [("goto end;", ";")]),
        ("void f(void) { a = 1; b->c |= d; }", Operator.ASSIGNMENT_OUT, [("a = 1;", ";"), ("b->c |= d;", ";")]),
        ("void f(void) { int a = 1; }", Operator.ASSIGNMENT_OUT, []),
        (
            "void f(void) { a = 0; b = 1; c = 0x1fUL; }",
            Operator.CONSTANT,
            [("0", "1"), ("1", "0"), ("0x1fUL", "0x20UL")],
        ),
        ("void f(void) { a = 2.5; d = 010; }", Operator.CONSTANT, [("010", "011")]),
        ("void f(void) { char a[12]; switch (b) { case 5: g(); } }", Operator.CONSTANT, []),
        ("void f(void) { h(a < b); h(a >= b); h(a == b); }", Operator.OFF_BY_ONE, [("<", "<="), (">=", ">")]),
        ("int f(void) { return -1; }", Operator.RETURN, [("return -1;", "return 0;")]),
        ("int f(void) { return 0; }", Operator.RETURN, [("return 0;", "return -1;")]),
        ("int f(void) { return a; }", Operator.RETURN, [("return a;", "return -1;"), ("return a;", "return 0;")]),
        ("bool f(void) { return a; }", Operator.RETURN, [("return a;", "return !(a);")]),
        ("char *f(void) { return a; }", Operator.RETURN, [("return a;", "return NULL;")]),
        ("void f(void) { return; }", Operator.RETURN, []),
        ("bool f(void) { return true; }", Operator.BOOLEAN, [("true", "false")]),
        ("void f(void) { a = false; }", Operator.BOOLEAN, [("false", "true")]),
    ],
)
def test_each_mistake_is_made_where_it_can_be(text: str, operator: Operator, expected: list[tuple[str, str]]) -> None:
    assert found(text, operator) == expected


def test_comments_texts_directives_and_declarations_are_left_alone() -> None:
    touched = {PLACES.decode().splitlines()[each.line - 1].strip() for each in mutations("file.c", PLACES)}
    assert touched == {
        "note(\"%d\", 'x');",
        "if (job->limit < limit && job->live) /* limit > 1 */",
        "goto out;",
        "return 0;",
        "return -1;",
    }


def test_a_mutated_text_differs_in_that_one_place() -> None:
    for each in mutations("file.c", PLACES):
        text = mutated(PLACES, each)
        assert text != PLACES
        assert text[: each.start] == PLACES[: each.start]
        assert text[each.start :].startswith(each.now.encode())
        assert text[each.start + len(each.now) :] == PLACES[each.end :]
        assert each.was.encode() == PLACES.split(b"\n")[each.line - 1][each.column - 1 :][: len(each.was)]


def test_a_mutation_says_the_function_and_the_statement_that_it_is_in() -> None:
    half = next(each for each in mutations("file.c", PLACES) if each.operator is Operator.HALF)
    assert half.function == "begin"
    assert half.place == f"file.c:{half.line}:9"
    text = b"int f(void)\n{\n    if (a &&\n        b < 1)\n        return 0;\n}\n"
    late = next(each for each in mutations("file.c", text) if each.operator is Operator.OFF_BY_ONE)
    assert (late.line, late.statement) == (4, 3)


def places(order: list[Mutation]) -> list[str]:
    return [f"{each.line} {each.operator}" for each in order]


def test_the_seed_decides_the_draw_and_nothing_else_does() -> None:
    every = mutations("file.c", PLACES)
    first = drawn(every, 1)
    assert sorted(first) == sorted(every)
    assert drawn(reversed(every), 1) == first
    assert drawn(every, 2) != first
    assert places(first)[:3] == ["14 call left out", "21 half of a condition", "23 return value"]
    rest = [each for each in first if each.operator is not Operator.HALF]
    assert drawn(rest, 1) == rest  # what is not drawn from any more leaves the others in order


def test_a_mutation_of_another_source_is_refused() -> None:
    mutation = mutations("file.c", PLACES)[0]
    with pytest.raises(BackendFailure, match="source of another version"):
        mutated(b"\n" + PLACES, mutation)
