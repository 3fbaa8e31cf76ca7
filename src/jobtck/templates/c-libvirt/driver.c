/* libvirt as it is shipped, by its C API: `./adapter URI`. Its guests are its own; a call is one call of libvirt's. */
#include "protocol.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DISKS 2
#define CLIENTS_MAX 3            /* two read-write connections, and a read-only one where there is one */
#define DISK_BYTES (64 << 20)    /* pushing it takes a moment: long enough to be met running */
#define PATH_LENGTH_MAX 200      /* of a guest's directory; sockets have 107 */
#define TEXT_MAX 8192            /* of the XML of a begin or a guest */
#define SETTLE_MS 15000
#define END_MS 10000             /* an abort is through in some ten milliseconds */
#define LOCK_WAIT_SECONDS 30     /* of libvirt's QEMU driver, for another job's end */

static const char *const disks[DISKS] = {"vda", "vdb"};

struct domain {
    virDomainPtr of[CLIENTS_MAX];   /* the same domain, as each connection has it; NULL until it is wanted */
    char directory[PATH_LENGTH_MAX];
    int begins;
    bool pulls;                     /* the last backup that began is a pull, and nobody has ended it */
};

struct guests {
    struct domain domains[DOMAINS];
};

static virConnectPtr connections[CLIENTS_MAX];
static const char *virtualization = "qemu";
static unsigned int autodestroy = VIR_DOMAIN_START_AUTODESTROY;
static char root[] = "/tmp/jobtck-c-XXXXXX";
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static int started;

/* -- errors -------------------------------------------------------------------------------------------------------- */

static const struct {
    int code;
    const char *name, *kind;
} kinds[] = {
#define CODE(name, kind) {name, #name, kind}
    CODE(VIR_ERR_INTERNAL_ERROR, "internal"),
    CODE(VIR_ERR_NO_SUPPORT, "unsupported"),
    CODE(VIR_ERR_OPERATION_UNSUPPORTED, "unsupported"),
    CODE(VIR_ERR_INVALID_ARG, "invalid-argument"),
    CODE(VIR_ERR_XML_ERROR, "invalid-argument"),
    CODE(VIR_ERR_XML_DETAIL, "invalid-argument"),
    CODE(VIR_ERR_XML_INVALID_SCHEMA, "invalid-argument"),
    CODE(VIR_ERR_CONFIG_UNSUPPORTED, "invalid-argument"),
    CODE(VIR_ERR_ARGUMENT_UNSUPPORTED, "invalid-argument"),
    CODE(VIR_ERR_NO_DOMAIN_CHECKPOINT, "invalid-argument"),
    CODE(VIR_ERR_OPERATION_DENIED, "read-only"),
    CODE(VIR_ERR_NO_DOMAIN, "no-domain"),
    CODE(VIR_ERR_OPERATION_INVALID, "invalid-state"),   /* "not running", "no job" and more: none narrower is honest */
    CODE(VIR_ERR_OPERATION_TIMEOUT, "timed-out"),
    CODE(VIR_ERR_BLOCK_COPY_ACTIVE, "busy"),
    CODE(VIR_ERR_NO_DOMAIN_BACKUP, "no-such-job"),
};

/* What libvirt's last error tells; silence where the connection died of it. */
static json_t *refused(virConnectPtr connection)
{
    virErrorPtr error = virGetLastError();
    int code = error ? error->code : VIR_ERR_OK;
    const char *text = error && error->message ? error->message : "";
    char number[32];

    if (virConnectIsAlive(connection) != 1)
        return json_pack("{s:s, s:s}", "outcome", "unknown", "text", text);
    for (size_t at = 0; at < sizeof kinds / sizeof *kinds; at++)
        if (kinds[at].code == code)
            return refusal(kinds[at].kind, kinds[at].name, text);
    snprintf(number, sizeof number, "VIR_ERR_%d", code);
    return refusal("other", number, text);
}

static void quiet(void *context, virErrorPtr error)
{
    (void)context;
    (void)error;
}

/* -- guests -------------------------------------------------------------------------------------------------------- */

static int make_disk(const char *directory, const char *disk)
{
    static const char pattern[4096] = "what a backup has to copy: it must not be zero, or nothing is copied";
    char path[PATH_LENGTH_MAX + 32];
    int file, failed = 0;

    snprintf(path, sizeof path, "%s/%s.raw", directory, disk);
    file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (file < 0 || fchmod(file, 0666) < 0)
        return -1;
    for (long done = 0; done < DISK_BYTES && !failed; done += sizeof pattern)
        failed = write(file, pattern, sizeof pattern) != sizeof pattern;
    return close(file) < 0 || failed ? -1 : 0;
}

