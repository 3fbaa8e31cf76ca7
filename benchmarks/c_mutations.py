"""Small mistakes in C source: each changes one place, and the same text gives the same list."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import tree_sitter_c
from tree_sitter import Language, Node, Parser

from jobtck.conformance.errors import BackendFailure


class Operator(StrEnum):
    """What sort of mistake it is."""

    NEGATED = "condition negated"
    HALF = "half of a condition"
    CALL_OUT = "call left out"
    GOTO_OUT = "goto left out"
    ASSIGNMENT_OUT = "assignment left out"
    CONSTANT = "constant changed"
    OFF_BY_ONE = "off by one"
    RETURN = "return value"
    BOOLEAN = "true and false exchanged"


@dataclass(frozen=True, slots=True, order=True)
class Mutation:
    """One change: the bytes from `start` to `end` of a file, `was`, become `now`.

    Lines and columns count from 1. `statement` is the line on which the statement around it begins.
    """

    file: str
    line: int
    column: int
    operator: Operator
    now: str
    was: str
    start: int
    end: int
    statement: int
    function: str

    @property
    def place(self) -> str:
        """Where it is, as a compiler says it."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class _Around:
    """The statement and the function that a node is in."""

    statement: int = 0
    function: str = ""
    returns: str = ""  # the type, as it is written, with a star for a pointer


# What is written to a log is no part of what a caller can see.
LOGGING = frozenset({"VIR_DEBUG", "VIR_INFO", "VIR_WARN", "VIR_ERROR", "PROBE"})
OFF_BY_ONE: Mapping[str, str] = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
CONDITIONAL = frozenset({"if_statement", "while_statement", "do_statement", "for_statement", "conditional_expression"})
DIRECTIVES = frozenset({"preproc_def", "preproc_function_def", "preproc_call", "preproc_include"})
TEXTS = frozenset({"comment", "string_literal", "concatenated_string", "char_literal", "system_lib_string"})
# What only the compiler looks at: mutated, it is refused, or is no mistake.
DECLARED = frozenset({"enumerator", "bitfield_clause", "attribute_specifier"})
NEVER_MUTATED = DIRECTIVES | TEXTS | DECLARED | {"ERROR"}
# Fields of a node that are part of a directive, a label or a declaration, while the rest of it is code.
FIELDS_LEFT_OUT: Mapping[str, str] = {
    "preproc_if": "condition",
    "preproc_elif": "condition",
    "preproc_ifdef": "name",
    "preproc_elifdef": "name",
    "case_statement": "value",
    "array_declarator": "size",
}
INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)")
SUCCEEDED_OR_FAILED = ("0", "-1")  # what functions of type int return here
LANGUAGE = Language(tree_sitter_c.language())


def mutations(file: str, text: bytes) -> list[Mutation]:
    """Every change of that text, in the order of the text; *file* is its name."""
    found = (
        Mutation(
            file=file,
            line=node.start_point.row + 1,
            column=node.start_point.column + 1,
            operator=operator,
            now=now,
            was=_text(node),
            start=node.start_byte,
            end=node.end_byte,
            statement=around.statement,
            function=around.function,
        )
        for node, around in _nodes(Parser(LANGUAGE).parse(text).root_node)
        if around.function
        for operator, now in _changes(node, around)
    )
    return sorted(found)


def drawn(found: Iterable[Mutation], seed: int) -> list[Mutation]:
    """The mutations in an order that the seed decides; what is left out of them leaves the rest in order."""

    def lot(each: Mutation) -> bytes:
        return hashlib.sha256(f"{seed} {each.place} {each.operator} {each.now}".encode()).digest()

    return sorted(found, key=lot)


def mutated(text: bytes, mutation: Mutation) -> bytes:
    """The text with that change; `BackendFailure` if it is not the text that the mutation was found in."""
    if text[mutation.start : mutation.end] != mutation.was.encode():
        raise BackendFailure(f"{mutation.place} does not read {mutation.was!r}: it is the source of another version")
    return text[: mutation.start] + mutation.now.encode() + text[mutation.end :]


def _nodes(root: Node) -> Iterator[tuple[Node, _Around]]:
    """Every node of code, with what is around it."""
    waiting = [(root, _Around())]
    while waiting:
        node, around = waiting.pop()
        if node.type in NEVER_MUTATED:
            continue
        if node.type == "function_definition":
            around = _function(node)
        elif node.type.endswith("_statement") or node.type == "declaration":
            around = _Around(node.start_point.row + 1, around.function, around.returns)
        yield node, around
        left_out = node.child_by_field_name(FIELDS_LEFT_OUT.get(node.type, ""))
        waiting += [(child, around) for child in node.children if child != left_out]


