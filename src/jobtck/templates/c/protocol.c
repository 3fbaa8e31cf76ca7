#include "protocol.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROTOCOL "jobtck-adapter/1"
#define COMPLAINT_MAX 512

enum { NO_SUCH_METHOD = -32601, BAD_PARAMETERS = -32602, CANNOT = -32000 };

struct numbered {
    json_int_t number;
    struct guests *guests;
    struct numbered *next;
};

struct request {
    const struct driver *driver;
    json_t *content;
};

static struct numbered *all_guests;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local char complaint[COMPLAINT_MAX];

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint, sizeof complaint, format, arguments);
    va_end(arguments);
}

json_t *done(void)
{
    return json_pack("{s:s}", "outcome", "done");
}

json_t *refusal(const char *kind, const char *code, const char *text)
{
    json_t *outcome = json_pack("{s:s, s:s, s:s}", "outcome", "refusal", "kind", kind, "code", code);
    json_t *words = json_string(text);  /* NULL where it is not UTF-8 */
    json_object_set_new(outcome, "text", words ? words : json_string("not UTF-8"));
    return outcome;
}

const char *text_of(json_t *call, const char *name)
{
    return json_string_value(json_object_get(call, name));
}

bool has_flaw(json_t *call, const char *flaw)
{
    const char *told = text_of(call, "flaw");
    return told && strcmp(told, flaw) == 0;
}

bool is_set(json_t *call, const char *name)
{
    return json_is_true(json_object_get(call, name));
}

static void say(json_t *content)
{
    char *line = json_dumps(content, JSON_COMPACT);
    pthread_mutex_lock(&writing);
    if (!line || puts(line) == EOF || fflush(stdout) == EOF)
        exit(EXIT_FAILURE);
    pthread_mutex_unlock(&writing);
    free(line);
    json_decref(content);
}

static void answer(json_t *id, json_t *result)
{
    say(json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "result", result));
}

static void answer_error(json_t *id, int code, const char *message)
{
    say(json_pack("{s:s, s:O, s:{s:i, s:s}}", "jsonrpc", "2.0", "id", id, "error", "code", code, "message", message));
}

static void hello(const struct driver *driver, json_t *id, json_t *parameters)
{
    const char *wanted = json_string_value(json_object_get(json_object_get(parameters, "design"), "name"));
    json_t *capabilities, *calls;

    if (wanted && strcmp(wanted, driver->design) != 0) {
        answer_error(id, BAD_PARAMETERS, "only one design is played here");
        return;
    }
    calls = json_array();
    for (const struct call *call = driver->calls; call->name; call++)
        json_array_append_new(calls, json_string(call->name));
    capabilities = driver->capabilities();
    json_object_set_new(capabilities, "calls", calls);
    answer(id, json_pack("{s:s, s:s, s:s, s:o, s:o}", "protocol", PROTOCOL, "name", driver->name,
                         "design", driver->design, "versions", driver->versions(), "capabilities", capabilities));
}

static void add_guests(json_int_t number, struct guests *guests)
{
    struct numbered *entry = malloc(sizeof *entry);
    if (!entry)
        abort();
    pthread_mutex_lock(&counting);
    *entry = (struct numbered){number, guests, all_guests};
    all_guests = entry;
    pthread_mutex_unlock(&counting);
}

static struct guests *find_guests(json_int_t number)
{
    struct guests *found = NULL;
    pthread_mutex_lock(&counting);
    for (struct numbered *entry = all_guests; entry; entry = entry->next)
        if (entry->number == number)
            found = entry->guests;
    pthread_mutex_unlock(&counting);
    return found;
}

/* The guests of that number, which nobody finds from now on; any guests for 0. */
static struct guests *take_guests(json_int_t number)
{
    struct guests *taken = NULL;
    pthread_mutex_lock(&counting);
    for (struct numbered **place = &all_guests; *place; place = &(*place)->next) {
        struct numbered *entry = *place;
        if (number == 0 || entry->number == number) {
            taken = entry->guests;
            *place = entry->next;
            free(entry);
            break;
        }
    }
    pthread_mutex_unlock(&counting);
    return taken;
}

static void manage(const struct driver *driver, json_t *id, const char *method, json_int_t number)
{
    struct guests *guests = NULL;

    if (strcmp(method, "fresh") == 0) {
        guests = driver->fresh();
        if (guests)
            add_guests(number, guests);
    } else if (strcmp(method, "end_all_jobs") == 0) {
        guests = find_guests(number);
        if (guests && driver->end_all_jobs(guests) < 0)
            guests = NULL;
    } else if (strcmp(method, "close") == 0) {
        guests = take_guests(number);
        if (guests)
            driver->remove(guests);
    } else {
        answer_error(id, NO_SUCH_METHOD, "there is no such method");
        return;
    }
    if (guests)
        answer(id, json_object());
    else
        answer_error(id, CANNOT, complaint);
}

static void *serve_request(void *argument)
{
    struct request *request = argument;
    const struct driver *driver = request->driver;
    json_t *id = json_object_get(request->content, "id");
    json_t *parameters = json_object_get(request->content, "params");
    const char *method = json_string_value(json_object_get(request->content, "method"));
    json_int_t number = json_integer_value(json_object_get(parameters, "guests"));
    const struct call *call = driver->calls;

    complain("there are no guests %lld", (long long)number);
    while (call->name && strcmp(call->name, method) != 0)
        call++;
    if (call->name) {
        struct guests *guests = find_guests(number);
        int domain = json_integer_value(json_object_get(parameters, "domain"));
        if (guests && domain >= 0 && domain < DOMAINS)
            answer(id, call->serve(guests, domain, parameters));
        else
            answer_error(id, CANNOT, complaint);
    } else {
        manage(driver, id, method, number);
    }
    json_decref(request->content);
    free(request);
    return NULL;
}

static void begin_to_serve(const struct driver *driver, json_t *content)
{
    struct request *request = malloc(sizeof *request);
    pthread_t thread;
    if (!request)
        abort();
    *request = (struct request){driver, content};
    if (pthread_create(&thread, NULL, serve_request, request) != 0)
        abort();
    pthread_detach(thread);
}

int serve_requests(const struct driver *driver)
{
    char *line = NULL;
    size_t room = 0;
    struct guests *left;

    while (getline(&line, &room, stdin) > 0) {
        json_t *content = json_loads(line, 0, NULL);
        json_t *id = json_object_get(content, "id");
        const char *method = json_string_value(json_object_get(content, "method"));
        if (!method) {
            fprintf(stderr, "this is no request: %s", line);
            return EXIT_FAILURE;
        }
        if (id && strcmp(method, "hello") != 0) {
            begin_to_serve(driver, content);
            continue;
        }
        if (id)
            hello(driver, id, json_object_get(content, "params"));
        json_decref(content);  /* a cancellation has no id: what can be answered is answered anyway */
    }
    free(line);
    while ((left = take_guests(0)))
        driver->remove(left);
    return EXIT_SUCCESS;
}
