/*
 * The tables, as numbered steps from one schema to the next. What was once released is never changed here: a new number
 * is added, and tests/unit/test-book-open.c brings ledgers of every older number up to date.
 *
 *   1  the log
 *   2  what records name by digest, each thing once; and the tables that are derived from the log
 *   3  the programs of packages
 *
 * A change of a derived table alone is also a new number: derived tables are dropped and made again from the log at the
 * end of every migration, so their columns stand here once, as they are now.
 */
#include "store/internal.h"

#include <stdio.h>

#define NO_CHANGE(table)                                                                                               \
        "CREATE TRIGGER " table "_no_update BEFORE UPDATE ON " table                                                   \
        " BEGIN SELECT RAISE(ABORT, 'the ledger only grows: " table "'); END;\n"                                       \
        "CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table                                                   \
        " BEGIN SELECT RAISE(ABORT, 'the ledger only grows: " table "'); END;\n"

static const char *const steps[SCHEMA_NOW + 1] = {
        [1] = "CREATE TABLE record(\n"
              "  sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, behind INTEGER NOT NULL, kind TEXT NOT NULL,\n"
              "  subject TEXT NOT NULL, actor TEXT NOT NULL, body TEXT NOT NULL, previous BLOB NOT NULL,\n"
              "  hash BLOB NOT NULL) STRICT;\n"
              /* INSERT OR REPLACE deletes without asking delete triggers; so a record goes at the end or nowhere. */
              "CREATE TRIGGER record_at_end BEFORE INSERT ON record\n"
              "  WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM record)\n"
              "  BEGIN SELECT RAISE(ABORT, 'the ledger only grows: record'); END;\n" NO_CHANGE(
                      "record") "CREATE TABLE head(\n"
                                "  one INTEGER PRIMARY KEY CHECK (one = 1), id BLOB NOT NULL, sequence INTEGER NOT "
                                "NULL,\n"
                                "  hash BLOB NOT NULL, newest INTEGER NOT NULL) STRICT;\n"
                                "INSERT INTO head SELECT 1, id, 0, id, 0 FROM (SELECT randomblob(32) AS id);\n",
        [2] = "CREATE TABLE os(\n"
              "  os INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, id TEXT NOT NULL, id_like TEXT NOT NULL,\n"
              "  version TEXT NOT NULL, codename TEXT NOT NULL, name TEXT NOT NULL, cpe TEXT NOT NULL) STRICT;\n"
              "CREATE TABLE package(\n"
              "  package INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, type TEXT NOT NULL, name TEXT NOT NULL,\n"
              "  version TEXT NOT NULL, arch TEXT NOT NULL, source TEXT NOT NULL, source_version TEXT NOT NULL,\n"
              "  vendor TEXT NOT NULL, module TEXT NOT NULL, licence TEXT NOT NULL, path TEXT NOT NULL,\n"
              "  origin TEXT NOT NULL) STRICT;\n"
              "CREATE TABLE package_list(\n"
              "  list INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, os INTEGER REFERENCES os, n INTEGER NOT NULL,\n"
              "  members BLOB NOT NULL) STRICT;\n"
              "CREATE TABLE finding(\n"
              "  finding INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, key TEXT NOT NULL, kind TEXT NOT NULL,\n"
              "  id TEXT NOT NULL, package TEXT NOT NULL, version TEXT NOT NULL, fix TEXT NOT NULL,\n"
              "  path TEXT NOT NULL, severity INTEGER NOT NULL, fixable INTEGER NOT NULL,\n"
              "  exploited INTEGER NOT NULL, response TEXT NOT NULL, state TEXT NOT NULL, waiver TEXT NOT NULL,\n"
              "  rule TEXT NOT NULL) STRICT;\n"
              "CREATE TABLE finding_list(\n"
              "  list INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, n INTEGER NOT NULL,\n"
              "  members BLOB NOT NULL) STRICT;\n" NO_CHANGE("os") NO_CHANGE("package") NO_CHANGE("package_list")
                      NO_CHANGE("finding") NO_CHANGE("finding_list"),
        [3] = "CREATE TABLE program(\n"
              "  program INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, package TEXT NOT NULL,\n"
              "  paths TEXT NOT NULL) STRICT;\n"
              "CREATE TABLE program_list(\n"
              "  list INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, n INTEGER NOT NULL,\n"
              "  members BLOB NOT NULL) STRICT;\n" NO_CHANGE("program") NO_CHANGE("program_list"),
};