def _function(node: Node) -> _Around:
    """What is around the nodes of a function."""
    of_type, declarator = node.child_by_field_name("type"), node.child_by_field_name("declarator")
    returns = "" if of_type is None else _text(of_type)
    while declarator is not None and declarator.type != "identifier":
        returns += "*" if declarator.type == "pointer_declarator" else ""
        declarator = declarator.child_by_field_name("declarator")
    return _Around(0, "" if declarator is None else _text(declarator), returns)


def _changes(node: Node, around: _Around) -> Iterator[tuple[Operator, str]]:
    """What the node may become."""
    if (parent := node.parent) is not None and parent.type in CONDITIONAL:
        yield from _negated(node, parent)
    if (changes := CHANGES.get(node.type)) is not None:
        yield from changes(node, around)


def _negated(node: Node, parent: Node) -> Iterator[tuple[Operator, str]]:
    if node == parent.child_by_field_name("condition"):
        text = _text(node)
        yield Operator.NEGATED, f"(!{text})" if node.type == "parenthesized_expression" else f"!({text})"


def _of_binary(node: Node, _: _Around) -> Iterator[tuple[Operator, str]]:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = node.child_by_field_name("operator")
    if left is None or right is None or operator is None:
        return
    if operator.type in ("&&", "||"):
        yield Operator.HALF, _text(left)
        yield Operator.HALF, _text(right)


def _of_comparison(node: Node, _: _Around) -> Iterator[tuple[Operator, str]]:
    """A sign of comparison is a node of its own; `<` may also be a part of something else."""
    if node.parent is not None and node.parent.type == "binary_expression":
        yield Operator.OFF_BY_ONE, OFF_BY_ONE[node.type]


def _of_expression(node: Node, _: _Around) -> Iterator[tuple[Operator, str]]:
    expression = node.named_children[0] if node.named_children else None
    if expression is None:
        return
    if expression.type == "assignment_expression":
        yield Operator.ASSIGNMENT_OUT, ";"
    elif expression.type == "call_expression":
        called = expression.child_by_field_name("function")
        if called is None or _text(called) not in LOGGING:
            yield Operator.CALL_OUT, ";"


def _of_goto(_: Node, __: _Around) -> Iterator[tuple[Operator, str]]:
    yield Operator.GOTO_OUT, ";"


def _of_number(node: Node, _: _Around) -> Iterator[tuple[Operator, str]]:
    """One more, and of 1 it is 0."""
    match = INTEGER.fullmatch(_text(node))
    if match is None or _is_returned(node):
        return
    base = 16 if match[1][:2].lower() == "0x" else 8 if len(match[1]) > 1 and match[1][0] == "0" else 10
    number = int(match[1], base)
    changed = 0 if number == 1 else number + 1
    form = {16: "{:#x}", 8: "0{:o}", 10: "{}"}[base]
    yield Operator.CONSTANT, form.format(changed) + match[2]


def _is_returned(node: Node) -> bool:
    """The node, with the sign before it, is what a function returns."""
    parent = node.parent
    if parent is not None and parent.type == "unary_expression":
        parent = parent.parent
    return parent is not None and parent.type == "return_statement"


def _of_boolean(node: Node, _: _Around) -> Iterator[tuple[Operator, str]]:
    yield Operator.BOOLEAN, {"true": "false", "false": "true"}[_text(node)]


def _of_return(node: Node, around: _Around) -> Iterator[tuple[Operator, str]]:
    """Success for failure and the reverse, nothing for something, the reverse of a truth."""
    value = node.named_children[0] if node.named_children else None
    if value is None or value.type in ("true", "false", "null"):
        return
    text = _text(value)
    if around.returns.endswith("*"):
        others: tuple[str, ...] = ("NULL",)
    elif around.returns == "bool":
        others = (f"!({text})",)
    elif around.returns == "int":
        others = tuple(each for each in SUCCEEDED_OR_FAILED if each != text)
        others = others[:1] if INTEGER.fullmatch(text.lstrip("-")) else others
    else:
        others = ()
    yield from ((Operator.RETURN, f"return {other};") for other in others)


def _text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()


CHANGES: Mapping[str, Callable[[Node, _Around], Iterator[tuple[Operator, str]]]] = {
    "binary_expression": _of_binary,
    **dict.fromkeys(OFF_BY_ONE, _of_comparison),
    "expression_statement": _of_expression,
    "goto_statement": _of_goto,
    "number_literal": _of_number,
    "true": _of_boolean,
    "false": _of_boolean,
    "return_statement": _of_return,
}