/* Files in a directory go, all of them or all but the disks. */
static void clear(const char *directory, bool with_disks)
{
    DIR *listing = opendir(directory);
    struct dirent *entry;

    while (listing && (entry = readdir(listing))) {
        size_t length = strlen(entry->d_name);
        bool is_disk = length > 4 && strcmp(entry->d_name + length - 4, ".raw") == 0;
        if (entry->d_name[0] != '.' && (with_disks || !is_disk))
            unlinkat(dirfd(listing), entry->d_name, 0);
    }
    if (listing)
        closedir(listing);
}

static virDomainPtr create(const struct domain *domain, const char *name)
{
    char xml[TEXT_MAX], devices[TEXT_MAX / 2] = "";
    size_t end = 0;

    for (int disk = 0; disk < DISKS; disk++)
        end += snprintf(devices + end, sizeof devices - end,
                        "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='unsafe'/>"
                        "<source file='%s/%s.raw'/><target dev='%s' bus='virtio'/></disk>",
                        domain->directory, disks[disk], disks[disk]);
    snprintf(xml, sizeof xml,
             "<domain type='%s'><name>%s</name><memory unit='MiB'>32</memory><os><type>hvm</type></os>"
             "<devices><controller type='usb' model='none'/><memballoon model='none'/>%s</devices></domain>",
             virtualization, name, devices);
    return virDomainCreateXML(connections[0], xml, VIR_DOMAIN_START_PAUSED | autodestroy);
}

/* The domain runs, and every connection knows it. */
static int start(struct domain *domain)
{
    char name[64], uuid[VIR_UUID_STRING_BUFLEN];

    pthread_mutex_lock(&starting);
    snprintf(name, sizeof name, "jobtck-c-%ld-%d", (long)getpid(), started++);
    pthread_mutex_unlock(&starting);
    snprintf(domain->directory, sizeof domain->directory, "%s/%s", root, name);
    if (mkdir(domain->directory, 0777) < 0 || chmod(domain->directory, 0777) < 0) {
        complain("cannot make %s: %s", domain->directory, strerror(errno));
        return -1;
    }
    for (int disk = 0; disk < DISKS; disk++)
        if (make_disk(domain->directory, disks[disk]) < 0) {
            complain("cannot write a disk in %s: %s", domain->directory, strerror(errno));
            return -1;
        }
    domain->of[0] = create(domain, name);
    if (!domain->of[0] || virDomainGetUUIDString(domain->of[0], uuid) < 0) {
        complain("cannot start a guest: %s", virGetLastErrorMessage());
        return -1;
    }
    for (int client = 1; client < CLIENTS_MAX && connections[client]; client++)
        domain->of[client] = virDomainLookupByUUIDString(connections[client], uuid);
    return 0;
}

static void stop(struct domain *domain)
{
    if (domain->of[0])
        virDomainDestroy(domain->of[0]);
    if (domain->directory[0]) {
        clear(domain->directory, true);
        rmdir(domain->directory);
    }
}

static void pause_ms(long ms)
{
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&rest, NULL);
}

static bool has_job(struct domain *domain)
{
    virDomainJobInfo info;
    return virDomainGetJobInfo(domain->of[0], &info) == 0 && info.type != VIR_DOMAIN_JOB_NONE;
}

static bool job_ends(struct domain *domain, long ms)
{
    for (; has_job(domain); ms -= 2) {
        if (ms <= 0)
            return false;
        pause_ms(2);
    }
    return true;
}

static int end_job(struct domain *domain)
{
    virTypedParameterPtr told = NULL;
    int count = 0, type;

    if (!domain->of[0])
        return 0;
    virDomainAbortJob(domain->of[0]);
    domain->pulls = false;
    if (!job_ends(domain, END_MS)) {
        complain("a job does not end");
        return -1;
    }
    if (virDomainGetJobStats(domain->of[0], &type, &told, &count, VIR_DOMAIN_JOB_STATS_COMPLETED) == 0)
        virTypedParamsFree(told, count);   /* told once, they are gone */
    clear(domain->directory, false);
    return 0;
}

static int end_all_jobs(struct guests *guests)
{
    for (int number = 0; number < DOMAINS; number++)
        if (end_job(&guests->domains[number]) < 0)
            return -1;
    return 0;
}

static void remove_guests(struct guests *guests)
{
    /* They are not freed: a call that waits may still be about them. */
    for (int number = 0; number < DOMAINS; number++)
        stop(&guests->domains[number]);
}