const struct derived_table derived_tables[] = {
        { "artefact",
          "artefact INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, image_id TEXT NOT NULL, "
          "kind TEXT NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL, container TEXT NOT NULL, host TEXT NOT NULL, "
          "os TEXT NOT NULL DEFAULT '', first INTEGER NOT NULL, last INTEGER NOT NULL, "
          "scanned INTEGER NOT NULL DEFAULT 0, scans INTEGER NOT NULL DEFAULT 0, "
          "data_source TEXT NOT NULL DEFAULT '', data_digest TEXT NOT NULL DEFAULT '', "
          "data_date INTEGER NOT NULL DEFAULT 0, policy TEXT NOT NULL DEFAULT '', verdict TEXT NOT NULL DEFAULT '', "
          "complete INTEGER NOT NULL DEFAULT 0, package_list INTEGER, finding_list INTEGER, "
          "program_list INTEGER, "
          "unknown INTEGER NOT NULL DEFAULT 0, none INTEGER NOT NULL DEFAULT 0, low INTEGER NOT NULL DEFAULT 0, "
          "medium INTEGER NOT NULL DEFAULT 0, high INTEGER NOT NULL DEFAULT 0, critical INTEGER NOT NULL DEFAULT 0, "
          "fixable INTEGER NOT NULL DEFAULT 0, exploited INTEGER NOT NULL DEFAULT 0, "
          "waived INTEGER NOT NULL DEFAULT 0",
          "STRICT", "digest" },
        { "tag",
          "reference TEXT NOT NULL, host TEXT NOT NULL, artefact INTEGER NOT NULL, first INTEGER NOT NULL, "
          "last INTEGER NOT NULL, current INTEGER NOT NULL, PRIMARY KEY (reference, host, artefact)",
          "STRICT, WITHOUT ROWID", "artefact" },
        { "place",
          "artefact INTEGER NOT NULL, host TEXT NOT NULL, container TEXT NOT NULL, first INTEGER NOT NULL, "
          "last INTEGER NOT NULL, PRIMARY KEY (artefact, host, container)",
          "STRICT, WITHOUT ROWID", NULL },
        { "problem", "problem INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, id TEXT NOT NULL, first INTEGER NOT NULL",
          "STRICT", "id" },
        { "sighting",
          "artefact INTEGER NOT NULL, problem INTEGER NOT NULL, finding INTEGER NOT NULL, scan INTEGER NOT NULL, "
          "first INTEGER NOT NULL, gone INTEGER, PRIMARY KEY (artefact, problem)",
          "STRICT, WITHOUT ROWID", NULL },
        { "concern", "subject TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (subject, sequence)",
          "STRICT, WITHOUT ROWID", NULL },
        { "waiver",
          "waiver INTEGER PRIMARY KEY, condition TEXT NOT NULL, finding TEXT NOT NULL, owner TEXT NOT NULL, "
          "requester TEXT NOT NULL, approver TEXT NOT NULL, reason TEXT NOT NULL, response TEXT NOT NULL, "
          "control TEXT NOT NULL, digest TEXT NOT NULL, repository TEXT NOT NULL, package TEXT NOT NULL, "
          "path TEXT NOT NULL, on_fix INTEGER NOT NULL, on_kev INTEGER NOT NULL, on_control_gone INTEGER NOT NULL, "
          "on_exposed INTEGER NOT NULL, on_epss INTEGER NOT NULL, created INTEGER NOT NULL, "
          "approved INTEGER NOT NULL, expires INTEGER NOT NULL, state INTEGER NOT NULL, ended INTEGER NOT NULL, "
          "ended_by TEXT NOT NULL, ended_why TEXT NOT NULL",
          "STRICT", NULL },
        { NULL, NULL, NULL, NULL },
};

int schema_make_derived(struct book *b, const char *in, struct error *err)
{
        int r = 0;
        for (const struct derived_table *t = derived_tables; t->name && r == 0; t++) {
                _cleanup_(buf_done) struct buf text = BUF_INIT(8192);
                buf_printf(&text, "CREATE TABLE %s.%s(%s) %s;", in, t->name, t->columns, t->options);
                if (t->index)
                        buf_printf(&text, "CREATE INDEX %s.%s_%s ON %s(%s);", in, t->name, t->index, t->name, t->index);
                r = sql_run(b, text.p, err);
        }
        return r;
}

int schema_drop_derived(struct book *b, const char *in, struct error *err)
{
        int r = 0;
        for (const struct derived_table *t = derived_tables; t->name && r == 0; t++) {
                char text[128];
                snprintf(text, sizeof(text), "DROP TABLE IF EXISTS %s.%s", in, t->name);
                r = sql_run(b, text, err);
        }
        return r;
}

int schema_migrate(struct book *b, unsigned from, unsigned to, struct error *err)
{
        int r = 0;
        for (unsigned v = from + 1; v <= to && r == 0; v++)
                r = sql_run(b, steps[v], err);
        if (r == 0 && to == SCHEMA_NOW)
                r = derived_rebuild(b, err);
        if (r == 0) {
                char text[64];
                snprintf(text, sizeof(text), "PRAGMA user_version=%u", to);
                r = sql_run(b, text, err);
        }
        return r;
}
