"""The hazards that the mail and its thread worry about, each with its source."""

from jobtck.conformance.design import Zero
from jobtck.conformance.hazards import Hazard, Pattern, World
from jobtck.conformance.histories import By, Hit, Kinds, Learnt, Standing, Trouble, Verb, Whose
from jobtck.conformance.requirement import ANY_IDS, OPAQUE, SENSE, Needs, mail

BY_REFERENCE = (By.ID, By.NAME, By.HANDLE)
ACTS = (Verb.END, Verb.SET_DEFAULT)
USES = (*ACTS, Verb.QUERY, Verb.LOOK_UP)
SEVERAL = tuple(range(2, 65))  # backups at once
ONE_OR_MORE = tuple(range(1, 65))
ONE = (0, 1)  # as many as a client begins that was written when there was one
WITH_IDS = Needs(handle=ANY_IDS)
WITH_BLOCK_IDS = Needs(handle=ANY_IDS, block_ids=True)
WITH_ZERO = Needs(zero=Zero.CURRENT)
STALE = mail("This could detect the case where a stale job ID was passed in")
RACES = mail("whether multiple consecutive API calls can result in TOCTTOU races")
ZERO = mail("that the reserved job id '0' stands for")
TYPES = mail("even if there is some other job type that overlaps namespaces and has an id 1")
PROCESSES = mail("Note the time and process separation between creation and completion")
FREED = mail("where freeing the pointer is important in a long-running client")
DEFAULT = mail("which job (out of multiple running in parallel) will be targetted by the existing job functions")
FUTURE = mail("So the hope is that whatever lands now is usable")