static struct guests *fresh(void)
{
    struct guests *guests = calloc(1, sizeof *guests);

    if (!guests) {
        complain("there is no memory left");
        return NULL;
    }
    for (int number = 0; number < DOMAINS; number++)
        if (start(&guests->domains[number]) < 0) {
            remove_guests(guests);
            return NULL;
        }
    return guests;
}

/* -- calls --------------------------------------------------------------------------------------------------------- */

static int client_of(json_t *call)
{
    json_int_t client = json_integer_value(json_object_get(call, "client"));
    return client >= 0 && client < CLIENTS_MAX && connections[client] ? (int)client : 0;
}

static unsigned int flags_of(json_t *call)
{
    return has_flaw(call, "unknown flags") ? UNKNOWN_FLAG : 0;
}

static bool is_chosen(json_t *call, const char *disk)
{
    json_t *chosen;
    size_t at;

    json_array_foreach(json_object_get(call, "disks"), at, chosen)
        if (strcmp(json_string_value(chosen), disk) == 0)
            return true;
    return false;
}

static size_t disk_xml(char *text, size_t room, const char *disk, const char *image, const char *file)
{
    return snprintf(text, room, "<disk name='%s' backup='yes' type='file'><%s file='%s'/></disk>", disk, image, file);
}

/* The XML of a begin, with the flaw that is asked for. */
static void backup_xml(char *text, size_t room, struct domain *domain, json_t *call)
{
    bool pulls = strcmp(text_of(call, "mode"), "pull") == 0;
    const char *image = pulls ? "scratch" : "target";
    char file[PATH_LENGTH_MAX + 64];
    size_t end = snprintf(text, room, "<domainbackup mode='%s'>", pulls ? "pull" : "push"), at;
    json_t *disk;

    domain->begins++;
    if (has_flaw(call, "unknown checkpoint"))
        end += snprintf(text + end, room - end, "<incremental>no-such-checkpoint</incremental>");
    if (pulls)
        end += snprintf(text + end, room - end, "<server transport='unix' socket='%s/b%d.sock'/>", domain->directory,
                        domain->begins);
    end += snprintf(text + end, room - end, "<disks>");
    json_array_foreach(json_object_get(call, "disks"), at, disk) {
        const char *name = json_string_value(disk);
        if (has_flaw(call, "no disk"))
            break;
        snprintf(file, sizeof file, "%s/b%d-%s", domain->directory, domain->begins, name);
        if (has_flaw(call, "target exists"))
            close(open(file, O_WRONLY | O_CREAT, 0666));
        end += disk_xml(text + end, room - end, name, image, file);
        if (has_flaw(call, "a disk twice")) {
            strcat(file, "-again");
            end += disk_xml(text + end, room - end, name, image, file);
        }
    }
    for (int number = 0; number < DISKS; number++)
        if (has_flaw(call, "no disk") || !is_chosen(call, disks[number]))
            end += snprintf(text + end, room - end, "<disk name='%s' backup='no'/>", disks[number]);
    end += snprintf(text + end, room - end, "</disks>%s</domainbackup>",
                    has_flaw(call, "fails the schema") ? "<unheard-of/>" : "");
    if (has_flaw(call, "not XML"))
        text[end / 2] = '\0';
}

static json_t *backup_begin(struct guests *guests, int number, json_t *call)
{
    struct domain *domain = &guests->domains[number];
    int client = client_of(call);
    char xml[TEXT_MAX];

    backup_xml(xml, sizeof xml, domain, call);
    if (virDomainBackupBegin(domain->of[client], xml, NULL, flags_of(call)) < 0)
        return refused(connections[client]);
    domain->pulls = strcmp(text_of(call, "mode"), "pull") == 0;
    return done();
}

