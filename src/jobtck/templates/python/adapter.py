"""Lets jobtck judge a driver: requests come in on standard input, answers go out on standard output, a line each.

jobtck run --backend 'exec:python3 adapter.py'

Above the line is what you change: it translates, and judges nothing. docs/protocol.md of jobtck has all the calls.
"""

import json
import sys
from collections.abc import Callable

from driver import DISKS, Domain, DriverError

NAME = "toy"
DESIGN = "zero-id"  # see `jobtck list designs`
CAPABILITIES = {
    "disks": list(DISKS),
    "features": ["second_client", "second_domain"],
    "parallel_backups": 1,
    "transient": [],  # kinds of job that may end by themselves at any time
}
UNKNOWN_FLAG = 1 << 30
KINDS = {"EINVAL": "invalid-argument", "EBUSY": "busy", "ESRCH": "no-such-job"}  # all others are "other"

Json = dict[str, object]


def flags_of(call: Json) -> int:
    """The flags that the driver is to be given."""
    return UNKNOWN_FLAG if call["flaw"] == "unknown flags" else 0


def backup_begin(domain: Domain, call: Json) -> Json:
    if call["flaw"] not in ("", "unknown flags", "unknown disk"):
        # Does your driver take XML? Then send it XML with this flaw, and let it refuse that itself.
        return refusal("invalid-argument", "", f"this driver cannot even be told that: {call['flaw']}")
    return {"outcome": "id", "id": domain.begin(call["mode"], call["disks"], flags_of(call))}


def backup_get_xml_desc(domain: Domain, call: Json) -> Json:
    backup = domain.describe(call["job"], flags_of(call))
    return {"outcome": "description", "id": backup.id, "mode": backup.mode, "disks": backup.disks}


def backup_end(domain: Domain, call: Json) -> Json:
    completed = domain.end(call["job"], abort=call["abort"], flags=flags_of(call))
    return {"outcome": "ended", "completed": int(completed)}


def get_job_info(domain: Domain, call: Json) -> Json:
    return {"outcome": "job_info", "type": None if domain.backup is None else "backup"}


CALLS: dict[str, Callable[[Domain, Json], Json]] = {
    "backup_begin": backup_begin,
    "backup_get_xml_desc": backup_get_xml_desc,
    "backup_end": backup_end,
    "get_job_info": get_job_info,
}


def fresh_domains() -> list[Domain]:
    """Two running domains on which no job ever began."""
    return [Domain(), Domain()]


def end_all_jobs(domains: list[Domain]) -> None:
    """No job is left, and the domains run; ids go on."""
    for domain in domains:
        domain.backup = None


def remove(domains: list[Domain]) -> None:
    """Nothing is left of the domains."""


# -- the line ---------------------------------------------------------------------------------------------------------


def refusal(kind: str, code: str, text: str) -> Json:
    """The outcome of a call that is refused."""
    return {"outcome": "refusal", "kind": kind, "code": code, "text": text}


def hello(wanted: Json | None) -> Json:
    """The greeting."""
    if wanted is not None and wanted["name"] != DESIGN:
        raise ValueError(f"{NAME} plays {DESIGN}")
    capabilities = {**CAPABILITIES, "calls": sorted(CALLS)}
    return {"protocol": "jobtck-adapter/1", "name": NAME, "design": DESIGN, "capabilities": capabilities}


def result_of(method: str, parameters: Json, guests: dict[object, list[Domain]]) -> Json:
    """What a request is answered with."""
    if method == "hello":
        return hello(parameters["design"])
    number = parameters["guests"]
    if method in CALLS:
        try:
            return CALLS[method](guests[number][parameters["domain"]], parameters)
        except DriverError as error:
            return refusal(KINDS.get(error.code, "other"), error.code, str(error))
    if method == "fresh":
        guests[number] = fresh_domains()
    elif method == "end_all_jobs":
        end_all_jobs(guests[number])
    elif method == "close":
        remove(guests.pop(number))
    else:
        raise LookupError(f"there is no method {method!r}")
    return {}


def main() -> None:
    guests: dict[object, list[Domain]] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue  # a cancellation: what came before is answered by now
        answer = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            answer["result"] = result_of(request["method"], request["params"], guests)
        except ValueError as error:  # the design cannot be played
            answer["error"] = {"code": -32602, "message": str(error)}
        except LookupError as error:  # there is no such method
            answer["error"] = {"code": -32601, "message": str(error)}
        print(json.dumps(answer), flush=True)
    for domains in guests.values():
        remove(domains)


if __name__ == "__main__":
    main()
