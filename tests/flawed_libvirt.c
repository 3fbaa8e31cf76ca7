/* Libvirt with one flaw, laid over the real library by LD_PRELOAD; $JOBTCK_FLAW says which.
 *
 * no-backup    the XML of a backup is asked for where there is none: a null pointer is followed
 * second-begin a begin that fails beside a running job aborts the process
 * no-return    the abort of a block job never returns while one runs
 * guest-dies   QEMU is killed with every $JOBTCK_EVERY-th pull that is ended, or with each
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

static int has(const char *flaw)
{
    const char *chosen = getenv("JOBTCK_FLAW");

    return chosen != NULL && strcmp(chosen, flaw) == 0;
}

char *virDomainBackupGetXMLDesc(virDomainPtr domain, unsigned int flags)
{
    char *text = REAL(virDomainBackupGetXMLDesc)(domain, flags);
    char *volatile missing = NULL;

    if (text == NULL && flags == 0 && has("no-backup"))
        missing[0] = 'x';
    return text;
}

static int has_job(virDomainPtr domain)
{
    virDomainJobInfo info;

    return REAL(virDomainGetJobInfo)(domain, &info) == 0 && info.type != VIR_DOMAIN_JOB_NONE;
}

static int copies(virDomainPtr domain)
{
    virDomainBlockJobInfo info;

    return REAL(virDomainGetBlockJobInfo)(domain, "vda", &info, 0) == 1 ||
           REAL(virDomainGetBlockJobInfo)(domain, "vdb", &info, 0) == 1;
}

int virDomainBackupBegin(virDomainPtr domain, const char *backup, const char *checkpoint, unsigned int flags)
{
    int copying = has("second-begin") && copies(domain);
    int result = REAL(virDomainBackupBegin)(domain, backup, checkpoint, flags);

    if (result < 0 && copying)
        abort();
    return result;
}

int virDomainBlockJobAbort(virDomainPtr domain, const char *disk, unsigned int flags)
{
    while (has("no-return") && copies(domain))
        pause();
    return REAL(virDomainBlockJobAbort)(domain, disk, flags);
}

int virDomainAbortJob(virDomainPtr domain)
{
    static int ended;
    const char *every = getenv("JOBTCK_EVERY");
    char *text = has("guest-dies") && has_job(domain) ? REAL(virDomainBackupGetXMLDesc)(domain, 0) : NULL;
    int is_pull = text != NULL && strstr(text, "mode='pull'") != NULL;
    int result = REAL(virDomainAbortJob)(domain);

    free(text);
    if (result == 0 && is_pull && ++ended % (every != NULL ? atoi(every) : 1) == 0) {
        char command[256];

        snprintf(command, sizeof(command), "pkill -KILL -f 'guest[=]%s,'", virDomainGetName(domain));
        if (system(command) != 0)
            abort();
        while (virDomainIsActive(domain) == 1)
            usleep(1000);
    }
    return result;
}
