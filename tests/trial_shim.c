/* Mistakes laid over libvirt's public calls: cc -shared -fPIC, LD_PRELOAD, and MISTAKES=NAME:N,…, made one time in N.
 * The library itself does its work; what its caller hears of it, or what follows, is wrong. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEXT(call) ((__typeof__(&call)) dlsym(RTLD_NEXT, #call))
#define GUESTS 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char stuck[GUESTS][VIR_UUID_BUFLEN]; /* guests whose address stays taken */

/* Whether the mistake is made this time, of the times that it could be. */
static int is_made(const char *name, unsigned int *times)
{
    const char *wanted = getenv("MISTAKES"), *found = wanted ? strstr(wanted, name) : NULL;

    if (!found || (found != wanted && found[-1] != ',') || found[strlen(name)] != ':')
        return 0;
    return __atomic_add_fetch(times, 1, __ATOMIC_RELAXED) % (unsigned int) atoi(found + strlen(name) + 1) == 0;
}
#define made(name) ({ static unsigned int times; is_made(name, &times); })

static int refuse(int code, const char *text)
{
    void (*report)(int, int, const char *, const char *, size_t, const char *, ...);

    *(void **) &report = dlsym(RTLD_DEFAULT, "virReportErrorHelper"); /* as drivers do */
    if (report)
        report(VIR_FROM_QEMU, code, "", "", 0, "%s", text);
    return -1;
}

static int has_pull(virDomainPtr domain)
{
    char *xml = NEXT(virDomainBackupGetXMLDesc)(domain, 0);
    int found = xml && strstr(xml, "mode='pull'");

    free(xml);
    virResetLastError();
    return found;
}

/* The place of the guest among those that are stuck; -1 if it is not. With *put* it gets one. */
static int place(virDomainPtr domain, int put)
{
    static const char none[VIR_UUID_BUFLEN];
    unsigned char uuid[VIR_UUID_BUFLEN];
    int at = -1, free_at = -1;

    virDomainGetUUID(domain, uuid);
    pthread_mutex_lock(&lock);
    for (int i = 0; i < GUESTS; i++) {
        if (!memcmp(stuck[i], uuid, sizeof(uuid)))
            at = i;
        else if (!memcmp(stuck[i], none, sizeof(none)))
            free_at = i;
    }
    if (at < 0 && put && free_at >= 0)
        memcpy(stuck[free_at], uuid, sizeof(uuid));
    pthread_mutex_unlock(&lock);
    return at;
}

int virDomainBackupBegin(virDomainPtr domain, const char *backup, const char *checkpoint, unsigned int flags)
{
    if (backup && strstr(backup, "pull") && place(domain, 0) >= 0)
        return refuse(VIR_ERR_OPERATION_FAILED, "Failed to bind socket: Address already in use");
    return NEXT(virDomainBackupBegin)(domain, backup, checkpoint, flags);
}

int virDomainAbortJob(virDomainPtr domain)
{
    int pull = has_pull(domain), result;

    if (pull && made("end-lost"))
        return 0;
    result = NEXT(virDomainAbortJob)(domain);
    if (result < 0 || !pull)
        return result;
    if (made("address-stays"))
        place(domain, 1);
    if (made("guest-dies")) {
        usleep(50000);
        NEXT(virDomainDestroy)(domain);
        virResetLastError();
    }
    return result;
}

int virDomainCreateWithFlags(virDomainPtr domain, unsigned int flags)
{
    int at = place(domain, 0);

    if (at >= 0)
        memset(stuck[at], 0, VIR_UUID_BUFLEN);
    return NEXT(virDomainCreateWithFlags)(domain, flags);
}

int virDomainGetJobStats(virDomainPtr domain, int *type, virTypedParameterPtr *params, int *count, unsigned int flags)
{
    virDomainJobInfo info;

    if (!(flags & VIR_DOMAIN_JOB_STATS_COMPLETED) && NEXT(virDomainGetJobInfo)(domain, &info) == 0 &&
        info.type != VIR_DOMAIN_JOB_NONE && made("stats-internal"))
        return refuse(VIR_ERR_INTERNAL_ERROR, "a job is running, and has no statistics");
    return NEXT(virDomainGetJobStats)(domain, type, params, count, flags);
}

static virConnectDomainEventJobCompletedCallback told_of;

static void tell(virConnectPtr conn, virDomainPtr domain, virTypedParameterPtr params, int count, void *opaque)
{
    if (!made("event-lost"))
        told_of(conn, domain, params, count, opaque);
}

int virConnectDomainEventRegisterAny(virConnectPtr conn, virDomainPtr domain, int event,
                                     virConnectDomainEventGenericCallback callback, void *opaque,
                                     virFreeCallback release)
{
    if (event == VIR_DOMAIN_EVENT_ID_JOB_COMPLETED) {
        *(virConnectDomainEventGenericCallback *) &told_of = callback;
        callback = VIR_DOMAIN_EVENT_CALLBACK(tell);
    }
    return NEXT(virConnectDomainEventRegisterAny)(conn, domain, event, callback, opaque, release);
}
