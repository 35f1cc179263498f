/* See users.h. A container's root is that of any process in it. */
#include "serve/users.h"

#include "base/fs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_AGAIN_NS UINT64_C(1000000000)

enum users_file { FILE_PASSWD, FILE_GROUP, FILES };

struct users_text {
        struct buf text;
        struct stat seen; /* of the file that it was read from; st_ino 0: none */
        uint64_t looked_ns;
};

struct users_of {
        uint64_t cgroup_id; /* 0: the host */
        struct users_text files[FILES];
};

static void forget(struct users_of *o)
{
        for (size_t i = 0; i < FILES; i++)
                buf_done(&o->files[i].text);
}

void users_done(struct users *u)
{
        for (size_t i = 0; i < u->n; i++)
                forget(&u->v[i]);
        vec_done(u);
}

static void forget_at(struct users *u, size_t i)
{
        forget(&u->v[i]);
        memmove(u->v + i, u->v + i + 1, (--u->n - i) * sizeof(*u->v));
        vec_shrink(u);
}

void users_forget(struct users *u, uint64_t cgroup_id)
{
        for (size_t i = 0; i < u->n; i++)
                if (u->v[i].cgroup_id == cgroup_id) {
                        forget_at(u, i);
                        return;
                }
}

/* The oldest makes room: which one it was costs nothing but a look at its files. */
static struct users_of *find(struct users *u, uint64_t cgroup_id)
{
        for (size_t i = 0; i < u->n; i++)
                if (u->v[i].cgroup_id == cgroup_id)
                        return &u->v[i];
        if (u->n == USERS_CONTAINERS_MAX)
                forget_at(u, 0);
        struct users_of *o = vec_push(u);
        *o = (struct users_of){ .cgroup_id = cgroup_id };
        for (size_t i = 0; i < FILES; i++)
                o->files[i].text = (struct buf)BUF_INIT(USERS_FILE_MAX);
        return o;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
        return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
               a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
               a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* O_NONBLOCK: a fifo of that name must not hold us. */
static int open_file(const struct container_entry *c, uint32_t pid, const char *name)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%u/root", c ? pid : (uint32_t)getpid());
        _cleanup_(closep) int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0 && c && c->facts.pid) {
                snprintf(path, sizeof(path), "/proc/%llu/root", (unsigned long long)c->facts.pid);
                root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        }
        return root < 0 ? root : open_in_root(root, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

static void look(struct users_text *t, const struct container_entry *c, uint32_t pid, const char *name)
{
        struct stat st;
        _cleanup_(closep) int fd = open_file(c, pid, name);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || is_same(&st, &t->seen))
                return;
        t->text.n = 0;
        t->seen = st;
        if ((size_t)st.st_size > USERS_FILE_MAX || read_all(fd, &t->text) < 0)
                t->text.n = 0;
}

static const char *const names[FILES] = { "/etc/passwd", "/etc/group" };

static struct users_text *text_of(struct users *u, const struct container_entry *c, uint32_t pid, uint64_t now_ns,
                                  enum users_file file)
{
        struct users_text *t = &find(u, c ? c->cgroup_id : 0)->files[file];
        if (t->looked_ns == 0 || now_ns - t->looked_ns > LOOK_AGAIN_NS) {
                t->looked_ns = now_ns;
                look(t, c, pid, names[file]);
        }
        return t;
}

bool users_user(struct users *u, const struct container_entry *c, uint32_t pid, uint64_t now_ns, uint32_t uid,
                struct passwd_user *ret)
{
        struct users_text *t = text_of(u, c, pid, now_ns, FILE_PASSWD);
        if (passwd_user_of(buf_str(&t->text), uid, ret))
                return true;
        look(t, c, pid, names[FILE_PASSWD]);
        return passwd_user_of(buf_str(&t->text), uid, ret);
}

bool users_group(struct users *u, const struct container_entry *c, uint32_t pid, uint64_t now_ns, uint32_t gid,
                 struct str *ret_name)
{
        struct users_text *t = text_of(u, c, pid, now_ns, FILE_GROUP);
        if (passwd_group_of(buf_str(&t->text), gid, ret_name))
                return true;
        look(t, c, pid, names[FILE_GROUP]);
        return passwd_group_of(buf_str(&t->text), gid, ret_name);
}
