/*
 * The files of an image that its checks want to know: noted while the layers are merged, by mode, attribute and name.
 * See image-checks.h.
 */
#include "flow/image-checks.h"

static const struct {
        enum image_list list;
        const char *names; /* in a directory of programs */
} programs[] = {
        { IMAGE_MANAGERS, "apt-get apt dpkg apk yum dnf microdnf rpm zypper pip pip3 npm gem" },
        { IMAGE_COMPILERS, "gcc cc g++ clang tcc as ld make cmake go rustc cargo javac" },
        { IMAGE_SHELLS, "sh bash dash ash zsh ksh busybox" },
        { IMAGE_TOOLS, "curl wget nc ncat netcat socat nmap telnet ssh scp ftp tcpdump gdb strace" },
};

static bool is_one_of(struct str name, const char *names)
{
        struct str rest = str_of(names);
        while (rest.p)
                if (str_eq(str_cut(&rest, ' '), name))
                        return true;
        return false;
}

static void note(struct image_files *f, enum image_list list, struct str path, struct str words)
{
        f->counts[list]++;
        if (f->lists[list].n < IMAGE_NOTED_MAX)
                *vec_push(&f->lists[list]) =
                        (struct image_file){ arena_str(f->arena, path), arena_str(f->arena, words) };
}

static void note_program(struct image_files *f, struct str path)
{
        static const char *const directories[] = { "bin/",           "sbin/",           "usr/bin/",         "usr/sbin/",
                                                   "usr/local/bin/", "usr/local/sbin/", "usr/local/go/bin/" };
        size_t slash = (size_t)(str_rfind_char(path, '/') + 1);
        bool is_program = false;
        for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
                is_program |= str_is(str_upto(path, slash), directories[i]);
        for (size_t i = 0; is_program && i < ARRAY_SIZE(programs); i++)
                if (is_one_of(str_from(path, slash), programs[i].names))
                        note(f, programs[i].list, path, STR_NONE);
}

/* The permitted capabilities of vfs_cap_data (linux/capability.h): magic, then permitted and inheritable, 32 bits each.
 */
static struct str capability_names(struct str bytes, struct arena *arena)
{
        static const char *const names[] = {
                "chown",
                "dac_override",
                "dac_read_search",
                "fowner",
                "fsetid",
                "kill",
                "setgid",
                "setuid",
                "setpcap",
                "linux_immutable",
                "net_bind_service",
                "net_broadcast",
                "net_admin",
                "net_raw",
                "ipc_lock",
                "ipc_owner",
                "sys_module",
                "sys_rawio",
                "sys_chroot",
                "sys_ptrace",
                "sys_pacct",
                "sys_admin",
                "sys_boot",
                "sys_nice",
                "sys_resource",
                "sys_time",
                "sys_tty_config",
                "mknod",
                "lease",
                "audit_write",
                "audit_control",
                "setfcap",
                "mac_override",
                "mac_admin",
                "syslog",
                "wake_alarm",
                "block_suspend",
                "audit_read",
                "perfmon",
                "bpf",
                "checkpoint_restore",
        };
        struct cursor c = cursor_from(bytes);
        (void)cursor_le32(&c);
        uint64_t permitted = cursor_le32(&c);
        (void)cursor_le32(&c);
        if (bytes.n >= 20)
                permitted |= (uint64_t)cursor_le32(&c) << 32;
        if (!cursor_ok(&c))
                return STR("malformed");
        struct buf b = BUF_INIT(1024);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (permitted >> i & 1)
                        buf_printf(&b, "%s%s", b.n ? " " : "", names[i]);
        struct str ret = arena_str(arena, buf_str(&b));
        buf_done(&b);
        return ret;
}

static int on_entry(void *arg, const struct ledger_entry *e)
{
        struct image_files *f = arg;
        const struct fact_file *file = e->file;
        bool is_file = file->type == FILE_REGULAR || file->type == FILE_HARDLINK;
        if (e->deleted_by == NONE) {
                if (is_file || file->type == FILE_SYMLINK)
                        note_program(f, file->path);
                if (is_file && (file->mode & 06000))
                        note(f, e->package.n ? IMAGE_SETID_OWNED : IMAGE_SETID_UNKNOWN, file->path, STR_NONE);
                if (is_file && (file->mode & 0002))
                        note(f, IMAGE_WRITABLE_FILES, file->path, STR_NONE);
                if (is_file && file->capability.n)
                        note(f, IMAGE_CAPABLE, file->path, capability_names(file->capability, f->arena));
        }
        return f->next && f->next->entry ? f->next->entry(f->next->arg, e) : 0;
}

/* A directory that a later layer lists again is as that one says. */
static void on_directory(void *arg, const struct fact_file *file, size_t layer)
{
        struct image_files *f = arg;
        f->has_tmp |= str_is(file->path, "tmp");
        f->has_run |= str_is(file->path, "run");
        struct image_directory *d = map_str_get(&f->directories, file->path);
        bool is_odd = (file->mode & 0002 && !(file->mode & 01000)) || file->uid;
        if (!d && (!is_odd || f->in_order.n == IMAGE_NOTED_MAX))
                return;
        if (!d) {
                d = arena_new(f->arena, struct image_directory);
                d->path = arena_str(f->arena, file->path);
                *map_str_put(&f->directories, d->path, NULL) = d;
                *vec_push(&f->in_order) = d;
        }
        d->mode = file->mode;
        d->uid = file->uid;
}

void image_files_begin(struct image_files *f, struct arena *arena, const struct ledger *next)
{
        *f = (struct image_files){ .ledger = { .entry = on_entry, .directory = on_directory, .arg = f },
                                   .next = next,
                                   .arena = arena };
}

void image_files_done(struct image_files *f)
{
        for (size_t i = 0; i < IMAGE_LISTS; i++)
                vec_done(&f->lists[i]);
        map_str_done(&f->directories);
        vec_done(&f->in_order);
}