static json_t *described(const char *text)
{
    xmlDocPtr document = xmlReadMemory(text, strlen(text), NULL, NULL, XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlNodePtr backup = document ? xmlDocGetRootElement(document) : NULL;
    json_t *names = json_array();
    xmlChar *mode = backup ? xmlGetProp(backup, BAD_CAST "mode") : NULL;
    json_t *outcome;

    for (xmlNodePtr list = backup ? backup->children : NULL; list; list = list->next)
        for (xmlNodePtr disk = list->children; disk; disk = disk->next) {
            xmlChar *chosen = xmlGetProp(disk, BAD_CAST "backup"), *name = xmlGetProp(disk, BAD_CAST "name");
            if (chosen && name && xmlStrEqual(chosen, BAD_CAST "yes"))
                json_array_append_new(names, json_string((const char *)name));
            xmlFree(chosen);
            xmlFree(name);
        }
    outcome = json_pack("{s:s, s:s*, s:o}", "outcome", "description", "mode", (const char *)mode, "disks", names);
    if (!document)
        json_object_set_new(outcome, "flaw", json_string("not XML"));
    xmlFree(mode);
    xmlFreeDoc(document);
    return outcome;
}

static json_t *backup_get_xml_desc(struct guests *guests, int number, json_t *call)
{
    int client = client_of(call);
    char *text = virDomainBackupGetXMLDesc(guests->domains[number].of[client], flags_of(call));
    json_t *outcome = text ? described(text) : refused(connections[client]);

    free(text);
    return outcome;
}

static json_t *get_job_info(struct guests *guests, int number, json_t *call)
{
    int client = client_of(call);
    virDomainJobInfo info;

    if (virDomainGetJobInfo(guests->domains[number].of[client], &info) < 0)
        return refused(connections[client]);
    if (info.type == VIR_DOMAIN_JOB_NONE)
        return json_pack("{s:s, s:n}", "outcome", "job_info", "type");
    return json_pack("{s:s, s:s, s:I, s:I, s:I}", "outcome", "job_info", "type", "domain",
                     "done", (json_int_t)info.dataProcessed, "total", (json_int_t)info.dataTotal,
                     "elapsed_ms", (json_int_t)info.timeElapsed);
}

static void tell_number(json_t *outcome, const char *name, virTypedParameterPtr told, int count, const char *of)
{
    unsigned long long value;
    if (virTypedParamsGetULLong(told, count, of, &value) == 1)
        json_object_set_new(outcome, name, json_integer((json_int_t)value));
}

static json_t *statistics(int type, virTypedParameterPtr told, int count, bool completed)
{
    const char *name = completed ? "statistics" : "job_info", *message;
    int operation = VIR_DOMAIN_JOB_OPERATION_UNKNOWN, success;
    json_t *outcome;

    if (type == VIR_DOMAIN_JOB_NONE)
        return json_pack("{s:s, s:n}", "outcome", name, "type");
    virTypedParamsGetInt(told, count, VIR_DOMAIN_JOB_OPERATION, &operation);
    outcome = json_pack("{s:s, s:s}", "outcome", name, "type",
                        operation == VIR_DOMAIN_JOB_OPERATION_BACKUP ? "backup" : "domain");
    if (!completed) {
        tell_number(outcome, "done", told, count, VIR_DOMAIN_JOB_DISK_PROCESSED);
        tell_number(outcome, "total", told, count, VIR_DOMAIN_JOB_DISK_TOTAL);
        tell_number(outcome, "elapsed_ms", told, count, VIR_DOMAIN_JOB_TIME_ELAPSED);
        return outcome;
    }
    if (virTypedParamsGetBoolean(told, count, VIR_DOMAIN_JOB_SUCCESS, &success) == 1)
        json_object_set_new(outcome, "success", json_boolean(success));
    if (virTypedParamsGetString(told, count, VIR_DOMAIN_JOB_ERRMSG, &message) == 1)
        json_object_set_new(outcome, "error", json_true());
    return outcome;
}

static json_t *get_job_stats(struct guests *guests, int number, json_t *call)
{
    bool completed = is_set(call, "completed");
    int client = client_of(call), type = VIR_DOMAIN_JOB_NONE, count = 0;
    unsigned int flags = flags_of(call);
    virTypedParameterPtr told = NULL;
    json_t *outcome;

    if (completed)
        flags |= VIR_DOMAIN_JOB_STATS_COMPLETED;
    if (is_set(call, "keep") || has_flaw(call, "keep without completed"))
        flags |= VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED;
    if (virDomainGetJobStats(guests->domains[number].of[client], &type, &told, &count, flags) < 0)
        return refused(connections[client]);
    outcome = statistics(type, told, count, completed);
    virTypedParamsFree(told, count);
    return outcome;
}

static json_t *abort_job(struct guests *guests, int number, json_t *call)
{
    struct domain *domain = &guests->domains[number];
    int client = client_of(call);
    unsigned int flags = flags_of(call);

    if ((flags ? virDomainAbortJobFlags(domain->of[client], flags) : virDomainAbortJob(domain->of[client])) < 0)
        return refused(connections[client]);
    domain->pulls = false;
    return done();
}

static json_t *get_block_job_info(struct guests *guests, int number, json_t *call)
{
    static const char *const names[] = {
        [VIR_DOMAIN_BLOCK_JOB_TYPE_PULL] = "block-pull",
        [VIR_DOMAIN_BLOCK_JOB_TYPE_COPY] = "block-copy",
        [VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT] = "block-commit",
        [VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT] = "block-commit",
        [VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP] = "backup",
    };
    int client = client_of(call), found;
    virDomainBlockJobInfo info;

    found = virDomainGetBlockJobInfo(guests->domains[number].of[client], text_of(call, "disk"), &info, flags_of(call));
    if (found < 0)
        return refused(connections[client]);
    if (found == 0)
        return json_pack("{s:s, s:n}", "outcome", "block_info", "kind");
    if (info.type < 0 || (size_t)info.type >= sizeof names / sizeof *names || !names[info.type])
        return refusal("other", "", "a block job of a type that is not known");
    return json_pack("{s:s, s:s, s:I, s:I}", "outcome", "block_info", "kind", names[info.type],
                     "done", (json_int_t)info.cur, "total", (json_int_t)info.end);
}

/* Pulls are held until they are ended; everything else is waited for. */
static json_t *settle(struct guests *guests, int number, json_t *call)
{
    struct domain *domain = &guests->domains[number];

    (void)call;
    if (domain->pulls || job_ends(domain, SETTLE_MS))
        return done();
    return refusal("timed-out", "", "the job is still under way");
}

static const struct call calls[] = {
    {"backup_begin", backup_begin},
    {"backup_get_xml_desc", backup_get_xml_desc},
    {"get_job_info", get_job_info},
    {"get_job_stats", get_job_stats},
    {"abort_job", abort_job},
    {"get_block_job_info", get_block_job_info},
    {"settle", settle},
    {NULL, NULL},
};

/* -- the driver ---------------------------------------------------------------------------------------------------- */

static json_t *capabilities(void)
{
    json_t *features = json_pack("[s, s]", "second_client", "second_domain");

    if (connections[CLIENTS_MAX - 1])
        json_array_append_new(features, json_string("read_only_client"));
    return json_pack("{s:[s, s], s:o, s:i, s:[s], s:b, s:i, s:[s]}", "disks", disks[0], disks[1], "features", features,
                     "parallel_backups", 1, "transient", "backup-push", "abort_is_asynchronous", 1,
                     "lock_wait_seconds", LOCK_WAIT_SECONDS, "waiting_calls", "backup_begin");
}

static json_t *versions(void)
{
    unsigned long version = 0;
    char text[64];

    virConnectGetLibVersion(connections[0], &version);
    snprintf(text, sizeof text, "%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
    return json_pack("{s:s}", "libvirt", text);
}

static void *run_events(void *nothing)
{
    while (virEventRunDefaultImpl() == 0)
        ;
    return nothing;
}

static bool connect_all(const char *uri)
{
    pthread_t events;
    char *kvm;

    virSetErrorFunc(NULL, quiet);
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
        return false;
    /* An embedded driver and the keep-alive of a remote one need it. */
    if (pthread_create(&events, NULL, run_events, NULL) != 0)
        return false;
    for (int client = 0; client < CLIENTS_MAX - 1; client++)
        if (!(connections[client] = virConnectOpen(uri)))
            return false;
    connections[CLIENTS_MAX - 1] = virConnectOpenReadOnly(uri);
    if (strstr(uri, ":///embed"))
        autodestroy = 0;   /* not supported there; jobtck kills orphans, and such a guest is one */
    kvm = virConnectGetDomainCapabilities(connections[0], NULL, NULL, NULL, "kvm", 0);
    if (kvm)
        virtualization = "kvm";
    free(kvm);
    return true;
}

int main(int count, char **arguments)
{
    const struct driver driver = {
        .name = "libvirt-c",
        .design = "default-job",
        .calls = calls,
        .capabilities = capabilities,
        .versions = versions,
        .fresh = fresh,
        .end_all_jobs = end_all_jobs,
        .remove = remove_guests,
    };
    int status;

    if (count != 2) {
        fprintf(stderr, "usage: %s URI\n", arguments[0]);
        return 2;
    }
    if (!connect_all(arguments[1])) {
        fprintf(stderr, "cannot open %s: %s\n", arguments[1], virGetLastErrorMessage());
        return EXIT_FAILURE;
    }
    if (!mkdtemp(root) || chmod(root, 0711) < 0) {
        perror(root);
        return EXIT_FAILURE;
    }
    status = serve_requests(&driver);
    rmdir(root);
    for (int client = 0; client < CLIENTS_MAX; client++)
        if (connections[client])
            virConnectClose(connections[client]);
    return status;
}
