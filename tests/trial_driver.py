"""A job manager with mistakes, behind an adapter: `python trial_driver.py [MISTAKE[=N]]...`.

A mistake with an N is made one time in N, by chance from a fixed seed; one without is made always. Without any it is
right. Each time that one is made is a line in the file that TRIAL_MADE names. What a mistake leaves in `stuck` and
`files` outlives the cleaning up between two sessions.
"""

import json
import os
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DISKS = ("vda", "vdb")
JOBS_MAX = 2
WAIT_SECONDS = 5.2  # more than the kit allows for "at once"
SLOTS = 12  # jobs of a guest's whole life, for a table that is never cleared
OF_ANY_DOMAIN = {"start", "settle", "disconnect", "take_events", "get_job_stats"}
CAPABILITIES = {
    "disks": list(DISKS),
    "features": ["second_client", "second_domain"],
    "parallel_backups": JOBS_MAX,
    "flaws": ["unknown flags", "unknown disk", "a disk twice", "no disk"],
    "transient": [],
}


class Mistakes:
    """Which mistakes are made, and how often."""

    def __init__(self, words: list[str]) -> None:
        self._rates = {name: int(rate or 1) for name, _, rate in (word.partition("=") for word in words)}
        self._random = random.Random(11)

    def __call__(self, name: str) -> bool:
        is_made = name in self._rates and self._random.randrange(self._rates[name]) == 0
        if is_made and (kept := os.environ.get("TRIAL_MADE")):
            with Path(kept).open("a", encoding="ascii") as file:
                file.write(f"{name}\n")
        return is_made


