"""An adapter that greets well and then does one thing wrong: `bad_adapter.py FAULT [FILE for pids [GREETING]]`."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

CAPABILITIES = {
    "calls": ["backup_begin", "backup_get_xml_desc", "get_job_info", "list_all_jobs", "take_events", "inspect"],
    "disks": ["vda", "vdb"],
}
GREETING = {
    "protocol": "jobtck-adapter/1",
    "name": "bad",
    "design": "listed-ids",
    "capabilities": CAPABILITIES,
}
FOREVER = 3600.0
FLOOD = 1 << 20


def say(text: str | bytes) -> None:
    data = text.encode() if isinstance(text, str) else text
    while data:
        data = data[os.write(1, data) :]


def answer(id: int, result: object) -> None:
    say(json.dumps({"jsonrpc": "2.0", "id": id, "result": result}) + "\n")


def note_pid() -> None:
    if len(sys.argv) > 2:
        with Path(sys.argv[2]).open("a", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")


def hang() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(FOREVER)


def child_that_stays(*, in_a_session_of_its_own: bool) -> None:
    ready, told = os.pipe()
    if os.fork():
        os.read(ready, 1)
        return
    if in_a_session_of_its_own:
        os.setsid()
    note_pid()
    os.write(told, b"x")
    hang()


TOLD = {  # what is answered, word for word, with the id of the request for %d
    "no JSON": "tonight we \x1b[31mdeploy\n",
    "an empty line": "\n",
    "a list": "[1, 2]\n",
    "no JSON-RPC": '{"id": %d, "result": {"outcome": "job_info", "type": null}}\n',
    "no id": '{"jsonrpc": "2.0", "result": {"outcome": "job_info", "type": null}}\n',
    "true for an id": '{"jsonrpc": "2.0", "id": true, "result": {}}\n',
    "another id": '{"jsonrpc": "2.0", "id": 999, "result": {}}\n',
    "result and error": '{"jsonrpc": "2.0", "id": %d, "result": {}, "error": {}}\n',
    "neither result nor error": '{"jsonrpc": "2.0", "id": %d}\n',
    "a result that is no object": '{"jsonrpc": "2.0", "id": %d, "result": 7}\n',
    "another outcome": '{"jsonrpc": "2.0", "id": %d, "result": {"outcome": "id", "id": 1}}\n',
    "an unknown outcome": '{"jsonrpc": "2.0", "id": %d, "result": {"outcome": "fine"}}\n',
    "an unknown member": '{"jsonrpc": "2.0", "id": %d, "result": {"outcome": "job_info", "type": null, "mood": 1}}\n',
    "a missing member": '{"jsonrpc": "2.0", "id": %d, "result": {"outcome": "job_info"}}\n',
    "an unknown kind": '{"jsonrpc": "2.0", "id": %d, "result": {"outcome": "refusal", "kind": "sulking"}}\n',
    "a number too large": '{"jsonrpc": "2.0", "id": %d, "result": '
    '{"outcome": "job_info", "type": null, "done": 1e999}}\n',
    "NaN": '{"jsonrpc": "2.0", "id": %d, "result": {"outcome": "id", "id": NaN}}\n',
    "digits without end": '{"jsonrpc": "2.0", "id": 1' + "0" * 5000 + "}\n",
    "deep": "[" * 100_000 + "\n",
    "an error": '{"jsonrpc": "2.0", "id": %d, "error": {"code": -32000, "message": "qemu-img is missing"}}\n',
    "an error without a code": '{"jsonrpc": "2.0", "id": %d, "error": {"message": "?"}}\n',
}


ENDS: dict[str, Callable[[], object]] = {  # what it does before it ends
    "exits": lambda: os.write(2, b"out of \x1b[1mcheese\n"),
    "dies": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "dies in a line": lambda: say('{"jsonrpc": "2.0",'),
    "leaves a child": lambda: child_that_stays(in_a_session_of_its_own=False),
    "leaves a child in a session of its own": lambda: child_that_stays(in_a_session_of_its_own=True),
}


def misbehave(fault: str, id: int) -> None:
    """Does what is wrong in the place of an answer to get_job_info."""
    if fault in TOLD:
        say(TOLD[fault].replace("%d", str(id)))
        return
    if fault in ENDS:
        ENDS[fault]()
        sys.exit(3)
    good = {"outcome": "job_info", "type": None}
    match fault:
        case "hangs":
            if len(sys.argv) > 2:
                Path(f"{sys.argv[2]}.hangs").touch()
            hang()
        case "answers twice":
            answer(id, good)
            answer(id, good)
        case "no UTF-8":
            say(b'{"jsonrpc": "2.0", "id": 1, "result": "\xff\xfe"}\n')
        case "babbles":
            while True:
                say("la " * 20_000)
        case "floods stderr":
            os.write(2, b"la la\n" * (FLOOD // 6))
            answer(id, good)
        case "closes its output":
            os.close(1)
            hang()
        case "closes its input":
            os.close(0)
            answer(id, good)
            hang()
        case "answers when it is cancelled":
            pass
        case "reads no more":
            answer(id, good)
            hang()
        case _:
            answer(id, good)


def main() -> None:
    fault = sys.argv[1]
    note_pid()
    told = fault if fault.startswith("{") else "".join(sys.argv[3:])
    greeting = json.loads(told) if told else GREETING
    for line in sys.stdin:
        request = json.loads(line)
        match request["method"]:
            case "hello":
                answer(request["id"], greeting)
            case "get_job_info":
                misbehave(fault, request["id"])
            case "backup_get_xml_desc":
                error = {"code": -32601, "message": "no such method"}
                say(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}) + "\n")
            case "backup_begin" | "list_all_jobs" | "take_events" | "inspect":
                answer(request["id"], {"outcome": "refusal", "kind": "busy"})
            case "cancel" if fault == "answers when it is cancelled":
                answer(request["params"]["id"], {"outcome": "job_info", "type": None})
            case "cancel":
                pass
            case _:
                answer(request["id"], {})


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