HAZARDS: tuple[Hazard, ...] = (
    Hazard(
        id="stale-end",
        text="An end meant for a backup that is over ends one that was begun since.",
        source=STALE,
        needs=WITH_IDS,
        when=Pattern(
            verb=(Verb.END,),
            by=BY_REFERENCE,
            meant=(Standing.OVER,),
            hit=(Hit.ANOTHER,),
            fits=(True,),
            strayed=(False,),
        ),
    ),
    Hazard(
        id="stale-end-others",
        text="An end meant for a backup that is over ends another client's.",
        source=STALE,
        needs=WITH_IDS,
        when=Pattern(
            verb=(Verb.END,),
            by=BY_REFERENCE,
            meant=(Standing.OVER,),
            hit=(Hit.ANOTHER,),
            owner=(Whose.OTHERS,),
            fits=(True,),
        ),
    ),
    Hazard(
        id="stale-end-other-kind",
        text="An end meant for a job that is over ends one of another type.",
        source=mail("that now points to a completely different job type"),
        needs=WITH_IDS,
        when=Pattern(
            verb=(Verb.END,), by=BY_REFERENCE, meant=(Standing.OVER,), hit=(Hit.ANOTHER,), kinds=(Kinds.OTHER,)
        ),
    ),
    Hazard(
        id="stale-query",
        text="A query meant for a backup that is over tells of one begun since.",
        source=STALE,
        needs=WITH_IDS,
        when=Pattern(verb=(Verb.QUERY,), by=BY_REFERENCE, meant=(Standing.OVER,), hit=(Hit.ANOTHER,), fits=(True,)),
    ),
    Hazard(
        id="zero-end",
        text="An end of 0 ends another backup than the one its client means.",
        source=ZERO,
        needs=WITH_ZERO,
        when=Pattern(verb=(Verb.END,), by=(By.ZERO,), hit=(Hit.ANOTHER,)),
    ),
    Hazard(
        id="zero-query",
        text="A query of 0 tells of another backup than the one its client means.",
        source=ZERO,
        needs=WITH_ZERO,
        when=Pattern(verb=(Verb.QUERY,), by=(By.ZERO,), hit=(Hit.ANOTHER,)),
    ),
    Hazard(
        id="type-overlap",
        text="A backup verb that is given the id of a live block job acts on a backup.",
        source=TYPES,
        needs=WITH_BLOCK_IDS,
        when=Pattern(verb=USES, by=BY_REFERENCE, meant=(Standing.LIVE,), hit=(Hit.ANOTHER,), kinds=(Kinds.OTHER,)),
    ),
    Hazard(
        id="type-wrong-verb",
        text="A verb acts on a job of a type that it is not for.",
        source=mail(
            "calling virDomainBackupEnd(domain, 1), we've already implied that we want to operate on backup job 1"
        ),
        when=Pattern(verb=(Verb.END, Verb.QUERY), fits=(False,), hit=(Hit.MEANT,)),
    ),
    Hazard(
        id="lost-job",
        text="A client dies, and its job goes on that nobody can find.",
        source=PROCESSES,
        when=Pattern(verb=(Verb.STAND,), trouble=(Trouble.UNFINDABLE,)),
    ),
    Hazard(
        id="lost-among-others",
        text="A client dies before it wrote down the id, and its backup is found beside others that look the same.",
        source=PROCESSES,
        when=Pattern(verb=(Verb.STAND,), trouble=(Trouble.INDISTINCT,)),
    ),
    Hazard(
        id="cannot-address",
        text="A job runs that no call reaches or ends, whatever its caller knows.",
        source=SENSE,
        when=Pattern(verb=(Verb.STAND,), trouble=(Trouble.UNREACHABLE,)),
    ),
    Hazard(
        id="window-list-act",
        text="Between a list and an act on an id in it, the id has come to name another job.",
        source=RACES,
        needs=Needs(listing=True),
        when=Pattern(verb=ACTS, by=BY_REFERENCE, learnt=(Learnt.LISTED,), hit=(Hit.ANOTHER,)),
    ),
    Hazard(
        id="window-look-act",
        text="Between a query by 0, or of the domain job, and an act by the same, that has come to stand for another.",
        source=RACES,
        when=Pattern(verb=ACTS, by=(By.ZERO, By.LEGACY), learnt=(Learnt.LOOKED,), hit=(Hit.ANOTHER,)),
    ),
    Hazard(
        id="window-disk-act",
        text="Between a query by disk and an end by disk, another block job has come to that disk.",
        source=mail("currently act on a single job per disk"),
        when=Pattern(verb=(Verb.END,), by=(By.DISK,), learnt=(Learnt.LOOKED,), hit=(Hit.ANOTHER,)),
    ),
    Hazard(
        id="window-lookup-act",
        text="A handle was looked up or composed from an id that had come to name another job; the act hits that.",
        source=RACES,
        needs=Needs(handle=OPAQUE),
        when=Pattern(verb=ACTS, by=(By.HANDLE,), learnt=(Learnt.LOOKED_UP, Learnt.COMPOSED), hit=(Hit.ANOTHER,)),
    ),
    Hazard(
        id="window-default-act",
        text="Between getting the default's id and an act on that id, the id has come to name another job.",
        source=RACES,
        needs=Needs(default_job=True),
        when=Pattern(verb=ACTS, by=BY_REFERENCE, learnt=(Learnt.DEFAULT,), hit=(Hit.ANOTHER,)),
    ),
    Hazard(
        id="handle-after-free",
        text="A handle can be used after it was freed; a server that conforms refuses, a C library may crash.",
        source=FREED,
        needs=Needs(handle=OPAQUE),
        when=Pattern(verb=(Verb.END, Verb.QUERY, Verb.SET_DEFAULT, Verb.GET_ID), by=(By.FREED,)),
    ),
    Hazard(
        id="handle-double-free",
        text="A handle can be freed twice.",
        source=FREED,
        needs=Needs(handle=OPAQUE),
        when=Pattern(verb=(Verb.FREE,), by=(By.FREED,)),
    ),
    Hazard(
        id="handle-leak",
        text="A client can go, or be done with a job, without giving back its handle.",
        source=FREED,
        needs=Needs(handle=OPAQUE),
        when=Pattern(trouble=(Trouble.LEAKED,)),
    ),
    Hazard(
        id="domain-mixed-up",
        text="An id of one domain, put to another, acts on a job there.",
        source=mail(
            "where it also records the virConnectionPtr and/or virDomainPtr it was associated for better API safety"
        ),
        needs=WITH_IDS,
        world=World.DOMAINS,
        when=Pattern(verb=(Verb.END, Verb.QUERY), strayed=(True,), hit=(Hit.ANOTHER,)),
    ),
    Hazard(
        id="default-unchosen",
        text="A legacy call ends a job that its client does not mean, and that nobody chose.",
        source=DEFAULT,
        when=Pattern(verb=(Verb.END,), by=(By.LEGACY,), hit=(Hit.ANOTHER,), chooser=(Whose.NOBODY,)),
    ),
    Hazard(
        id="default-of-others",
        text="A legacy call ends a job that its client does not mean, because another client set the default.",
        source=DEFAULT,
        needs=Needs(default_job=True),
        when=Pattern(verb=(Verb.END,), by=(By.LEGACY,), hit=(Hit.ANOTHER,), chooser=(Whose.OTHERS,)),
    ),
    Hazard(
        id="future-begin",
        text="A begin that was refused while a backup ran now starts a second one.",
        source=FUTURE,
        world=World.FUTURE,
        when=Pattern(verb=(Verb.BEGIN,), refused=(None,), fits=(True,), backups=ONE_OR_MORE, own=(0,)),
    ),
    Hazard(
        id="future-zero",
        text="0 does not stand for the backup that its client means and that runs.",
        source=mail('or if there are more than one active backup jobs, then id "0" will fail'),
        needs=WITH_ZERO,
        world=World.FUTURE,
        when=Pattern(by=(By.ZERO,), meant=(Standing.LIVE,), hit=(Hit.NOTHING, Hit.ANOTHER), backups=SEVERAL, own=ONE),
    ),
    Hazard(
        id="future-legacy",
        text="A legacy call does not act on the backup that its client means and that runs.",
        source=mail("wrappers for all the other legacy job-related APIs"),
        world=World.FUTURE,
        when=Pattern(by=(By.LEGACY,), meant=(Standing.LIVE,), hit=(Hit.NOTHING, Hit.ANOTHER), backups=SEVERAL, own=ONE),
    ),
    Hazard(
        id="future-id",
        text="An id does not stand for the backup that its client means and that runs.",
        source=FUTURE,
        needs=WITH_IDS,
        world=World.FUTURE,
        when=Pattern(
            verb=USES,
            by=BY_REFERENCE,
            meant=(Standing.LIVE,),
            hit=(Hit.NOTHING, Hit.ANOTHER),
            fits=(True,),
            backups=SEVERAL,
            own=ONE,
        ),
    ),
    Hazard(
        id="future-unreachable",
        text="A backup runs that no call reaches or ends.",
        source=mail("Then future parallel jobs would have to add a new API for backup as well as everything else"),
        world=World.FUTURE,
        when=Pattern(verb=(Verb.STAND,), trouble=(Trouble.UNREACHABLE,)),
    ),
)
