/* A toy driver: one backup at a time on a domain, each with an id. Put yours in its place. */
#include "protocol.h"

#include <stdlib.h>
#include <string.h>

static const char *const disks[] = {"vda", "vdb"};

struct domain {
    json_int_t last_id;
    json_int_t id;      /* of the running backup; 0 where none runs */
    bool is_push;
    json_t *disks;
};

struct guests {
    struct domain domains[DOMAINS];
};

static bool are_disks(json_t *wanted)
{
    size_t at, other;
    json_t *disk;

    json_array_foreach(wanted, at, disk) {
        bool there = false;
        for (other = 0; other < sizeof disks / sizeof *disks; other++)
            there = there || strcmp(json_string_value(disk), disks[other]) == 0;
        if (!there)
            return false;
    }
    return json_array_size(wanted) > 0;
}

static void forget(struct domain *domain)
{
    json_decref(domain->disks);
    domain->disks = NULL;
    domain->id = 0;
}

/* The outcome that refuses the id; NULL where it is that of the running backup, or 0 and one runs. */
static json_t *refused(const struct domain *domain, json_t *call)
{
    json_int_t id = json_integer_value(json_object_get(call, "job"));

    if (id < 0 || has_flaw(call, "unknown flags"))
        return refusal("invalid-argument", "EINVAL", "no such id, or no such flag");
    if (domain->id == 0 || (id != 0 && id != domain->id))
        return refusal("no-such-job", "ESRCH", "no such backup is running");
    return NULL;
}

static json_t *backup_begin(struct guests *guests, int number, json_t *call)
{
    struct domain *domain = &guests->domains[number];
    json_t *wanted = json_object_get(call, "disks");

    /* Does your driver take XML? Then send it XML with this flaw, and let it refuse that itself. */
    if (!has_flaw(call, "") || !are_disks(wanted))
        return refusal("invalid-argument", "EINVAL", "this cannot be backed up");
    if (domain->id)
        return refusal("busy", "EBUSY", "a backup is running");
    domain->id = ++domain->last_id;
    domain->is_push = strcmp(text_of(call, "mode"), "push") == 0;
    domain->disks = json_incref(wanted);
    return json_pack("{s:s, s:I}", "outcome", "id", "id", domain->id);
}

static json_t *backup_get_xml_desc(struct guests *guests, int number, json_t *call)
{
    struct domain *domain = &guests->domains[number];
    json_t *outcome = refused(domain, call);

    return outcome ? outcome : json_pack("{s:s, s:I, s:s, s:O}", "outcome", "description", "id", domain->id,
                                         "mode", domain->is_push ? "push" : "pull", "disks", domain->disks);
}

static json_t *backup_end(struct guests *guests, int number, json_t *call)
{
    struct domain *domain = &guests->domains[number];
    json_t *outcome = refused(domain, call);

    if (outcome)
        return outcome;
    if (domain->is_push && !is_set(call, "abort"))
        return refusal("busy", "EBUSY", "the backup is not finished");
    forget(domain);
    return json_pack("{s:s, s:i}", "outcome", "ended", "completed", domain->is_push ? 0 : 1);
}

static json_t *get_job_info(struct guests *guests, int number, json_t *call)
{
    (void)call;
    return json_pack("{s:s, s:s?}", "outcome", "job_info", "type", guests->domains[number].id ? "backup" : NULL);
}

static json_t *capabilities(void)
{
    return json_pack("{s:[s, s], s:[s, s], s:i, s:[]}", "disks", disks[0], disks[1],
                     "features", "second_client", "second_domain", "parallel_backups", 1,
                     "transient");  /* kinds of job that may end by themselves at any time */
}

static json_t *versions(void)
{
    return json_object();
}

static struct guests *fresh(void)
{
    struct guests *guests = calloc(1, sizeof *guests);
    if (!guests)
        complain("there is no memory left");
    return guests;
}

static int end_all_jobs(struct guests *guests)
{
    for (int number = 0; number < DOMAINS; number++)
        forget(&guests->domains[number]);
    return 0;
}

static void remove_guests(struct guests *guests)
{
    end_all_jobs(guests);
    free(guests);
}

static const struct call calls[] = {
    {"backup_begin", backup_begin},
    {"backup_get_xml_desc", backup_get_xml_desc},
    {"backup_end", backup_end},
    {"get_job_info", get_job_info},
    {NULL, NULL},
};

int main(void)
{
    const struct driver driver = {
        .name = "toy",
        .design = "zero-id",
        .calls = calls,
        .capabilities = capabilities,
        .versions = versions,
        .fresh = fresh,
        .end_all_jobs = end_all_jobs,
        .remove = remove_guests,
    };
    return serve_requests(&driver);
}
