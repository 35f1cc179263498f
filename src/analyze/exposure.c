/* See exposure.h. Both lists are ours; what is in neither is not thereby harmless. */
#include "analyze/exposure.h"

/* Whether the words of a name in upper case, which _ separates, hold this one (which may be several: API_KEY). */
static bool has_part(struct str name, const char *part)
{
        struct str p = str_of(part);
        for (size_t k = 0; k + p.n <= name.n; k++) {
                bool starts = k == 0 || name.p[k - 1] == '_' || name.p[k - 1] == '-';
                bool ends = k + p.n == name.n || name.p[k + p.n] == '_' || name.p[k + p.n] == '-';
                if (starts && ends && str_eq_nocase(str_upto(str_from(name, k), p.n), p))
                        return true;
        }
        return false;
}

bool is_secret_name(struct str name)
{
        static const char *const secret[] = {
                "PASSWORD",   "PASSWD",      "PASSPHRASE",        "PWD_HASH",       "SECRET",
                "SECRETS",    "TOKEN",       "API_KEY",           "APIKEY",         "PRIVATE_KEY",
                "ACCESS_KEY", "SECRET_KEY",  "SIGNING_KEY",       "ENCRYPTION_KEY", "AUTH_KEY",
                "MASTER_KEY", "CREDENTIALS", "CREDENTIAL",        "CLIENT_SECRET",  "SSH_KEY",
                "DEPLOY_KEY", "LICENSE_KEY", "CONNECTION_STRING", "PASS",           "PAT",
        };
        static const char *const glued[] = { "PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY" };
        static const char *const about[] = {
                "_FILE",     "_PATH",   "_DIR",    "_NAME",     "_TTL",       "_URL",        "_URI",
                "_HOST",     "_PORT",   "_LENGTH", "_EXPIRY",   "_EXPIRES",   "_EXPIRATION", "_TYPE",
                "_ID",       "_ARN",    "_REF",    "_PUBLIC",   "_ALGORITHM", "_ENABLED",    "_REQUIRED",
                "_PROVIDER", "_POLICY", "_ISSUER", "_LIFETIME", "_HEADER",    "_ENDPOINT",   "_VERSION",
                "_PREFIX",   "_COUNT",  "_LIMIT",  "_MIN",      "_MAX",
        };
        if (str_ends_in_nocase(name, about, ARRAY_SIZE(about)) || has_part(name, "PUBLIC"))
                return false;
        for (size_t k = 0; k < ARRAY_SIZE(secret); k++)
                if (has_part(name, secret[k]))
                        return true;
        return str_ends_in_nocase(name, glued, ARRAY_SIZE(glued));
}

static const struct {
        unsigned first, last;
        const char *what;
} maintenance_ports[] = {
        { 21, 21, "FTP" },
        { 22, 22, "SSH" },
        { 23, 23, "Telnet" },
        { 111, 111, "portmapper" },
        { 445, 445, "SMB" },
        { 512, 514, "r-services" },
        { 2222, 2222, "SSH" },
        { 2375, 2376, "Docker's API" },
        { 2379, 2380, "etcd" },
        { 3389, 3389, "RDP" },
        { 5005, 5005, "JDWP" },
        { 5900, 5910, "VNC" },
        { 5985, 5986, "WinRM" },
        { 6443, 6443, "Kubernetes' API" },
        { 9229, 9229, "Node's debugger" },
        { 10250, 10250, "the kubelet" },
};

const char *maintenance_port(uint64_t first, uint64_t last)
{
        for (size_t n = 0; n < ARRAY_SIZE(maintenance_ports); n++)
                if (first <= maintenance_ports[n].last && last >= maintenance_ports[n].first)
                        return maintenance_ports[n].what;
        return NULL;
}
