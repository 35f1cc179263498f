/*
 * Which file an interpreter was started with: found among its arguments when it begins, by the same options as
 * sense/script.c has, and kept until it opens that file. Included once, behind the maps and path.h.
 */
#ifndef SEKISHO_BPF_GUARD_SCRIPTS_H
#define SEKISHO_BPF_GUARD_SCRIPTS_H

#include "bpf/guard/maps.h"
#include "bpf/path.h"

static long word_byte(__u32 i, void *unused)
{
        struct scratch *s = get_scratch();
        if (!s || s->words.at >= s->words.size)
                return 1;
        char c = s->text[BOUNDED(s->words.at)];
        s->words.at++;
        if (c == '/')
                s->words.name = s->words.at;
        return c == '\0';
}

/* The last name of the next word, and on to the one behind it. */
static __always_inline void take_name(struct scratch *s, struct interpreter_name *ret)
{
        s->words.name = s->words.at;
        __builtin_memset(ret, 0, sizeof(*ret));
        bpf_loop(GUARD_ARGS_MAX, word_byte, NULL, 0);
        bpf_probe_read_kernel_str(ret->text, sizeof(ret->text), &s->text[BOUNDED(s->words.name)]);
}

/* Without a login shell's dash, and without what a version adds: python3.11 is python. */
static __always_inline void plain_name(struct interpreter_name *name)
{
        int is_version = 0;
        if (name->text[0] == '-')
                for (int i = 0; i < 15; i++)
                        name->text[i] = name->text[i + 1];
        for (int i = 1; i < 16; i++) {
                char c = name->text[i];
                is_version |= (c >= '0' && c <= '9') || c == '.' || c == '-';
                if (is_version)
                        name->text[i] = 0;
        }
}

static __always_inline struct guard_interpreter *find_interpreter(struct file *file, struct scratch *s)
{
        struct interpreter_name name = { 0 }, title;
        bpf_probe_read_kernel_str(&name.text, sizeof(name.text), BPF_CORE_READ(file, f_path.dentry, d_name.name));
        plain_name(&name);
        struct guard_interpreter *in = bpf_map_lookup_elem(&interpreters, &name);
        take_name(s, &title);
        plain_name(&title);
        if (!in || !in->is_by_title)
                return in;
        in = bpf_map_lookup_elem(&interpreters, &title);
        if (!in || !in->is_by_title)
                return in;
        take_name(s, &title); /* busybox sh x: the second word says it */
        in = bpf_map_lookup_elem(&interpreters, &title);
        return in && !in->is_by_title ? in : NULL;
}

static long search_byte(__u32 i, void *unused)
{
        struct scratch *s = get_scratch();
        if (!s || s->words.at >= s->words.size || s->words.search.is_over)
                return 1;
        script_step(&s->words.search, s->words.at, s->text[BOUNDED(s->words.at)]);
        s->words.at++;
        return 0;
}

/* Notes which file an interpreter was started with, so that its opening can be told from that of its data. */
static __always_inline void note_script(struct task_struct *task, struct file *file, __u32 pid)
{
        struct scratch *s = get_scratch();
        struct script_name name = { 0 };
        unsigned long start = BPF_CORE_READ(task, mm, arg_start);
        unsigned long size = BPF_CORE_READ(task, mm, arg_end) - start;
        if (size > GUARD_ARGS_MAX)
                size = GUARD_ARGS_MAX;
        if (!s || bpf_probe_read_user(s->text, (__u32)size, (void *)start))
                return;
        __builtin_memset(&s->words, 0, sizeof(s->words));
        s->words.size = (__u32)size;
        struct guard_interpreter *in = find_interpreter(file, s);
        if (!in)
                return;
        struct script_search *search = &s->words.search;
        search->no_file = in->no_file;
        search->takes = in->takes;
        search->attached = in->attached;
        search->file = in->file;
        search->is_shell = in->is_shell;
        bpf_loop(GUARD_ARGS_MAX, search_byte, NULL, 0);
        if (!search->is_found)
                return;
        bpf_probe_read_kernel_str(name.text, sizeof(name.text), &s->text[BOUNDED(search->name)]);
        bpf_map_update_elem(&scripts, &pid, &name, BPF_ANY);
}

#endif
