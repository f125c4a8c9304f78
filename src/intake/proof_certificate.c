/* The client certificate of the TLS connection. The listener has checked it against
 * tls.client-ca-file; here only its subject counts, so that one registry's certificate does not
 * open another's hook. A proxy that ends TLS in front is no such connection: it adds a secret. */
#include "proofs.h"

static enum proof_state certificate_prove(const struct proof_input *input,
                                          struct proof_outcome *ret, struct error *err)
{
    (void)ret;
    const struct text_list *clients = &input->hook->registry->hook_clients;
    if (input->subject != NULL && text_list_has(clients, input->subject))
        return PROOF_PROVEN;
    if (input->subject == NULL) {
        error_set(err, FAILURE_DENIED, "the connection has no client certificate");
        error_hint(err, "Send notifications over TLS to regwarden itself, with a certificate.");
        return PROOF_REFUSED;
    }
    AUTO_FREE char *shown = text_printable(input->subject, 200);
    error_set(err, FAILURE_DENIED, "the client certificate is of \"%s\"", shown);
    error_hint(err, "Add this subject to the registry's hook-clients if it may send events.");
    return PROOF_REFUSED;
}

static int certificate_prepare(const struct config *config, struct hook *hook, struct error *err)
{
    if (config->tls_client_ca_file == NULL || config->tls_certificate_file == NULL) {
        error_set(err, FAILURE_INPUT, "hook-proof is certificate, but no listener asks for one");
        return error_hint(err, "Set tls.certificate-file, tls.key-file and tls.client-ca-file.");
    }
    if (hook->registry->hook_clients.count > 0)
        return 0;
    error_set(err, FAILURE_INPUT, "hook-proof is certificate, but hook-clients is empty");
    return error_hint(err, "List the subjects of the certificates that may send, for instance "
                           "\"CN=registry.example.com\".");
}

const struct proof proof_certificate = {
    .prepare = certificate_prepare,
    .prove = certificate_prove,
};
