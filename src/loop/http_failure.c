/* Why a request got no answer, in the words and kinds of error.h: a table over libcurl's results.
 * The text names method and host only; a path or a query may hold a secret. */
#include "http_client_private.h"

static const char trust_hint[] =
    "check the host name and the date, or name the CA that signed the server in the CA file";
static const char client_hint[] = "the server wants a client certificate that it trusts";
static const char files_hint[] = "check the client certificate, key and CA files";

static const struct explanation {
    CURLcode code;
    enum failure kind;
    const char *text;
    const char *hint;
} explanations[] = {
    {CURLE_COULDNT_RESOLVE_HOST, FAILURE_LATER, "the host name cannot be resolved", NULL},
    {CURLE_COULDNT_RESOLVE_PROXY, FAILURE_LATER, "the proxy's name cannot be resolved", NULL},
    {CURLE_COULDNT_CONNECT, FAILURE_LATER, "cannot connect", NULL},
    {CURLE_OPERATION_TIMEDOUT, FAILURE_LATER, "connecting took too long", NULL},
    {CURLE_SEND_ERROR, FAILURE_LATER, "the connection broke while sending", NULL},
    {CURLE_SEND_FAIL_REWIND, FAILURE_LATER, "the connection broke while sending", NULL},
    {CURLE_RECV_ERROR, FAILURE_LATER, "the connection broke while receiving", NULL},
    {CURLE_GOT_NOTHING, FAILURE_LATER, "the connection was closed without an answer", NULL},
    {CURLE_PARTIAL_FILE, FAILURE_LATER, "the answer was cut short", NULL},
    {CURLE_HTTP2, FAILURE_LATER, "the HTTP/2 connection broke", NULL},
    {CURLE_HTTP2_STREAM, FAILURE_LATER, "the HTTP/2 stream broke", NULL},
    {CURLE_SSL_CONNECT_ERROR, FAILURE_LATER, "TLS could not be set up",
     "check that the server speaks TLS on this port"},
    {CURLE_PEER_FAILED_VERIFICATION, FAILURE_DENIED, "the server's certificate is not trusted",
     trust_hint},
    {CURLE_SSL_CERTPROBLEM, FAILURE_SYSTEM, "a TLS file cannot be used", files_hint},
    {CURLE_SSL_CACERT_BADFILE, FAILURE_SYSTEM, "a TLS file cannot be used", files_hint},
    {CURLE_SSL_CIPHER, FAILURE_SYSTEM, "TLS cannot be set up here", NULL},
    {CURLE_PROXY, FAILURE_LATER, "the proxy refused", NULL},
    {CURLE_WEIRD_SERVER_REPLY, FAILURE_INPUT, "the answer is not HTTP", NULL},
    {CURLE_UNSUPPORTED_PROTOCOL, FAILURE_INPUT, "the answer is not HTTP/1.1 or HTTP/2", NULL},
    {CURLE_BAD_CONTENT_ENCODING, FAILURE_INPUT, "the answer's encoding is broken", NULL},
    {CURLE_URL_MALFORMAT, FAILURE_INPUT, "the URL is malformed", NULL},
    /* What libcurl says of a header line beyond its own 100 KiB. */
    {CURLE_OUT_OF_MEMORY, FAILURE_LIMIT, "the answer holds a line that is too long", NULL},
    {CURLE_FILESIZE_EXCEEDED, FAILURE_LIMIT, "the answer is too large", NULL},
};

static const struct explanation *find(CURLcode code)
{
    static const struct explanation other = {
        .kind = FAILURE_SYSTEM,
        .text = "the request failed",
    };
    for (size_t i = 0; i < ARRAY_COUNT(explanations); i++) {
        if (explanations[i].code == code)
            return &explanations[i];
    }
    return &other;
}

/* With TLS 1.3 a server that misses our certificate says so after the handshake, as an alert in the
 * place of an answer. */
static bool wants_certificate(const char *curl_error)
{
    static const char *const alerts[] = {"certificate required", "alert bad certificate",
                                         "alert unknown ca", "sslv3 alert handshake failure",
                                         "alert certificate unknown"};
    for (size_t i = 0; i < ARRAY_COUNT(alerts); i++) {
        if (strstr(curl_error, alerts[i]) != NULL)
            return true;
    }
    return false;
}

bool transfer_is_safe(const char *method)
{
    return text_equal(method, "GET") || text_equal(method, "HEAD") || text_equal(method, "OPTIONS");
}

static void explain_code(struct transfer *transfer)
{
    struct error *err = &transfer->response.error;
    const struct explanation *known = find(transfer->curl_code);
    AUTO_FREE char *detail =
        text_printable(transfer->curl_error[0] != '\0' ? transfer->curl_error
                                                       : curl_easy_strerror(transfer->curl_code),
                       200);
    if (wants_certificate(transfer->curl_error)) {
        error_set(err, FAILURE_DENIED, "%s (%s)", "the server refused our identity", detail);
        error_hint(err, "%s", client_hint);
        return;
    }
    error_set(err, known->kind, "%s (%s)", known->text, detail);
    if (known->hint != NULL)
        error_hint(err, "%s", known->hint);
}

void transfer_explain(struct transfer *transfer)
{
    struct error *err = &transfer->response.error;
    if (!transfer->has_failed)
        explain_code(transfer);
    if (err->kind == FAILURE_LATER && transfer->response.sent &&
        !transfer_is_safe(transfer->method))
        err->kind = FAILURE_UNCERTAIN;
    if (transfer->host_port != NULL)
        error_wrap(err, "%s %s", transfer->method, transfer->host_port);
}
