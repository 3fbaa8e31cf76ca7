/* jobtck's protocol for a driver in C: JSON lines on standard input and output. There is nothing to change here. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <jansson.h>
#include <stdbool.h>

#define DOMAINS 2                /* of guests */
#define UNKNOWN_FLAG (1U << 30)  /* means nothing to anybody */

struct guests;                   /* two domains and all that is on them, as the driver keeps them */

/* Serves one call on a domain (0 or 1) and returns its outcome. Calls about the same guests come one after the
   other; those about different guests come side by side, in threads of their own. */
typedef json_t *serve_function(struct guests *guests, int domain, json_t *call);

struct call {
    const char *name;
    serve_function *serve;
};

struct driver {
    const char *name;
    const char *design;              /* see `jobtck list designs` */
    const struct call *calls;        /* these are declared; the last one has no name */
    json_t *(*capabilities)(void);   /* all the others */
    json_t *(*versions)(void);
    struct guests *(*fresh)(void);   /* two running domains on which no job ever began; NULL after complain() */
    int (*end_all_jobs)(struct guests *guests);  /* 0, or -1 after complain() */
    void (*remove)(struct guests *guests);
};

/* Answers requests until there are no more; the exit status. */
int serve_requests(const struct driver *driver);

/* Says why something cannot be had at all, which ends the run; a call that is refused is an outcome. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

json_t *done(void);
json_t *refusal(const char *kind, const char *code, const char *text);

/* What a call says: whether its flaw is that one, a text (NULL where there is none), a switch. */
bool has_flaw(json_t *call, const char *flaw);
const char *text_of(json_t *call, const char *name);
bool is_set(json_t *call, const char *name);

#endif
