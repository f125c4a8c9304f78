/* CloudEvents over HTTP (cloudevents/spec, http-protocol-binding 1.0): one structured event, a
 * batch, or binary mode, where the attributes are headers and the body is the data. Knows no type
 * of event. */
#ifndef INTAKE_CLOUD_EVENTS_H
#define INTAKE_CLOUD_EVENTS_H

#include "decode.h"

struct cloud_event {
    char *type;
    char *id;                /* NULL when absent */
    const struct json *data; /* NULL when absent; borrowed from the message or from the next */
    struct json *unpacked;   /* of data_base64 */
};
typedef int cloud_event_decode_f(const struct cloud_event *event,
                                 const struct config_registry *registry, struct decoded *decoded,
                                 struct error *err);

/* Are these CloudEvents whose first type begins with `prefix`? */
bool cloud_events_are(const struct hook_message *message, const char *prefix);

/* Calls `decode` for each event. Why one is not understood becomes a fault; the others go on. */
void cloud_events_decode(const struct hook_message *message, const struct config_registry *registry,
                         cloud_event_decode_f *decode, struct decoded *ret);

#endif
