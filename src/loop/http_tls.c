/* The server's side of TLS: certificates, versions, and who the client is (home of libssl). */
#include "http_server_private.h"

#include <openssl/err.h>
#include <openssl/x509.h>

enum { SUBJECT_MAX = 512 };

/* Takes the oldest reason from OpenSSL's queue: it is the nearest to the cause. */
static int tls_error(struct error *err, const char *what, const char *file)
{
    unsigned long code = ERR_get_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    ERR_clear_error();
    AUTO_FREE char *name = text_printable(file, 128);
    return error_set(err, FAILURE_INPUT, "cannot use the %s %s: %s", what, name,
                     reason == NULL ? "unknown TLS error" : reason);
}

/* A key that wants a pass phrase must not make a daemon wait at a terminal. */
static int no_passphrase(char *buffer, int size, int is_writing, void *argument)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)argument;
    return -1;
}

static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_size,
                           const unsigned char *offered, unsigned offered_size, void *argument)
{
    (void)ssl;
    (void)argument;
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, ret_size, ours, sizeof(ours) - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int load_identity(SSL_CTX *tls, const struct http_server_options *options, struct error *err)
{
    const char *certificate = options->tls_certificate_file;
    const char *key = options->tls_key_file;
    if (key == NULL)
        return error_set(err, FAILURE_INPUT, "a TLS certificate is given without its key");
    if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1)
        return tls_error(err, "TLS certificate", certificate);
    if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(tls) != 1)
        return tls_error(err, "TLS key", key);
    return 0;
}

static int require_clients(SSL_CTX *tls, const char *ca_file, struct error *err)
{
    if (ca_file == NULL)
        return 0;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca_file);
    if (names == NULL || SSL_CTX_load_verify_locations(tls, ca_file, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return tls_error(err, "client CA file", ca_file);
    }
    SSL_CTX_set_client_CA_list(tls, names);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}

int http_tls_new(const struct http_server_options *options, SSL_CTX **ret, struct error *err)
{
    static const unsigned char session_context[] = "regwarden";
    ERR_clear_error();
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL)
        return error_set(err, FAILURE_SYSTEM, "cannot set up TLS");
    SSL_CTX_set_default_passwd_cb(tls, no_passphrase);
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_options(tls, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(tls, session_context, sizeof(session_context) - 1);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
    if (load_identity(tls, options, err) != 0 ||
        require_clients(tls, options->tls_client_ca_file, err) != 0) {
        SSL_CTX_free(tls);
        return FAILURE_INPUT;
    }
    *ret = tls;
    return 0;
}

char *http_tls_subject(SSL *ssl)
{
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == NULL || SSL_get_verify_result(ssl) != X509_V_OK)
        return NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        return NULL;
    char *subject = NULL;
    char *bytes = NULL;
    if (X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) > 0) {
        long size = BIO_get_mem_data(bio, &bytes);
        if (size > 0 && size <= SUBJECT_MAX)
            subject = memory_copy_bytes(bytes, (size_t)size);
    }
    BIO_free(bio);
    return subject;
}

void http_tls_end(SSL *ssl)
{
    SSL_shutdown(ssl);
    ERR_clear_error(); /* what is left in the thread's queue would be read as the next call's */
}
