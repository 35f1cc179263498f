/* See ledger.h. Lines are written by hand: there may be millions, and each is flat. */
#include "flow/ledger.h"

#include "base/utf8.h"

#include <errno.h>

static const char *const types[] = { "file",  "directory", "symlink",  "hardlink", "char",
                                     "block", "fifo",      "whiteout", "opaque" };
static const char *const formats[] = { NULL, NULL, "elf", "script", "pe" };

static void put_string(FILE *to, const char *key, struct str s)
{
        fprintf(to, ",\"%s\":\"", key);
        while (s.n) {
                unsigned char c = (unsigned char)s.p[0];
                uint32_t character;
                size_t n = utf8_decode(s, &character);
                if (!n)
                        fputs("\xef\xbf\xbd", to); /* U+FFFD: not UTF-8 */
                else if (c == '"' || c == '\\')
                        fprintf(to, "\\%c", c);
                else if (c < 0x20 || c == 0x7f)
                        fprintf(to, "\\u%04x", c);
                else
                        fwrite(s.p, 1, n, to);
                s = str_from(s, n ? n : 1);
        }
        fputc('"', to);
}

static void put_hex(FILE *to, const char *key, struct str bytes)
{
        fprintf(to, ",\"%s\":\"", key);
        for (size_t i = 0; i < bytes.n; i++)
                fprintf(to, "%02x", (unsigned char)bytes.p[i]);
        fputc('"', to);
}

static int write_entry(void *arg, const struct ledger_entry *e)
{
        FILE *to = arg;
        const struct fact_file *f = e->file;
        fprintf(to, "{\"layer\":%zu", e->layer + 1);
        put_string(to, "path", f->path);
        fprintf(to, ",\"type\":\"%s\"", f->type < ARRAY_SIZE(types) ? types[f->type] : "other");
        if (e->deleted_by == NONE)
                fprintf(to, ",\"state\":\"%s\"", file_state_name(e->state));
        else
                fprintf(to, ",\"state\":\"deleted\",\"deleted_by\":%zu", e->deleted_by + 1);
        if (e->package.n)
                put_string(to, "package", e->package);
        if (e->why.n)
                put_string(to, "why", e->why);
        fprintf(to, ",\"size\":%llu,\"mode\":\"%04llo\",\"uid\":%llu,\"gid\":%llu", (unsigned long long)f->size,
                (unsigned long long)f->mode, (unsigned long long)f->uid, (unsigned long long)f->gid);
        if (f->link.n)
                put_string(to, "link", f->link);
        if (f->format < ARRAY_SIZE(formats) && formats[f->format])
                fprintf(to, ",\"format\":\"%s\"", formats[f->format]);
        if (f->md5.n)
                put_hex(to, "md5", f->md5);
        if (f->sha1.n)
                put_hex(to, "sha1", f->sha1);
        if (f->sha256.n)
                put_hex(to, "sha256", f->sha256);
        fputs("}\n", to);
        return ferror(to) ? (errno ? -errno : -EIO) : 0;
}

struct ledger ledger_to_json_lines(FILE *to) { return (struct ledger){ .entry = write_entry, .arg = to }; }
