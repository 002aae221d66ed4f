/*
 * Certificates and keys made for one test run, in a folder that goes away with it. ECDSA P-256, valid
 * for an hour, and named so that nobody takes them for real ones.
 */
#ifndef ONEKEY_TEST_CERTIFICATES_H
#define ONEKEY_TEST_CERTIFICATES_H

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "daemon/base/attributes.h"

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    char certificate_path[200], key_path[200];
};

static inline void add_extension(X509 *certificate, int id, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, id, value);
    assert(extension && X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

static inline void identity_write(struct identity *identity)
{
    FILE *file = fopen(identity->certificate_path, "w");
    assert(file && PEM_write_X509(file, identity->certificate));
    fclose(file);
    file = fopen(identity->key_path, "w");
    assert(file && PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
}

/* Writes folder/name.pem and folder/name.key. `alternative_names` as "DNS:one,IP:127.0.0.1". Either may
 * be NULL. Without an issuer it is signed by itself, as an authority. */
UNUSED static struct identity identity_make(const char *folder, const char *name,
                                            const char *common_name, const char *alternative_names,
                                            const struct identity *issuer)
{
    static long serial = 1;
    struct identity made = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
    X509_NAME *subject = X509_get_subject_name(made.certificate);

    snprintf(made.certificate_path, sizeof(made.certificate_path), "%s/%s.pem", folder, name);
    snprintf(made.key_path, sizeof(made.key_path), "%s/%s.key", folder, name);
    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), 3600);
    X509_set_pubkey(made.certificate, made.key);
    if (common_name)
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                   -1, -1, 0);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
                               (const unsigned char *)"Made for a test", -1, -1, 0);
    X509_set_issuer_name(made.certificate,
                         issuer ? X509_get_subject_name(issuer->certificate) : subject);
    if (!issuer)
        add_extension(made.certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (alternative_names)
        add_extension(made.certificate, NID_subject_alt_name, alternative_names);
    assert(X509_sign(made.certificate, issuer ? issuer->key : made.key, EVP_sha256()));
    identity_write(&made);
    return made;
}

UNUSED static void identity_free(struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
}

/* A new folder, its path in `folder` (at least 64 bytes). */
UNUSED static void folder_make(char *folder)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, 64, "%s/onekey-test-XXXXXX", parent && strlen(parent) < 40 ? parent : "/tmp");
    char *made = mkdtemp(folder);
    assert(made);
    (void)made;
}

/* Removes the folder and the files in it; no folders within are expected. */
UNUSED static void folder_remove(const char *folder)
{
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    if (entries)
        closedir(entries);
    rmdir(folder);
}

#endif