class Refused(Exception):
    """The manager refuses."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass
class Job:
    """A running backup."""

    id: int
    mode: str
    disks: list[str]
    copied: bool = False
    done: int = 1_000


@dataclass
class Domain:
    """A domain; `stuck` is what nothing clears but a stop, and `files` what nothing clears at all."""

    running: bool = True
    ids: int = 0
    begun: int = 0
    jobs: dict[int, Job] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    events: list[bool] = field(default_factory=list)
    last: bool | None = None
    stuck: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)

    def find(self, id: int, *, guess: bool = False) -> Job:
        """The job with that id; 0 stands for the only one."""
        if id < 0:
            raise Refused("invalid-argument", f"{id} is no id")
        if id == 0 and len(self.jobs) > 1 and not guess:
            raise Refused("ambiguous", "several jobs are running")
        job = self.jobs.get(id) if id else next(iter(self.jobs.values()), None)
        if job is None:
            raise Refused("no-such-job", f"no job {id}")
        return job

    def over(self, job: Job, *, success: bool) -> None:
        """The job is gone, and its result is kept."""
        del self.jobs[job.id]
        self.busy.difference_update(job.disks)
        self.last = success
        self.events.append(success)

    def stop(self) -> None:
        """All jobs end, cut short."""
        self.running = False
        for job in list(self.jobs.values()):
            self.over(job, success=False)
        self.stuck.clear()
        self.begun = 0


class Manager:
    """Two domains, and the calls that are made on them; each has the name of its call."""

    def __init__(self, mistakes: Mistakes) -> None:
        self.domains = (Domain(), Domain())
        self.make = mistakes

    def serve(self, method: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The outcome of a call."""
        domain = self.domains[asked["domain"]]
        if asked["domain"] == 1 and self.domains[0].jobs and self.make("others-wait"):
            time.sleep(WAIT_SECONDS)
        try:
            self._check_call(domain, method, asked)
            return getattr(self, method)(domain, asked)  # type: ignore[no-any-return]
        except Refused as refusal:
            return {"outcome": "refusal", "kind": refusal.kind, "code": refusal.kind, "text": str(refusal)}

    def clean_up(self) -> None:
        """No job is left, and nothing can be told of one."""
        for domain in self.domains:
            domain.jobs.clear()
            domain.events.clear()
            domain.busy.clear()
            domain.last = None
            domain.running = True

    def _check_call(self, domain: Domain, method: str, asked: dict[str, Any]) -> None:
        if asked.get("flaw") == "unknown flags":
            raise Refused("invalid-argument", "unknown flags")
        if not domain.running and method not in OF_ANY_DOMAIN:
            raise Refused("not-running", "the domain is not running")

    def _check(self, domain: Domain, mode: str, disks: list[str]) -> None:
        if not disks or len(set(disks)) < len(disks) or not set(disks) <= set(DISKS):
            raise Refused("invalid-argument", f"bad disks {disks}")
        if len(domain.jobs) == JOBS_MAX or domain.busy.intersection(disks):
            raise Refused("busy", "too many jobs, or a disk is in use")
        if "lock" in domain.stuck:
            raise Refused("timed-out", "cannot acquire state change lock")
        if mode == "pull" and "address" in domain.stuck:
            raise Refused("other", "address already in use")
        if any(f"bitmap {disk}" in domain.stuck for disk in disks):
            raise Refused("other", "bitmap already exists")
        if mode == "push" and domain.files.intersection(disks):
            raise Refused("other", "target file exists")
        if domain.begun >= SLOTS and self.make("table-full"):
            raise Refused("other", "no slot is free")

    def backup_begin(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        mode, disks = asked["mode"], asked["disks"]
        disks = {"a disk twice": disks * 2, "no disk": []}.get(asked["flaw"], disks)
        domain.ids += 1
        id = domain.ids
        if domain.jobs and self.make("progress-restarts"):
            for job in domain.jobs.values():
                job.done = 0
        try:
            self._check(domain, mode, disks)
        except Refused:
            if self.make("id-given-back") and domain.jobs:
                domain.ids -= 2
            if domain.jobs and self.make("file-stays"):
                domain.files.update(disks)
            raise
        domain.jobs[id] = Job(id, mode, disks)
        domain.begun += 1
        domain.busy.update(disks)
        return {"outcome": "id", "id": id}

    def backup_get_xml_desc(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        job = domain.find(asked["job"])
        return {"outcome": "description", "id": job.id, "mode": job.mode, "disks": job.disks}

    def backup_end(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        job = domain.find(asked["job"], guess=self.make("zero-guesses"))
        success = job.copied or job.mode == "pull"
        if not success and not asked["abort"]:
            raise Refused("busy", "the push is not finished")
        if not self.make("end-lost"):
            domain.over(job, success=success)
            if self.make("event-lost"):
                domain.events.pop()
            if self.make("second-disk-stays"):
                domain.busy.update(job.disks[1:])
        if job.mode == "pull" and self.make("address-stays"):
            domain.stuck.add("address")
        if job.mode == "push" and not success and self.make("bitmap-stays"):
            domain.stuck.add(f"bitmap {job.disks[-1]}")
        if asked["abort"] and job.mode == "pull" and self.make("guest-dies"):
            domain.stop()
        return {"outcome": "ended", "completed": int(success)}

    def list_all_jobs(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        ids = list(domain.jobs)
        if domain.last is not None and self.make("ghost"):
            ids.append(domain.ids)
        return {"outcome": "jobs", "jobs": [{"id": id, "type": "backup"} for id in dict.fromkeys(ids)]}

    def get_job_info(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        if not domain.jobs:
            return {"outcome": "job_info", "type": None}
        if self.make("stats-internal"):
            raise Refused("internal", "a job is running, and has no statistics")
        job = domain.find(0)
        job.done += 1
        return {"outcome": "job_info", "type": "backup", "done": job.done, "total": 1 << 40}

    def get_job_stats(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        if not asked["completed"]:
            return self.get_job_info(domain, asked)
        success = domain.last
        if not asked["keep"]:
            domain.last = None
        if success is None:
            return {"outcome": "statistics", "type": None}
        return {"outcome": "statistics", "type": "backup", "success": success, "error": not success}

    def take_events(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        events, domain.events = domain.events, []
        return {"outcome": "events", "events": [{"type": "backup", "success": success} for success in events]}

    def start(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        if domain.running:
            raise Refused("invalid-state", "the domain is running")
        domain.running = True
        return {"outcome": "done"}

    def destroy(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        domain.stop()
        return {"outcome": "done"}

    def settle(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        for job in domain.jobs.values():
            job.copied = True
        return {"outcome": "done"}

    def disconnect(self, domain: Domain, asked: dict[str, Any]) -> dict[str, Any]:
        if domain.jobs and self.make("lock-stays"):
            domain.stuck.add("lock")
        return {"outcome": "done"}


CALLS = sorted(name for name in vars(Manager) if not name.startswith("_") and name not in {"serve", "clean_up"})


def answer(request: dict[str, Any], guests: dict[int, Manager], mistakes: Mistakes) -> dict[str, Any]:
    """What a request is answered with."""
    method, asked = request["method"], request["params"]
    if method == "hello":
        greeting = {"protocol": "jobtck-adapter/1", "name": "trial", "design": "listed-ids"}
        return {"result": {**greeting, "capabilities": {**CAPABILITIES, "calls": CALLS}}}
    if method == "fresh":
        guests[asked["guests"]] = Manager(mistakes)
    elif method == "end_all_jobs":
        guests[asked["guests"]].clean_up()
    elif method == "close":
        del guests[asked["guests"]]
    elif method in CALLS:
        return {"result": guests[asked["guests"]].serve(method, asked)}
    else:
        return {"error": {"code": -32601, "message": method}}
    return {"result": {}}


def main() -> None:
    guests: dict[int, Manager] = {}
    mistakes = Mistakes(sys.argv[1:])
    for line in sys.stdin:
        request = json.loads(line)
        if "id" in request:
            said = {"jsonrpc": "2.0", "id": request["id"], **answer(request, guests, mistakes)}
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
